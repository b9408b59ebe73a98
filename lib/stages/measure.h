/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * measure.h - what the stages ask of a meter besides. */
#ifndef AP_STAGES_MEASURE_H
#define AP_STAGES_MEASURE_H

#include "audiopipe.h"

/* Integrated loudness of all streams, if they were louder by this: more blocks may pass the gate at -70. */
double ap_meter_loudness_at(const ap_meter *meter, double gain_db);

#endif
