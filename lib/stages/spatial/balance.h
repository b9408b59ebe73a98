/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * balance.h - how loud each channel has to be. */
#ifndef AP_STAGES_SPATIAL_BALANCE_H
#define AP_STAGES_SPATIAL_BALANCE_H

#include "stages/spatial/renderer.h"
#include "stages/spatial/speakers.h"

typedef struct ap_shelf {
    float low, high; /* gains */
    double state;
} ap_shelf;

typedef struct ap_balance {
    const ap_speakers *speakers;
    double pole;
    ap_shelf mid[AP_SPEAKERS_MAX]; /* of pairs, at their first channel; also of channels without a mirror */
    ap_shelf side[AP_SPEAKERS_MAX];
} ap_balance;

/* Keeps the pointer speakers. The sum and the difference of a pair's channels each keep their loudness at the
 * ears, averaged over the trajectory. */
void ap_balance_init(ap_balance *b, const ap_speakers *speakers, const ap_spatialize_options *options,
                     const ap_renderer *renderer, uint32_t rate);
/* In place. */
void ap_balance_run(ap_balance *b, float *const *plane, size_t frames);

#endif
