/* SPDX-License-Identifier: GPL-3.0-or-later
 * sudden.c - the correlation of a spectrum along frequency, which is the spectrum of the envelope. */
#include "dsp/sudden.h"
#include "dsp/hot.h"

#include <float.h>
#include <math.h>

enum { LANES = 16 }; /* even: a lane has real parts only, or imaginary ones */

typedef struct sums {
    float real[LANES], cross[LANES], power[LANES];
} sums;

/* cross: products of real and imaginary parts, by the lane of what is not moved. */
AP_HOT static void correlate(const float *x, const float *moved, size_t n, sums *restrict s)
{
    for (size_t i = 0; i + LANES <= n; i += LANES)
        for (size_t j = 0; j < LANES; j++) {
            s->real[j] += x[i + j] * moved[i + j];
            s->cross[j] += x[i + j] * moved[(i + j) ^ 1];
            s->power[j] += x[i + j] * x[i + j];
        }
}

float ap_sudden(const float *left, const float *right, size_t first, size_t end, size_t lag)
{
    sums s = {0};
    float real = 0, imaginary = 0, power = 0;
    if (end > first) {
        correlate(left + 2 * first, left + 2 * (first + lag), 2 * (end - first), &s);
        correlate(right + 2 * first, right + 2 * (first + lag), 2 * (end - first), &s);
    }
    for (size_t j = 0; j < LANES; j++) {
        real += s.real[j];
        imaginary += j % 2 ? s.cross[j] : -s.cross[j];
        power += s.power[j];
    }
    return hypotf(real, imaginary) / (power + FLT_MIN);
}
