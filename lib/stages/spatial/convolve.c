/* SPDX-License-Identifier: GPL-3.0-or-later
 * convolve.c - filters that move: in each block every line is convolved with the filter that it had and the
 * one that it gets, and the output fades over. Overlap-save; the lines of an ear are added as spectra. Two
 * real signals share a complex transform: two lines on the way in, both filters of an ear on the way out. */
#include "stages/spatial/convolve.h"
#include "dsp/hot.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct line {
    ap_split old, new;
} line;

struct ap_convolver {
    size_t block, size, stride, lines; /* size of a transform; floats between arrays of block + 1 bins */
    ap_fft_pair *fft;
    line *line;
    float **time;       /* of two lines: the last block, then the new one, of each */
    float *bins;        /* of two lines or filters */
    float *out;         /* an ear's output with the old filters, with the new ones */
    ap_split spectrum;  /* of a line */
    ap_split sum[2][2]; /* of an ear: with the old filters, with the new ones */
    bool running;       /* the first block has no old filters */
};

static bool allocate_split(ap_split *s, size_t stride)
{
    s->re = ap_fft_alloc(2 * stride, sizeof *s->re);
    s->im = s->re ? s->re + stride : NULL;
    return s->re;
}

static bool allocate(ap_convolver *c)
{
    const size_t both = 2 * c->size;
    bool fine = (c->fft = ap_fft_pair_new(c->size)) && (c->line = calloc(c->lines, sizeof *c->line)) &&
                (c->time = calloc(c->lines / 2, sizeof *c->time)) &&
                (c->bins = ap_fft_alloc(both, sizeof *c->bins)) &&
                (c->out = ap_fft_alloc(both, sizeof *c->out)) && allocate_split(&c->spectrum, c->stride);
    for (int i = 0; i < 4; i++)
        fine = fine && allocate_split(&c->sum[i / 2][i % 2], c->stride);
    for (size_t k = 0; fine && k < c->lines / 2; k++)
        fine = (c->time[k] = ap_fft_alloc(both, sizeof **c->time));
    for (size_t k = 0; fine && k < c->lines; k++)
        fine = allocate_split(&c->line[k].old, c->stride) && allocate_split(&c->line[k].new, c->stride);
    return fine;
}

ap_convolver *ap_convolver_new(size_t block, size_t lines)
{
    ap_convolver *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    *c = (ap_convolver){
        .block = block, .size = 2 * block, .stride = (block + 1 + 15) / 16 * 16, .lines = lines};
    if (allocate(c))
        return c;
    ap_convolver_free(c);
    return NULL;
}

void ap_convolver_free(ap_convolver *c)
{
    if (!c)
        return;
    for (size_t k = 0; c->line && k < c->lines; k++) {
        free(c->line[k].old.re);
        free(c->line[k].new.re);
    }
    for (size_t k = 0; c->time && k < c->lines / 2; k++)
        free(c->time[k]);
    for (int i = 0; i < 4; i++)
        free(c->sum[i / 2][i % 2].re);
    free(c->line);
    free(c->time);
    free(c->bins);
    free(c->out);
    free(c->spectrum.re);
    ap_fft_pair_free(c->fft);
    free(c);
}

float *ap_convolver_input(ap_convolver *c, size_t k)
{
    return c->time[k / 2] + k % 2 * c->size + c->block;
}

ap_split ap_convolver_filter(ap_convolver *c, size_t k)
{
    return c->line[k].new;
}

/* Twice the spectrum of a real signal, from that of a pair: what is even and odd around bin 0. The first
 * signal has the even real part and the odd imaginary part, for the second the parts are exchanged. */
AP_HOT
static void take_apart(const float *restrict even, const float *restrict odd, size_t size, float sign,
                       float *restrict re, float *restrict im)
{
    re[0] = 2 * even[0];
    im[0] = 0;
    for (size_t k = 1; k <= size / 2; k++) {
        re[k] = even[k] + even[size - k];
        im[k] = sign * (odd[k] - odd[size - k]);
    }
}

AP_HOT
static void add_product(const float *restrict x_re, const float *restrict x_im, const float *restrict h_re,
                        const float *restrict h_im, float *restrict sum_re, float *restrict sum_im,
                        size_t bins)
{
    for (size_t i = 0; i < bins; i++) {
        sum_re[i] += x_re[i] * h_re[i] - x_im[i] * h_im[i];
        sum_im[i] += x_re[i] * h_im[i] + x_im[i] * h_re[i];
    }
}

/* sum += spectrum * filter */
static void add_line(const ap_convolver *c, const ap_split *filter, const ap_split *sum)
{
    add_product(c->spectrum.re, c->spectrum.im, filter->re, filter->im, sum->re, sum->im, c->block + 1);
}

static void add_pair(ap_convolver *c, size_t pair)
{
    float *time = c->time[pair], *re = c->bins, *im = c->bins + c->size;
    ap_fft_pair_forward(c->fft, time, c->bins);
    for (size_t ear = 0; ear < 2; ear++) {
        line *l = &c->line[2 * pair + ear];
        if (ear == 0)
            take_apart(re, im, c->size, 1, c->spectrum.re, c->spectrum.im);
        else
            take_apart(im, re, c->size, -1, c->spectrum.re, c->spectrum.im);
        add_line(c, c->running ? &l->old : &l->new, &c->sum[ear][0]);
        add_line(c, &l->new, &c->sum[ear][1]);
        memcpy(time + ear * c->size, time + ear * c->size + c->block, c->block * sizeof *time);
        ap_split swap = l->old;
        l->old = l->new;
        l->new = swap;
    }
}

/* The spectrum of a + i b, both of them real signals. */
AP_HOT
static void put_together(const ap_split *a, const ap_split *b, size_t size, float *restrict re,
                         float *restrict im)
{
    const float *restrict a_re = a->re, *restrict a_im = a->im;
    const float *restrict b_re = b->re, *restrict b_im = b->im;
    for (size_t k = 0; k <= size / 2; k++) {
        re[k] = a_re[k] - b_im[k];
        im[k] = a_im[k] + b_re[k];
    }
    for (size_t k = size / 2 + 1; k < size; k++) {
        re[k] = a_re[size - k] + b_im[size - k];
        im[k] = b_re[size - k] - a_im[size - k];
    }
}

AP_HOT
static void fade(const float *restrict old, const float *restrict new, float *restrict out, size_t frames,
                 float scale)
{
    float step = 1 / (float)frames;
    for (int i = 0; i < (int)frames; i++)
        out[i] += (old[i] + step * (float)i * (new[i] - old[i])) * scale;
}

void ap_convolver_run(ap_convolver *c, float *const out[2])
{
    for (int i = 0; i < 4; i++)
        memset(c->sum[i / 2][i % 2].re, 0, 2 * c->stride * sizeof(float));
    for (size_t k = 0; k < c->lines / 2; k++)
        add_pair(c, k);
    for (size_t ear = 0; ear < 2; ear++) {
        put_together(&c->sum[ear][0], &c->sum[ear][1], c->size, c->bins, c->bins + c->size);
        ap_fft_pair_inverse(c->fft, c->bins, c->out);
        fade(c->out + c->block, c->out + c->size + c->block, out[ear], c->block, 0.5f / (float)c->size);
    }
    c->running = true;
}
