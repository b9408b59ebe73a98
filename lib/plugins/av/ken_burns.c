/* SPDX-License-Identifier: GPL-3.0-or-later
 * ken_burns.c - slow moves into a picture, or out of it: samples a larger picture at places between its
 * pixels, so that nothing jumps. */
#include "base/error.h"
#include "dsp/hot.h"
#include "plugins/av/video.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TAPS 4
#define WEIGHT_BITS 12 /* the weights add up to 1 << WEIGHT_BITS */
#define EXTRA_BITS 6   /* that rows keep between the two passes */
/* Pixel k of four that were loaded together. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define PIXEL(four, k) (int)((four) >> (24 - 8 * (k)) & 255)
#else
#define PIXEL(four, k) (int)((four) >> (8 * (k)) & 255)
#endif

/* The middle of the close view, as a part of the room that there is for it. */
static const double ways[][2] = {{0.5, 0.5}, {1, 0.3}, {0, 0.7}, {0.5, 0}, {0.3, 1}, {1, 0.8}, {0, 0.2}};

/* The part that is seen, in pixels of the larger picture. */
typedef struct window {
    double x, y, width, height;
} window;

static window window_at(const AVFrame *large, size_t index, double t)
{
    const double *way = ways[index % (sizeof ways / sizeof *ways)];
    double close = index % 2 ? 1 - t : t; /* in, out, in... */
    double part = 1 / (1 + (AP_KEN_BURNS_ZOOM - 1) * close);
    double width = large->width * part, height = large->height * part;
    return (window){(large->width - width) * way[0], (large->height - height) * way[1], width, height};
}

/* Cubic convolution with a = -1/2 (R. Keys, IEEE Trans. ASSP 29, 1981). */
static double keys(double x)
{
    x = fabs(x);
    return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/* How a row or column of the picture is made of TAPS of the larger one. */
typedef struct sampling {
    int16_t weights[TAPS];
    int first;
} sampling;

/* n samples over [start, start + length), of which 0 to size - 1 are there. */
static sampling sample(double start, double length, unsigned n, unsigned i, unsigned size)
{
    double at = start + (i + 0.5) * length / n - 0.5;
    sampling s = {.first = (int)floor(at) - 1};
    int sum = 0;
    for (int k = 0; k < TAPS; k++)
        sum += s.weights[k] = (int16_t)lrint((1 << WEIGHT_BITS) * keys(at - s.first - k));
    s.weights[at - floor(at) < 0.5 ? 1 : 2] += (int16_t)((1 << WEIGHT_BITS) - sum);
    /* at the edges the last pixel goes on: its weights are moved inside */
    int last = (int)size - TAPS, shift = s.first < 0 ? s.first : s.first > last ? s.first - last : 0;
    sampling inside = {.first = s.first - shift};
    for (int k = 0; k < TAPS; k++) {
        int to = k + shift;
        inside.weights[to < 0 ? 0 : to >= TAPS ? TAPS - 1 : to] += s.weights[k];
    }
    return inside;
}

/* Of all rows or columns, in arrays that vectors can be loaded from. */
typedef struct samplings {
    int32_t *first;
    int16_t *weights[TAPS];
} samplings;

/* first: free() it; NULL when out of memory */
static samplings sample_all(double start, double length, unsigned n, unsigned size)
{
    samplings all = {.first = malloc(n * (sizeof *all.first + TAPS * sizeof *all.weights[0]))};
    for (unsigned k = 0; all.first && k < TAPS; k++)
        all.weights[k] = (int16_t *)(all.first + n) + k * n;
    for (unsigned i = 0; all.first && i < n; i++) {
        const sampling s = sample(start, length, n, i, size);
        all.first[i] = s.first;
        for (int k = 0; k < TAPS; k++)
            all.weights[k][i] = s.weights[k];
    }
    return all;
}

AP_HOT static void across(const uint8_t *from, const samplings *columns, unsigned n, int16_t *restrict to)
{
    const int16_t *a = columns->weights[0], *b = columns->weights[1], *c = columns->weights[2],
                  *d = columns->weights[3];
    for (unsigned i = 0; i < n; i++) {
        uint32_t p; /* four pixels in one load */
        memcpy(&p, from + columns->first[i], sizeof p);
        int sum = PIXEL(p, 0) * a[i] + PIXEL(p, 1) * b[i] + PIXEL(p, 2) * c[i] + PIXEL(p, 3) * d[i];
        to[i] = (int16_t)(sum >> (WEIGHT_BITS - EXTRA_BITS));
    }
}

AP_HOT static void down(int16_t *const rows[TAPS], const samplings *s, unsigned y, unsigned n,
                        uint8_t *restrict to)
{
    enum { SHIFT = WEIGHT_BITS + EXTRA_BITS };
    const int16_t *a = rows[0], *b = rows[1], *c = rows[2], *d = rows[3];
    const int16_t w[TAPS] = {s->weights[0][y], s->weights[1][y], s->weights[2][y], s->weights[3][y]};
    for (unsigned i = 0; i < n; i++) {
        int sum = (a[i] * w[0] + b[i] * w[1] + c[i] * w[2] + d[i] * w[3] + (1 << (SHIFT - 1))) >> SHIFT;
        to[i] = (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
    }
}

/* Row r of the larger picture, once it is sampled across, is in ring[r % TAPS] until r + TAPS takes its
 * place. */
static void resample(const AVFrame *large, AVFrame *picture, int plane, const samplings *columns,
                     const samplings *rows, int16_t *ring)
{
    unsigned width = ap_picture_columns(picture, plane), height = ap_picture_rows(picture, plane);
    int done = 0;
    for (unsigned y = 0; y < height; y++) {
        int16_t *taken[TAPS];
        for (int k = 0; k < TAPS; k++) {
            int r = rows->first[y] + k;
            taken[k] = ring + (size_t)(r % TAPS) * width;
            if (r < done)
                continue;
            across(large->data[plane] + (ptrdiff_t)r * large->linesize[plane], columns, width, taken[k]);
            done = r + 1;
        }
        down(taken, rows, y, width, picture->data[plane] + (ptrdiff_t)y * picture->linesize[plane]);
    }
}

bool ap_ken_burns(const AVFrame *large, AVFrame *picture, size_t index, double t, ap_error *err)
{
    window w = window_at(large, index, t);
    int16_t *ring = malloc(TAPS * (size_t)picture->width * sizeof *ring);
    bool ok = ring;
    for (int plane = 0; ok && plane < 3; plane++) {
        double part = plane ? 0.5 : 1;
        samplings columns = sample_all(part * w.x, part * w.width, ap_picture_columns(picture, plane),
                                       ap_picture_columns(large, plane));
        samplings rows = sample_all(part * w.y, part * w.height, ap_picture_rows(picture, plane),
                                    ap_picture_rows(large, plane));
        ok = columns.first && rows.first;
        if (ok)
            resample(large, picture, plane, &columns, &rows, ring);
        free(columns.first);
        free(rows.first);
    }
    free(ring);
    return ok || ap_fail_memory(err);
}
