/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * delay.h - fractional delays that move. */
#ifndef AP_STAGES_SPATIAL_DELAY_H
#define AP_STAGES_SPATIAL_DELAY_H

#include <stddef.h>

/* The coefficients; to be freed by free(). NULL when out of memory. */
float *ap_delay_table(void);
/* The signal half a frame after each of these: reads 15 frames more before, and AP_DELAY_AHEAD after. */
#define AP_DELAY_AHEAD 16
void ap_delay_between(const float *table, const float *in, float *between, size_t frames);
/* in[0] is the first frame, with its past at negative indices, between goes with it. The delay goes from from
 * to to, which are at least AP_DELAY_LEAST and differ by less than half of the frames; frames is a multiple
 * of 16. Of between, what is before -AP_DELAY_AHEAD counts. The past reaches back by the delay and 2 more. */
#define AP_DELAY_LEAST (AP_DELAY_AHEAD + 2)
void ap_delay_run(const float *table, const float *in, const float *between, double from, double to,
                  float *out, size_t frames);

#endif
