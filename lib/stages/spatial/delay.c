/* SPDX-License-Identifier: GPL-3.0-or-later
 * delay.c - a fractional delay that changes with every frame: windowed sinc, from a table of phases. */
#include "stages/spatial/delay.h"
#include "dsp/hot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TAPS AP_DELAY_TAPS
/* Interpolated linearly between phases: the error is (pi / 256)^2 / 8, -94 dB. */
#define PHASES 256
/* The taps are right this often and change linearly in between. */
#define RUN 16
/* Taps of both ends of a run; the delay changes by less than 8 meanwhile. */
#define PLACES (TAPS + 8)
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

/* Puts the taps for a delay where they belong: tap k is for x[base + k - TAPS / 2 + 1]. */
static inline void place_taps(const float *table, double delay, ptrdiff_t base, float tap[PLACES])
{
    double whole = floor(-delay), phase = (-delay - whole) * PHASES;
    int row = (int)phase;
    float part = (float)(phase - row);
    const float *a = table + row * TAPS, *b = a + TAPS;
    float *at = tap + ((ptrdiff_t)whole - base);
    memset(tap, 0, PLACES * sizeof *tap);
    for (int k = 0; k < TAPS; k++)
        at[k] = a[k] + part * (b[k] - a[k]);
}

/* RUN frames with taps that go from first to last. */
static inline void run_taps(const float *x, const float *first, const float *last, int count, float *out)
{
    v8 a = {0}, b = {0}, a_slope = {0}, b_slope = {0}, ramp = {0, 1, 2, 3, 4, 5, 6, 7};
    for (int k = 0; k < count; k++) {
        float slope = (last[k] - first[k]) / RUN;
        v8 p, q;
        memcpy(&p, x + k, sizeof p);
        memcpy(&q, x + k + 8, sizeof q);
        a += first[k] * p;
        b += first[k] * q;
        a_slope += slope * p;
        b_slope += slope * q;
    }
    a += ramp * a_slope;
    b += (ramp + 8) * b_slope;
    memcpy(out, &a, sizeof a);
    memcpy(out + 8, &b, sizeof b);
}

AP_HOT
void ap_delay_run(const float *table, const float *in, double from, double to, float *out, size_t frames)
{
    double step = (to - from) / (double)frames;
    for (size_t r = 0; r < frames; r += RUN) {
        double first = from + step * (double)r, last = from + step * (double)(r + RUN);
        ptrdiff_t low = (ptrdiff_t)floor(-fmax(first, last)), high = (ptrdiff_t)floor(-fmin(first, last));
        float tap[2][PLACES];
        place_taps(table, first, low, tap[0]);
        place_taps(table, last, low, tap[1]);
        run_taps(in + r + low - (TAPS / 2 - 1), tap[0], tap[1], TAPS + (int)(high - low), out + r);
    }
}
