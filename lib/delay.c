/* SPDX-License-Identifier: GPL-3.0-or-later
 * delay.c - a fractional delay that changes with every frame: windowed sinc, from a table of phases. */
#include "spatial.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TAPS AP_DELAY_TAPS
/* Interpolated linearly between phases: the error is (pi / 256)^2 / 8, -94 dB. */
#define PHASES 256
/* Kaiser window: 60 dB of stop band; the pass band then reaches to 0.44 of the rate (Kaiser 1974). */
#define BETA 5.65

typedef float v8 __attribute__((vector_size(32)));

/* Modified Bessel function of the first kind, order 0. */
static double bessel(double x)
{
    double sum = 1, term = 1;
    for (int k = 1; term > 1e-12 * sum; k++) {
        term *= x * x / (4.0 * k * k);
        sum += term;
    }
    return sum;
}

static double sinc(double x)
{
    return fabs(x) < 1e-9 ? 1 : sin(M_PI * x) / (M_PI * x);
}

/* The signal part of a frame after the middle: taps for x[-TAPS / 2 + 1] to x[TAPS / 2]. */
static void fill_row(float *row, double part)
{
    double tap[TAPS], sum = 0;
    for (int k = 0; k < TAPS; k++) {
        double t = k - (TAPS / 2 - 1) - part, u = 2 * t / TAPS;
        tap[k] = sinc(t) * bessel(BETA * sqrt(fmax(0, 1 - u * u)));
        sum += tap[k];
    }
    for (int k = 0; k < TAPS; k++)
        row[k] = (float)(tap[k] / sum);
}

float *ap_delay_table(void)
{
    float *table = malloc((PHASES + 1) * TAPS * sizeof *table);
    for (int p = 0; table && p <= PHASES; p++)
        fill_row(table + p * TAPS, (double)p / PHASES);
    return table;
}

AP_HOT
void ap_delay_run(const float *table, const float *in, double from, double to, float *out, size_t frames)
{
    double step = (to - from) / (double)frames;
    for (int i = 0; i < (int)frames; i++) {
        double at = i - (from + step * i), whole = floor(at), phase = (at - whole) * PHASES;
        int row = (int)phase;
        const float *x = in + (ptrdiff_t)whole - (TAPS / 2 - 1), *c = table + row * TAPS;
        float part = (float)(phase - row);
        v8 sum = {0};
        for (int k = 0; k < TAPS; k += 8) {
            v8 a, b, y;
            memcpy(&a, c + k, sizeof a);
            memcpy(&b, c + TAPS + k, sizeof b);
            memcpy(&y, x + k, sizeof y);
            sum += (a + part * (b - a)) * y;
        }
        out[i] = ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
    }
}
