/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fft.h - real Fourier transforms in single precision.
 */
#ifndef AP_FFT_H
#define AP_FFT_H

#include <complex.h>
#include <stddef.h>

/* Complex numbers whose parts lie apart, which suits loops that run side by side. */
typedef struct ap_split {
    float *re, *im;
} ap_split;

/* Transforms of one length, both ways. May be used by several threads at once, on different arrays. */
typedef struct ap_fft ap_fft;

/* size is even. NULL when out of memory. */
ap_fft *ap_fft_new(size_t size);
void ap_fft_free(ap_fft *fft);

/* size floats to size / 2 + 1 bins, and back, without any scaling: both together multiply by size. The arrays
 * come from ap_fft_alloc, or start a multiple of 16 floats or 8 bins after one. The inverse destroys bins. */
void ap_fft_forward(const ap_fft *fft, float *in, float complex *bins);
void ap_fft_inverse(const ap_fft *fft, float complex *bins, float *out);

/* Two real signals at once are one complex signal. size complex numbers to as many bins, and back, without
 * any scaling. Arrays are of 2 * size floats, the real parts first, from ap_fft_alloc; in and out are
 * different. */
typedef struct ap_fft_pair ap_fft_pair;

ap_fft_pair *ap_fft_pair_new(size_t size);
void ap_fft_pair_free(ap_fft_pair *fft);
void ap_fft_pair_forward(const ap_fft_pair *fft, float *in, float *out);
void ap_fft_pair_inverse(const ap_fft_pair *fft, float *in, float *out);

/* Zeros, aligned to 64 bytes, to be freed by free(). NULL when out of memory. */
void *ap_fft_alloc(size_t count, size_t size);

#endif
