/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kweight.h - how loud samples are to an ear: the filter of ITU-R BS.1770-4, annex 1. */
#ifndef AP_DSP_KWEIGHT_H
#define AP_DSP_KWEIGHT_H

#include <stddef.h>
#include <stdint.h>

/* The filter for a rate, and what it remembers of a channel or two. All zeros but the coefficients: silence.
 */
typedef struct ap_kweight {
    double a[5], b[5]; /* of the recursion, of the sum; a[0] is 1 */
} ap_kweight;
typedef struct ap_kweight_memory {
    double last[4][2]; /* the newest first */
} ap_kweight_memory;

/* rate in Hz, more than twice 1682. */
void ap_kweight_make(ap_kweight *k, uint32_t rate);
/* Filters count frames of two neighbouring channels, x[0] and x[1], x[stride] and x[stride + 1] and so on
 * (those of one if width is 1), and sets energy[] to the sums of their squares. x has no NaN or infinity. */
void ap_kweight_energy(const ap_kweight *k, ap_kweight_memory *memory, const float *x, size_t count,
                       size_t stride, unsigned width, double energy[2]);

#endif
