/* SPDX-License-Identifier: GPL-3.0-or-later
 * crossover.c - a Linkwitz-Riley crossover of the 4th order, for two channels at once.
 *
 * The low band is a Butterworth low-pass twice. Low and high band add up to an all-pass of the 2nd order, so
 * the high band is that all-pass minus the low band: cheaper than its own two filters, and the sum is exact.
 */
#include "stages/spatial/crossover.h"
#include "dsp/hot.h"

#include <math.h>
#include <string.h>

/* One lane for each channel. */
typedef double v2 __attribute__((vector_size(16)));

typedef struct section {
    v2 s1, s2;
} section;

/* Below this a decaying state is silence; denormal numbers would take 100 times as long. */
#define SILENCE 0x1p-200
#define CHUNK 256 /* frames; keeps scratch in the first-level cache */

/* Bilinear transform of the Butterworth low-pass; the highest usable corner is half of Nyquist. */
void ap_crossover_init(ap_crossover *x, double hz, double rate)
{
    double w = tan(M_PI * fmin(hz / rate, 0.25));
    double norm = 1 / (1 + M_SQRT2 * w + w * w);
    double a1 = 2 * (w * w - 1) * norm, a2 = (1 - M_SQRT2 * w + w * w) * norm, b = w * w * norm;
    *x = (ap_crossover){.on = hz > 0, .a1 = a1, .a2 = a2, .b = b};
}

static void load(section *s, double state[4])
{
    memcpy(s, state, sizeof *s);
}

static void store(double state[4], const section *s)
{
    memcpy(state, s, sizeof *s);
    for (int i = 0; i < 4; i++)
        if (fabs(state[i]) < SILENCE)
            state[i] = 0;
}

/* What all of them begin with: the poles are the same. */
static inline v2 resonate(const section *s, v2 x, v2 a1, v2 a2)
{
    return (x - a2 * s->s2) - a1 * s->s1;
}

/* The zeros of a low-pass, and of an all-pass. */
static inline v2 low_zeros(const section *s, v2 w, v2 b)
{
    return b * (w + s->s1 + (s->s1 + s->s2));
}

static inline v2 all_zeros(const section *s, v2 w, v2 a1, v2 a2)
{
    return a2 * w + a1 * s->s1 + s->s2;
}

static inline void push(section *s, v2 w)
{
    s->s2 = s->s1;
    s->s1 = w;
}

/* Two channels side by side, in doubles; and back. */
AP_HOT
static void join(const float *restrict left, const float *restrict right, double *restrict both,
                 size_t frames)
{
    for (size_t i = 0; i < frames; i++) {
        both[2 * i] = (double)left[i];
        both[2 * i + 1] = (double)right[i];
    }
}

AP_HOT
static void part(const double *restrict both, float *restrict left, float *restrict right, size_t frames)
{
    for (size_t i = 0; i < frames; i++) {
        left[i] = (float)both[2 * i];
        right[i] = (float)both[2 * i + 1];
    }
}

/* Direct form II: the first low-pass and the all-pass share their states. Leaves the high band in signal. */
AP_HOT
static void filter(ap_crossover *x, v2 *signal, v2 *low, size_t frames)
{
    const v2 a1 = {x->a1, x->a1}, a2 = {x->a2, x->a2}, b = {x->b, x->b};
    section first, second;
    load(&first, x->state[0]);
    load(&second, x->state[1]);
    for (size_t i = 0; i < frames; i++) {
        v2 w = resonate(&first, signal[i], a1, a2);
        v2 v = resonate(&second, low_zeros(&first, w, b), a1, a2);
        low[i] = low_zeros(&second, v, b);
        signal[i] = all_zeros(&first, w, a1, a2) - low[i];
        push(&first, w);
        push(&second, v);
    }
    store(x->state[0], &first);
    store(x->state[1], &second);
}

void ap_crossover_run(ap_crossover *x, float *const in[2], float *const low[2], float *const high[2],
                      size_t frames)
{
    for (size_t at = 0; x->on && at < frames; at += CHUNK) {
        v2 signal[CHUNK], bass[CHUNK];
        size_t n = frames - at < CHUNK ? frames - at : CHUNK;
        join(in[0] + at, in[1] + at, (double *)signal, n);
        filter(x, signal, bass, n);
        part((const double *)bass, low[0] + at, low[1] + at, n);
        part((const double *)signal, high[0] + at, high[1] + at, n);
    }
    if (x->on)
        return;
    for (int c = 0; c < 2; c++) {
        memmove(high[c], in[c], frames * sizeof *high[c]);
        memset(low[c], 0, frames * sizeof *low[c]);
    }
}
