/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * delay.h - fractional delays that move. */
#ifndef AP_STAGES_SPATIAL_DELAY_H
#define AP_STAGES_SPATIAL_DELAY_H

#include <stddef.h>

/* The coefficients, AP_DELAY_TAPS for each phase; to be freed by free(). NULL when out of memory. */
#define AP_DELAY_TAPS 32
float *ap_delay_table(void);
/* in[0] is the first frame, with its past at negative indices. The delay goes from from to to, which are at
 * least AP_DELAY_TAPS / 2 and differ by less than half of the frames; frames is a multiple of 16. The past
 * reaches back by the delay and AP_DELAY_TAPS / 2 more. */
void ap_delay_run(const float *table, const float *in, double from, double to, float *out, size_t frames);

#endif
