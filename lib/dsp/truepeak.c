/* SPDX-License-Identifier: GPL-3.0-or-later
 * truepeak.c - the signal between samples, as a converter will form it. */
#include "dsp/truepeak.h"
#include "dsp/hot.h"

#include <math.h>

/* A windowed sinc of 48 taps over all phases (ITU-R BS.1770-4, annex 2, has this length; the Hann window is
 * libebur128's, so that it and we see the same peaks). */
#define FILTER_LENGTH 48

#define RUN 128 /* frames that are looked at together */
#define LANES 8

/* fmaxf without its care for NaN, which costs a call. */
static inline float larger(float a, float b)
{
    return a > b ? a : b;
}

/* y[i] = max(y[i], |one phase of x between the frames i - taps / 2 and the next|). */
static inline void interpolate(const float *x, const float *coefficients, unsigned taps, float *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float sum = 0;
        for (size_t k = 0; k < taps; k++)
            sum += coefficients[k] * x[(ptrdiff_t)i - (ptrdiff_t)k];
        y[i] = larger(y[i], fabsf(sum));
    }
}

/* The numbers of taps in use are constants here, for the compiler to unroll. */
static inline void interpolate_phases(const ap_truepeak *t, const float *x, float *y, size_t n)
{
    for (unsigned p = 1; p < t->phases; p++) {
        if (t->taps == FILTER_LENGTH / 4)
            interpolate(x, t->coefficients[p], FILTER_LENGTH / 4, y, n);
        else
            interpolate(x, t->coefficients[p], FILTER_LENGTH / 2, y, n);
    }
}

/* Largest |x| of what the filter sees of a run. In parallel lanes: the compiler cannot know that the order
 * does not matter to a maximum. */
static inline float most_around(const float *x, unsigned taps, size_t run)
{
    float most[LANES] = {0};
    size_t count = run + taps - 1, i = 0;
    x -= taps - 1;
    for (; i + LANES <= count; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            most[k] = larger(most[k], fabsf(x[i + k]));
    for (; i < count; i++)
        most[0] = larger(most[0], fabsf(x[i]));
    for (size_t k = 1; k < LANES; k++)
        most[0] = larger(most[0], most[k]);
    return most[0];
}

AP_HOT void ap_truepeak_between(const ap_truepeak *t, const float *x, float *y, size_t n, float floor)
{
    for (size_t done = 0; t->phases > 1 && done < n; done += RUN) {
        size_t run = n - done < RUN ? n - done : RUN;
        if (most_around(x + done, t->taps, run) * t->overshoot > floor)
            interpolate_phases(t, x + done, y + done, run);
    }
}

AP_HOT float ap_truepeak_most(const ap_truepeak *t, const float *x, size_t n, float floor)
{
    for (size_t done = 0; t->phases > 1 && done < n; done += RUN) {
        size_t run = n - done < RUN ? n - done : RUN;
        float y[RUN] = {0};
        if (most_around(x + done, t->taps, run) * t->overshoot <= floor)
            continue;
        interpolate_phases(t, x + done, y, run);
        for (size_t i = 0; i < run; i++)
            floor = larger(floor, y[i]);
    }
    return floor;
}

/* Phase p of a sinc at 1/phases of the rate under a Hann window. */
static void make_coefficients(ap_truepeak *t)
{
    for (unsigned p = 1; p < t->phases; p++) {
        float sum = 0;
        for (unsigned k = 0; k < t->taps; k++) {
            unsigned j = k * t->phases + p;
            double x = M_PI * ((double)j - FILTER_LENGTH / 2.0) / t->phases;
            t->coefficients[p][k] = (float)(sin(x) / x * 0.5 * (1 - cos(2 * M_PI * j / FILTER_LENGTH)));
            sum += fabsf(t->coefficients[p][k]);
        }
        t->overshoot = larger(t->overshoot, sum);
    }
}

void ap_truepeak_make(ap_truepeak *t, bool true_peak, uint32_t rate)
{
    *t = (ap_truepeak){.phases = 1};
    /* As libebur128 does: four phases below 96 kHz, two below 192 kHz, none above. */
    if (true_peak && rate < 192000)
        t->phases = rate < 96000 ? 4 : 2;
    t->taps = t->phases > 1 ? FILTER_LENGTH / t->phases : 0;
    make_coefficients(t);
}
