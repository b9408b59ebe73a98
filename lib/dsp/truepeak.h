/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * truepeak.h - the signal between samples (ITU-R BS.1770-4, annex 2). */
#ifndef AP_DSP_TRUEPEAK_H
#define AP_DSP_TRUEPEAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AP_TRUEPEAK_PHASES 4
#define AP_TRUEPEAK_TAPS 24                        /* of one phase, at most */
#define AP_TRUEPEAK_HISTORY (AP_TRUEPEAK_TAPS - 1) /* samples that have to be there before the block */

/* The interpolation filter for a rate. */
typedef struct ap_truepeak {
    unsigned phases; /* 1: there is nothing to interpolate */
    unsigned taps;   /* of one phase */
    float coefficients[AP_TRUEPEAK_PHASES][AP_TRUEPEAK_TAPS];
    float overshoot; /* the interpolated signal is at most this times the largest sample around */
} ap_truepeak;

/* For sample peaks only when true_peak is false. */
void ap_truepeak_make(ap_truepeak *t, bool true_peak, uint32_t rate);
/* y[i] = max(y[i], the peak of |x| between the frames i - taps / 2 and i - taps / 2 + 1), for n frames of one
 * channel. May leave y as it is where that peak is at most floor. */
void ap_truepeak_between(const ap_truepeak *t, const float *x, float *y, size_t n, float floor);
/* The largest of these peaks, or floor if that is larger. */
float ap_truepeak_most(const ap_truepeak *t, const float *x, size_t n, float floor);

#endif
