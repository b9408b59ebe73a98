/* SPDX-License-Identifier: GPL-3.0-or-later
 * delay.c - a fractional delay that changes with every frame. The signal is known at twice the rate, which
 * serves all delays of it; between, there is a short filter, from a table of phases. */
#include "stages/spatial/delay.h"
#include "dsp/hot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Taps on either side of the middle between two frames. 60 dB of stop band with this Kaiser window; the pass
 * band then reaches to 0.44 of the rate (Kaiser 1974). */
#define HALF AP_DELAY_AHEAD
#define BETA 5.65
/* Taps at twice the rate, where little is above PASS: their error is below the other one. */
#define TAPS 8
#define PASS 0.22
/* Interpolated linearly between phases: the error is (pi / 256)^2 / 8, -94 dB. */
#define PHASES 128
/* The taps are right this often and change linearly in between. */
#define RUN 16
/* Taps of both ends of a run; the delay changes by less than 8 meanwhile. */
#define PLACES (TAPS + 16)
/* The table has TAPS for each phase, then HALF. */
#define TABLE ((PHASES + 1) * TAPS + HALF)

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

/* How alike are signals below PASS at two places: the mean of all cosines up to there. */
static double alike(double t)
{
    return 2 * PASS * sinc(2 * PASS * t);
}

/* Solves the equations of rows by elimination; they are symmetric and positive, so no row need be exchanged.
 */
static void solve(double row[TAPS][TAPS + 1], double *tap)
{
    for (int i = 0; i < TAPS; i++)
        for (int j = i + 1; j < TAPS; j++)
            for (int k = TAPS; k >= i; k--)
                row[j][k] -= row[j][i] / row[i][i] * row[i][k];
    for (int i = TAPS - 1; i >= 0; i--) {
        tap[i] = row[i][TAPS];
        for (int k = i + 1; k < TAPS; k++)
            tap[i] -= row[i][k] * tap[k];
        tap[i] /= row[i][i];
    }
}

/* The signal part of a place after the middle: taps for x[-TAPS / 2 + 1] to x[TAPS / 2], with the least
 * squared error for all that is below PASS. */
static void fill_row(float *to, double part)
{
    double row[TAPS][TAPS + 1], tap[TAPS];
    for (int j = 0; j < TAPS; j++) {
        for (int k = 0; k < TAPS; k++)
            row[j][k] = alike(j - k);
        row[j][TAPS] = alike(j - (TAPS / 2 - 1) - part);
    }
    solve(row, tap);
    for (int k = 0; k < TAPS; k++)
        to[k] = (float)tap[k];
}

/* Tap k is for both x[-k] and x[1 + k]. */
static void fill_half(float *half)
{
    double tap[HALF], sum = 0;
    for (int k = 0; k < HALF; k++) {
        double u = (k + 0.5) / HALF;
        tap[k] = sinc(k + 0.5) * bessel(BETA * sqrt(1 - u * u));
        sum += 2 * tap[k];
    }
    for (int k = 0; k < HALF; k++)
        half[k] = (float)(tap[k] / sum);
}

float *ap_delay_table(void)
{
    float *table = malloc(TABLE * sizeof *table);
    for (int p = 0; table && p <= PHASES; p++)
        fill_row(table + p * TAPS, (double)p / PHASES);
    if (table)
        fill_half(table + TABLE - HALF);
    return table;
}

AP_HOT
void ap_delay_between(const float *table, const float *in, float *between, size_t frames)
{
    const float *half = table + TABLE - HALF;
    for (size_t i = 0; i < frames; i += 16) {
        v8 a = {0}, b = {0};
        for (ptrdiff_t k = 0; k < HALF; k++) {
            const float *left = in + (ptrdiff_t)i - k, *right = in + (ptrdiff_t)i + 1 + k;
            v8 p, q;
            memcpy(&p, left, sizeof p);
            memcpy(&q, right, sizeof q);
            a += half[k] * (p + q);
            memcpy(&p, left + 8, sizeof p);
            memcpy(&q, right + 8, sizeof q);
            b += half[k] * (p + q);
        }
        memcpy(between + i, &a, sizeof a);
        memcpy(between + i + 8, &b, sizeof b);
    }
}

/* Where a delay reads: taps for the places from whole - TAPS / 2 + 1 on, at twice the rate. */
typedef struct aim {
    ptrdiff_t whole;
    v8 taps;
} aim;

static inline void aim_at(aim *at, const float *table, double delay)
{
    double whole = floor(-2 * delay), phase = (-2 * delay - whole) * PHASES;
    int row = (int)phase;
    v8 a, b;
    memcpy(&a, table + row * TAPS, sizeof a);
    memcpy(&b, table + (row + 1) * TAPS, sizeof b);
    at->whole = (ptrdiff_t)whole;
    at->taps = a + (float)(phase - row) * (b - a);
}

/* RUN frames with count taps, which begin at place and grow by slope in each frame. */
static inline void run_taps(const float *in, const float *between, ptrdiff_t place, const float *first,
                            const float *slope, int count, float *out)
{
    v8 a = {0}, b = {0}, a_slope = {0}, b_slope = {0}, ramp = {0, 1, 2, 3, 4, 5, 6, 7};
    for (int k = 0; k < count; k++, place++) {
        const float *x = (place & 1 ? between : in) + (place >> 1);
        v8 p, q;
        memcpy(&p, x, sizeof p);
        memcpy(&q, x + 8, sizeof q);
        a += first[k] * p;
        b += first[k] * q;
        a_slope += slope[k] * p;
        b_slope += slope[k] * q;
    }
    a += ramp * a_slope;
    b += (ramp + 8) * b_slope;
    memcpy(out, &a, sizeof a);
    memcpy(out + 8, &b, sizeof b);
}

/* The taps of both ends of a run have different places. */
static inline void run_apart(const float *in, const float *between, const aim *from, const aim *to,
                             float *out)
{
    ptrdiff_t least = from->whole < to->whole ? from->whole : to->whole;
    int moved = (int)(from->whole - least + to->whole - least);
    float first[PLACES] = {0}, slope[PLACES] = {0};
    memcpy(first + (from->whole - least), &from->taps, sizeof from->taps);
    memcpy(slope + (to->whole - least), &to->taps, sizeof to->taps);
    for (int k = 0; k < PLACES; k++)
        slope[k] = (slope[k] - first[k]) / RUN;
    run_taps(in, between, least - (TAPS / 2 - 1), first, slope, TAPS + moved, out);
}

AP_HOT
void ap_delay_run(const float *table, const float *in, const float *between, double from, double to,
                  float *out, size_t frames)
{
    double step = (to - from) / (double)frames;
    aim first, last;
    aim_at(&last, table, from);
    for (size_t r = 0; r < frames; r += RUN) {
        first = last;
        aim_at(&last, table, from + step * (double)(r + RUN));
        if (first.whole != last.whole) {
            run_apart(in + r, between + r, &first, &last, out + r);
            continue;
        }
        float taps[TAPS], slope[TAPS];
        v8 grows = (last.taps - first.taps) / RUN;
        memcpy(taps, &first.taps, sizeof taps);
        memcpy(slope, &grows, sizeof slope);
        run_taps(in + r, between + r, first.whole - (TAPS / 2 - 1), taps, slope, TAPS, out + r);
    }
}
