/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * trajectory.h - where a moving source is. Azimuths are radians counter-clockwise from the front, elevations
 * radians upwards. */
#ifndef AP_STAGES_SPATIAL_TRAJECTORY_H
#define AP_STAGES_SPATIAL_TRAJECTORY_H

#include "audiopipe.h"

typedef struct ap_position {
    double azimuth, elevation; /* not wrapped: they never jump */
    double distance;           /* metres */
} ap_position;

/* A pure, smooth function of the time; the options are taken to be in range. */
ap_position ap_trajectory_at(const ap_spatialize_options *options, double seconds);

#endif
