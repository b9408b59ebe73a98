/* SPDX-License-Identifier: GPL-3.0-or-later
 * centre.c - the similarity of two channels, bin by bin (C. Avendano, WASPAA 2003), with the sign of the
 * phase: what is opposite in both channels is not in the middle. */
#include "dsp/centre.h"
#include "dsp/fft.h"
#include "dsp/hot.h"

#include <float.h>
#include <stdlib.h>

enum { REACH = 2 }; /* slots and bins on each side */

struct ap_centre {
    size_t bins, width, slots;         /* width: of a row, with REACH zeros on both sides; in the rings */
    float *common, *power;             /* rings: 2 Re(LR*) and |L|^2 + |R|^2, summed over bins */
    float *common_here, *power_here;   /* before that, a row each */
    float *common_there, *power_there; /* summed over slots too */
};

/* What a row is made of. */
AP_HOT static void compare(const float *l, const float *r, size_t n, float *common, float *power)
{
    for (size_t b = 0; b < n; b++) {
        float lr = l[2 * b], li = l[2 * b + 1], rr = r[2 * b], ri = r[2 * b + 1];
        common[b] = 2 * (lr * rr + li * ri);
        power[b] = lr * lr + li * li + rr * rr + ri * ri;
    }
}

/* y[b] = the sum of x[b] to x[b + 2 REACH]. */
AP_HOT static void sum_bins(const float *x, size_t n, float *y)
{
    for (size_t b = 0; b < n; b++)
        y[b] = x[b] + x[b + 1] + x[b + 2] + x[b + 3] + x[b + 4];
}

AP_HOT static void add_row(const float *x, size_t n, float *y)
{
    for (size_t b = 0; b < n; b++)
        y[b] += x[b];
}

void ap_centre_add(ap_centre *c, uint64_t t, const float *left, const float *right)
{
    size_t at = (size_t)(t % c->slots) * c->width;
    compare(left, right, c->bins, c->common_here + REACH, c->power_here + REACH);
    sum_bins(c->common_here, c->bins, c->common + at);
    sum_bins(c->power_here, c->bins, c->power + at);
}

void ap_centre_share(const ap_centre *c, uint64_t t, uint64_t slots, float *share)
{
    uint64_t first = t > REACH ? t - REACH : 0, last = t + REACH < slots ? t + REACH : slots - 1;
    for (size_t b = 0; b < c->bins; b++)
        c->common_there[b] = c->power_there[b] = 0;
    for (uint64_t i = first; i <= last; i++) {
        size_t at = (size_t)(i % c->slots) * c->width;
        add_row(c->common + at, c->bins, c->common_there);
        add_row(c->power + at, c->bins, c->power_there);
    }
    for (size_t b = 0; b < c->bins; b++) {
        float x = c->common_there[b] > 0 ? c->common_there[b] / (c->power_there[b] + FLT_MIN) : 0;
        share[b] = x < 1 ? x : 1;
    }
}

void ap_centre_free(ap_centre *c)
{
    if (!c)
        return;
    free(c->common);
    free(c->power);
    free(c->common_here);
    free(c->power_here);
    free(c->common_there);
    free(c->power_there);
    free(c);
}

ap_centre *ap_centre_new(size_t bins, size_t ahead)
{
    ap_centre *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->bins = bins;
    c->width = (bins + 2 * REACH + 15) / 16 * 16;
    c->slots = ahead + 1 + REACH;
    c->common = ap_fft_alloc(c->slots * c->width, sizeof *c->common);
    c->power = ap_fft_alloc(c->slots * c->width, sizeof *c->power);
    c->common_here = ap_fft_alloc(c->width, sizeof *c->common_here);
    c->power_here = ap_fft_alloc(c->width, sizeof *c->power_here);
    c->common_there = ap_fft_alloc(c->width, sizeof *c->common_there);
    c->power_there = ap_fft_alloc(c->width, sizeof *c->power_there);
    if (c->common && c->power && c->common_here && c->power_here && c->common_there && c->power_there)
        return c;
    ap_centre_free(c);
    return NULL;
}
