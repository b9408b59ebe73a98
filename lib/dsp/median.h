/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * median.h - running medians of many series at once. */
#ifndef AP_MEDIAN_H
#define AP_MEDIAN_H

#include <stddef.h>

/* Series that lie side by side and are processed together: a multiple of any SIMD width. */
#define AP_LANES 16

/* The windows of 16 series are kept sorted, as length rows of 16. To slide is to replace one value, which
 * has to be in the window, by another. No value may be negative or NaN. Medians of an even length are the
 * upper ones, as scipy's. */

/* groups * 16 series make one step. sorted holds groups windows one after the other, all zero before the
 * first steps. The arrays hold groups * 16 values: those that leave the windows, enter them, and the medians.
 */
void ap_median_step(float *sorted, size_t length, size_t groups, const float *leaving, const float *entering,
                    float *medians);

/* Medians of 16 series of n values, x and medians both [n][16], continued by mirrors at their ends. sorted is
 * scratch: length rows of 16. */
void ap_median_series(float *sorted, size_t length, const float *x, size_t n, float *medians);

#endif
