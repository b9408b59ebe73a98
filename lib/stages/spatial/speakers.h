/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * speakers.h - which channel stands where. */
#ifndef AP_STAGES_SPATIAL_SPEAKERS_H
#define AP_STAGES_SPATIAL_SPEAKERS_H

#include "audiopipe.h"

#define AP_SPEAKERS_MAX 11

typedef struct ap_speakers {
    size_t count; /* channels */
    double angle[AP_SPEAKERS_MAX];
    size_t mirror[AP_SPEAKERS_MAX]; /* the channel on the other side, else itself */
    bool turns[AP_SPEAKERS_MAX];    /* false: LFE */
    float bass[AP_SPEAKERS_MAX][2]; /* to the left and the right ear */
} ap_speakers;

/* false for a mask with speakers overhead and for one without places. width is in degrees. */
bool ap_speakers_place(ap_speakers *s, const ap_format *format, double width_deg, ap_error *err);

#endif
