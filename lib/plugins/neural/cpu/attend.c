/* SPDX-License-Identifier: GPL-3.0-or-later
 * attend.c - the attention of a transformer's layer, from the norm before it to the sum after it: a slice of
 * the tensor at a time, because queries, keys and values of all of it would take more memory than the
 * weights. They are turned by the angles of their places while they are in the cache. Sequences across the
 * rows are not brought together: those of neighbouring moments lie side by side in vectors. */
#include "plugins/neural/cpu/kernels.h"
#include "plugins/neural/cpu/native.h"
#include "plugins/neural/tensor/tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Moments of all rows of a slice. */
#define SLICE 8192

typedef struct slice {
    const nn_attention_layer *layer;
    nn_crop_to part;     /* of the tensor */
    const float *angles; /* as of nn_native_angles, for places; NULL: nothing is turned */
    size_t heads, d, inner;
    nn_tensor *qkv, *gates, *seen; /* along time: [row][..][time] */
    float *sets;                   /* across, see below */
    size_t width, blocks;          /* of a vector; vectors of moments */
} slice;

static float *at(const nn_tensor *x, size_t row, size_t channel, size_t moment)
{
    return nn_floats(x) + (row * (size_t)x->channels + channel) * (size_t)x->time + moment;
}

/* A run of the columns of all rows that is in one row: columns from.., at most n of them. */
typedef struct run {
    size_t row, at, count;
} run;

static run run_of(const slice *s, size_t from, size_t n)
{
    const size_t time = (size_t)s->part.time, left = time - from % time;
    return (run){from / time, from % time, left < n ? left : n};
}

/* ---- along time */

/* Queries, keys and values, turned, and gates, to lines of tensors. */
static void put_lines(const void *user, size_t layer, size_t row, size_t count, float *z, size_t ld,
                      size_t from, size_t n)
{
    const slice *s = user;
    const nn_kernels *k = nn_native_kernels(s->qkv->engine);
    const size_t time = (size_t)s->part.time, pairs = s->d / 2;
    const nn_tensor *to = layer ? s->gates : s->qkv;
    for (run r; n > 0; z += r.count, from += r.count, n -= r.count) {
        r = run_of(s, from, n);
        for (size_t i = 0; i < count; i++) {
            const size_t channel = row + i;
            if (s->angles && layer == 0 && channel < 2 * s->inner && channel % 2 == 0) {
                const float *cosines = s->angles + channel / 2 % pairs * time + r.at;
                k->rotate(z + i * ld, z + (i + 1) * ld, cosines, cosines + pairs * time, r.count);
            }
            memcpy(at(to, r.row, channel, r.at), z + i * ld, r.count * sizeof *z);
        }
    }
}

/* ---- across the rows: a set of a head and a vector of moments has queries, keys and values[row][d][width],
 * then gates[row][width] */

static size_t set_size(const slice *s)
{
    return (3 * s->d + 1) * (size_t)s->part.rows * s->width;
}

/* Puts n moments of a line, from.. of a row, where they belong: offset is that of the row in its set. */
static void put_moments(const slice *s, size_t head, size_t offset, const float *line, size_t from, size_t n)
{
    for (size_t count; n > 0; line += count, from += count, n -= count) {
        const size_t lane = from % s->width;
        count = s->width - lane < n ? s->width - lane : n;
        memcpy(s->sets + (head * s->blocks + from / s->width) * set_size(s) + offset + lane, line,
               count * sizeof *line);
    }
}

/* The same as put_lines, but to sets. */
static void put_sets(const void *user, size_t layer, size_t row, size_t count, float *z, size_t ld,
                     size_t from, size_t n)
{
    const slice *s = user;
    const nn_kernels *k = nn_native_kernels(s->seen->engine);
    const size_t rows = (size_t)s->part.rows, pairs = s->d / 2;
    for (run r; n > 0; z += r.count, from += r.count, n -= r.count) {
        r = run_of(s, from, n);
        for (size_t i = 0; i < count; i++) {
            const size_t channel = row + i, part = channel / s->inner, c = channel % s->d;
            if (layer == 0 && part < 2 && channel % 2 == 0) {
                const float *cosine = s->angles + c / 2 * rows + r.row;
                k->turn(z + i * ld, z + (i + 1) * ld, *cosine, cosine[pairs * rows], r.count);
            }
            const size_t place = layer ? 3 * rows * s->d + r.row : (part * rows + r.row) * s->d + c;
            put_moments(s, layer ? channel : channel % s->inner / s->d, place * s->width, z + i * ld, r.at,
                        r.count);
        }
    }
}

/* What the queries of some rows of a head see at a vector of moments. In a thread's scratch: scores of all
 * keys, their maxima, sums and corrections, results. */
static void see(const slice *s, const nn_across *lines, const float *gates, size_t head, size_t query,
                size_t moment)
{
    const nn_kernels *k = nn_native_kernels(s->seen->engine);
    const size_t width = s->width, n = NN_ACROSS * width, time = (size_t)s->part.time;
    const size_t count = time - moment < width ? time - moment : width;
    float *scores = nn_native_scratch(s->seen->engine), *max = scores + lines->count * n, *sum = max + n;
    float *out = sum + 2 * n;
    for (size_t i = 0; i < n; i++) {
        max[i] = -1e30f;
        sum[i] = 0;
    }
    k->across_scores(lines, query, scores);
    k->soften(scores, lines->count, n, 1 / sqrtf((float)s->d), max, sum, sum + n);
    for (size_t i = 0; i < n; i++)
        sum[i] = 1 / sum[i];
    for (size_t i = 0; i < NN_ACROSS && query + i < lines->count; i++)
        k->gate(sum + i * width, gates + (query + i) * width, width);
    k->across_values(lines, scores, sum, out);
    for (size_t i = 0; i < NN_ACROSS && query + i < lines->count; i++)
        for (size_t c = 0; c < s->d; c++)
            memcpy(at(s->seen, query + i, head * s->d + c, moment), out + (i * s->d + c) * width,
                   count * sizeof *out);
}

