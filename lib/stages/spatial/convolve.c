/* SPDX-License-Identifier: GPL-3.0-or-later
 * convolve.c - filters that move: in each block every line is convolved with the filter that it had and the
 * one that it gets, and the output fades over. Overlap-save; the lines of an ear are added as spectra. */
#include "stages/spatial/convolve.h"
#include "dsp/fft.h"
#include "dsp/hot.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct line {
    float *time; /* the last block, then the new one */
    float complex *old, *new;
} line;

struct ap_convolver {
    size_t block, bins, lines;
    ap_fft *fft;
    line *line;
    float complex *spectrum; /* of a line */
    float complex *sum[2];   /* of an ear: with the old filters, with the new ones */
    float *time[2];          /* the same */
    bool running;            /* the first block has no old filters */
};

static bool allocate_line(ap_convolver *c, line *l)
{
    l->time = ap_fft_alloc(2 * c->block, sizeof *l->time);
    l->old = ap_fft_alloc(c->bins, sizeof *l->old);
    l->new = ap_fft_alloc(c->bins, sizeof *l->new);
    return l->time && l->old && l->new;
}

ap_convolver *ap_convolver_new(size_t block, size_t lines)
{
    ap_convolver *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    *c = (ap_convolver){.block = block, .bins = block + 1, .lines = lines};
    bool fine = (c->fft = ap_fft_new(2 * block)) && (c->line = calloc(lines, sizeof *c->line)) &&
                (c->spectrum = ap_fft_alloc(c->bins, sizeof *c->spectrum));
    for (int i = 0; fine && i < 2; i++) {
        c->sum[i] = ap_fft_alloc(c->bins, sizeof *c->sum[i]);
        c->time[i] = ap_fft_alloc(2 * block, sizeof *c->time[i]);
        fine = c->sum[i] && c->time[i];
    }
    for (size_t k = 0; fine && k < lines; k++)
        fine = allocate_line(c, &c->line[k]);
    if (fine)
        return c;
    ap_convolver_free(c);
    return NULL;
}

void ap_convolver_free(ap_convolver *c)
{
    if (!c)
        return;
    for (size_t k = 0; c->line && k < c->lines; k++) {
        free(c->line[k].time);
        free(c->line[k].old);
        free(c->line[k].new);
    }
    for (int i = 0; i < 2; i++) {
        free(c->sum[i]);
        free(c->time[i]);
    }
    free(c->line);
    free(c->spectrum);
    ap_fft_free(c->fft);
    free(c);
}

float *ap_convolver_input(ap_convolver *c, size_t k)
{
    return c->line[k].time + c->block;
}

float complex *ap_convolver_filter(ap_convolver *c, size_t k)
{
    return c->line[k].new;
}

/* sum += x * filter, for both filters. Written out in floats: the compiler's complex product checks for NaN.
 */
AP_HOT
static void add_products(const float *restrict x, const float *restrict old, const float *restrict new,
                         float *restrict old_sum, float *restrict new_sum, size_t bins)
{
    for (size_t i = 0; i < 2 * bins; i += 2) {
        float re = x[i], im = x[i + 1];
        old_sum[i] += re * old[i] - im * old[i + 1];
        old_sum[i + 1] += re * old[i + 1] + im * old[i];
        new_sum[i] += re * new[i] - im *new[i + 1];
        new_sum[i + 1] += re * new[i + 1] + im *new[i];
    }
}

static void add_line(ap_convolver *c, line *l)
{
    ap_fft_forward(c->fft, l->time, c->spectrum);
    add_products((const float *)c->spectrum, (const float *)(c->running ? l->old : l->new),
                 (const float *)l->new, (float *)c->sum[0], (float *)c->sum[1], c->bins);
    memcpy(l->time, l->time + c->block, c->block * sizeof *l->time);
    float complex *swap = l->old;
    l->old = l->new;
    l->new = swap;
}

AP_HOT
static void fade(const float *old, const float *new, float *out, size_t frames, float scale)
{
    float step = 1 / (float)frames;
    for (int i = 0; i < (int)frames; i++)
        out[i] += (old[i] + step * (float)i * (new[i] - old[i])) * scale;
}

void ap_convolver_run(ap_convolver *c, float *const out[2])
{
    for (size_t ear = 0; ear < 2; ear++) {
        for (int i = 0; i < 2; i++)
            memset(c->sum[i], 0, c->bins * sizeof *c->sum[i]);
        for (size_t k = ear; k < c->lines; k += 2)
            add_line(c, &c->line[k]);
        for (int i = 0; i < 2; i++)
            ap_fft_inverse(c->fft, c->sum[i], c->time[i]);
        fade(c->time[0] + c->block, c->time[1] + c->block, out[ear], c->block, 1 / (float)(2 * c->block));
    }
    c->running = true;
}
