/* SPDX-License-Identifier: GPL-3.0-or-later
 * crossover.c - a Linkwitz-Riley crossover of the 4th order, for two channels at once.
 *
 * The low band is a Butterworth low-pass twice. Low and high band add up to an all-pass of the 2nd order, so
 * the high band is that all-pass minus the low band: cheaper than its own two filters, and the sum is exact.
 */
#include "stages/spatial/crossover.h"

#include <math.h>
#include <string.h>

/* One lane for each channel. */
typedef double v2 __attribute__((vector_size(16)));

typedef struct section {
    v2 s1, s2;
} section;

/* Below this a decaying state is silence; denormal numbers would take 100 times as long. */
#define SILENCE 0x1p-200

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

/* Transposed direct form II throughout. */
static inline v2 low_pass(section *s, v2 x, v2 b, v2 a1, v2 a2)
{
    v2 bx = b * x, y = bx + s->s1;
    s->s1 = (bx + bx + s->s2) - a1 * y;
    s->s2 = bx - a2 * y;
    return y;
}

static inline v2 all_pass(section *s, v2 x, v2 a1, v2 a2)
{
    v2 y = a2 * x + s->s1;
    s->s1 = (a1 * x + s->s2) - a1 * y;
    s->s2 = x - a2 * y;
    return y;
}

static void filter(ap_crossover *x, float *const in[2], float *const low[2], float *const high[2],
                   size_t frames)
{
    const v2 a1 = {x->a1, x->a1}, a2 = {x->a2, x->a2}, b = {x->b, x->b};
    section first, second, all;
    load(&first, x->low_pass[0]);
    load(&second, x->low_pass[1]);
    load(&all, x->all_pass);
    for (size_t i = 0; i < frames; i++) {
        v2 u = {(double)in[0][i], (double)in[1][i]};
        v2 y = low_pass(&second, low_pass(&first, u, b, a1, a2), b, a1, a2);
        v2 rest = all_pass(&all, u, a1, a2) - y;
        low[0][i] = (float)y[0];
        low[1][i] = (float)y[1];
        high[0][i] = (float)rest[0];
        high[1][i] = (float)rest[1];
    }
    store(x->low_pass[0], &first);
    store(x->low_pass[1], &second);
    store(x->all_pass, &all);
}

void ap_crossover_run(ap_crossover *x, float *const in[2], float *const low[2], float *const high[2],
                      size_t frames)
{
    if (x->on) {
        filter(x, in, low, high, frames);
        return;
    }
    for (int c = 0; c < 2; c++) {
        memmove(high[c], in[c], frames * sizeof *high[c]);
        memset(low[c], 0, frames * sizeof *low[c]);
    }
}