/* A set. */
static void see_all(const void *job, size_t i)
{
    const slice *s = job;
    const size_t rows = (size_t)s->part.rows, part = rows * s->d * s->width;
    const float *set = s->sets + i * set_size(s);
    const nn_across lines = {.q = set,
                             .k = set + part,
                             .v = set + 2 * part,
                             .count = rows,
                             .d = s->d,
                             .row = s->d * s->width,
                             .channel = s->width};
    for (size_t query = 0; query < rows; query += NN_ACROSS)
        see(s, &lines, set + 3 * part, i / s->blocks, query, i % s->blocks * s->width);
}

/* ---- slices */

static bool attend_across(slice *s, const nn_tensor *x)
{
    nn_engine *engine = x->engine;
    const nn_linear *layers[] = {s->layer->qkv, s->layer->gates};
    const size_t rows = (size_t)s->part.rows, time = (size_t)s->part.time;
    s->width = nn_native_kernels(engine)->width;
    s->blocks = (time + s->width - 1) / s->width;
    s->seen = nn_native_new(engine, s->part.rows, (int64_t)s->inner, s->part.time);
    s->sets = nn_native_buffer(engine, s->heads * s->blocks * set_size(s) + NN_SLACK);
    if (!s->seen || !s->sets)
        return false;
    /* Lanes past the end are computed, too. */
    for (size_t h = 0; time % s->width && h < s->heads; h++)
        memset(s->sets + ((h + 1) * s->blocks - 1) * set_size(s), 0, set_size(s) * sizeof *s->sets);
    if (!nn_native_project(x, s->part, s->layer->norm, layers, 2, put_sets, s) ||
        !nn_native_reserve(engine, (rows + 3 + s->d) * NN_ACROSS * s->width + NN_SLACK))
        return false;
    nn_native_each(engine, s->heads * s->blocks, see_all, s);
    return true;
}

static bool attend_along(slice *s, const nn_tensor *x)
{
    const nn_linear *layers[] = {s->layer->qkv, s->layer->gates};
    s->qkv = nn_native_new(x->engine, s->part.rows, 3 * (int64_t)s->inner, s->part.time);
    s->gates = nn_native_new(x->engine, s->part.rows, (int64_t)s->heads, s->part.time);
    if (s->qkv && s->gates && nn_native_project(x, s->part, s->layer->norm, layers, 2, put_lines, s))
        s->seen = s->angles ? nn_native_turned_attention(s->qkv, s->gates, s->layer->heads)
                            : nn_native_row_attention(s->qkv, s->gates, s->layer->heads, &s->layer->places);
    nn_drop(s->qkv);
    nn_drop(s->gates);
    return s->seen != NULL;
}

/* Adds what the layer makes of a part of x to that part of y. */
static bool attend_slice(const nn_tensor *x, const nn_tensor *y, nn_crop_to part, slice s)
{
    s.part = part;
    const bool ok = (s.layer->across ? attend_across(&s, x) : attend_along(&s, x)) &&
                    nn_native_add_linear_at(y, part.from_row, part.from, s.seen, s.layer->out);
    nn_drop(s.seen);
    return ok;
}

/* Lines of a slice in the direction that sequences do not go. Whole vectors of moments. */
static int64_t slice_of(int64_t length)
{
    const int64_t lines = SLICE / (length > 0 ? length : 1);
    return lines < 16 ? 16 : lines / 16 * 16;
}

static bool attend_all(const nn_tensor *x, const nn_tensor *y, const slice *s)
{
    const bool across = s->layer->across;
    const int64_t all = across ? x->time : x->rows;
    const int64_t step = across ? slice_of(x->rows) : (SLICE + x->time - 1) / x->time;
    bool ok = true;
    for (int64_t from = 0; ok && from < all; from += step) {
        const int64_t count = all - from < step ? all - from : step;
        const nn_crop_to columns = {.rows = x->rows, .from = from, .time = count};
        const nn_crop_to rows = {.from_row = from, .rows = count, .time = x->time};
        ok = attend_slice(x, y, across ? columns : rows, *s);
    }
    return ok;
}

nn_tensor *nn_native_attend(nn_tensor *x, const nn_attention_layer *a)
{
    const size_t heads = (size_t)a->heads, inner = (size_t)a->qkv->weights.out / 3, d = inner / heads;
    const size_t places = (size_t)(a->across ? x->rows : x->time);
    nn_tensor *y = nn_native_own(x);
    float *angles = malloc(d * places * sizeof *angles);
    if (!angles)
        nn_engine_fail(x->engine, AP_TRY_AGAIN, "out of memory");
    if (angles && !a->places.polar_bias)
        nn_native_angles(&a->places, NULL, d / 2, places, angles);
    const slice s = {
        .layer = a, .angles = a->places.polar_bias ? NULL : angles, .heads = heads, .d = d, .inner = inner};
    const bool ok = y && angles && attend_all(x, y, &s);
    free(angles);
    if (ok)
        return y;
    nn_drop(y);
    return NULL;
}
