/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * crossover.h - two bands of two channels, Linkwitz-Riley of the 4th order. */
#ifndef AP_STAGES_SPATIAL_CROSSOVER_H
#define AP_STAGES_SPATIAL_CROSSOVER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct ap_crossover {
    bool on;
    double a1, a2, b;   /* Butterworth: denominator; numerator b * (1 + z^-1)^2 */
    double state[2][4]; /* of both low-passes */
} ap_crossover;

/* hz = 0: everything is the high band. */
void ap_crossover_init(ap_crossover *x, double hz, double rate);
/* low + high is the input through an all-pass. high may be in. */
void ap_crossover_run(ap_crossover *x, float *const in[2], float *const low[2], float *const high[2],
                      size_t frames);

#endif
