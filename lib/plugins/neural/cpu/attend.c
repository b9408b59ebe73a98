/* SPDX-License-Identifier: GPL-3.0-or-later
 * attend.c - the attention of a transformer's layer, from the norm before it to the sum after it: a slice of
 * the tensor at a time, because queries, keys and values of all of it would take more memory than the
 * weights. Sequences across the rows are not brought together: those of neighbouring moments lie side by
 * side in vectors. */
#include "plugins/neural/cpu/kernels.h"
#include "plugins/neural/cpu/native.h"
#include "plugins/neural/tensor/tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Moments of all rows of a slice. */
#define SLICE 8192

/* ---- across the rows */

typedef struct across {
    const nn_tensor *qkv, *gates, *out;
    const float *angles; /* as of nn_native_angles, for rows */
    size_t heads, d;
} across;

static float *at(const nn_tensor *x, size_t row, size_t channel, size_t moment)
{
    return nn_floats(x) + (row * (size_t)x->channels + channel) * (size_t)x->time + moment;
}

/* Turns a neighbouring pair of the lines of queries and keys by the angle of its row. */
static void turn_pair(const void *job, size_t i)
{
    const across *a = job;
    const nn_tensor *x = a->qkv;
    const size_t rows = (size_t)x->rows, pairs = a->d / 2, all = 2 * a->heads * pairs;
    const size_t row = i / all, pair = i % all;
    const float *cosine = a->angles + pair % pairs * rows + row, *sine = cosine + pairs * rows;
    float *even = at(x, row, 2 * pair, 0);
    nn_native_kernels(x->engine)->turn(even, even + x->time, *cosine, *sine, (size_t)x->time);
}

/* What the queries of some rows of a head see at a vector of moments. In a thread's scratch: scores of all
 * keys, their maxima, sums and corrections, results. */
static void see(const across *a, const nn_across *lines, size_t head, size_t query, size_t moment)
{
    const nn_kernels *k = nn_native_kernels(a->qkv->engine);
    const size_t width = k->width, n = NN_ACROSS * width, time = (size_t)a->qkv->time;
    const size_t count = time - moment < width ? time - moment : width;
    float *scores = nn_native_scratch(a->qkv->engine), *max = scores + lines->count * n, *sum = max + n;
    float *out = sum + 2 * n;
    for (size_t i = 0; i < n; i++) {
        max[i] = -1e30f;
        sum[i] = 0;
    }
    k->across_scores(lines, query, scores);
    k->soften(scores, lines->count, n, 1 / sqrtf((float)a->d), max, sum, sum + n);
    for (size_t i = 0; i < n; i++)
        sum[i] = 1 / sum[i];
    for (size_t i = 0; i < NN_ACROSS && query + i < lines->count; i++)
        k->gate(sum + i * width, at(a->gates, query + i, head, moment), count);
    k->across_values(lines, scores, sum, out);
    for (size_t i = 0; i < NN_ACROSS && query + i < lines->count; i++)
        for (size_t c = 0; c < a->d; c++)
            memcpy(at(a->out, query + i, head * a->d + c, moment), out + (i * a->d + c) * width,
                   count * sizeof *out);
}

/* Vectors of moments. */
static size_t blocks_of(const nn_tensor *x)
{
    const size_t width = nn_native_kernels(x->engine)->width;
    return ((size_t)x->time + width - 1) / width;
}

/* A head at a vector of moments. */
static void see_all(const void *job, size_t i)
{
    const across *a = job;
    const nn_tensor *x = a->qkv;
    const size_t rows = (size_t)x->rows, time = (size_t)x->time, inner = a->heads * a->d;
    const size_t blocks = blocks_of(x), head = i / blocks;
    const size_t moment = i % blocks * nn_native_kernels(x->engine)->width;
    const nn_across lines = {.q = at(x, 0, head * a->d, moment),
                             .k = at(x, 0, inner + head * a->d, moment),
                             .v = at(x, 0, 2 * inner + head * a->d, moment),
                             .count = rows,
                             .d = a->d,
                             .row = (size_t)x->channels * time,
                             .channel = time};
    for (size_t query = 0; query < rows; query += NN_ACROSS)
        see(a, &lines, head, query, moment);
}

static bool attend_across(const across *a)
{
    const nn_tensor *x = a->qkv;
    const size_t n = NN_ACROSS * nn_native_kernels(x->engine)->width;
    if (!nn_native_reserve(x->engine, ((size_t)x->rows + 3 + a->d) * n + NN_SLACK))
        return false;
    nn_native_each(x->engine, (size_t)x->rows * a->heads * a->d, turn_pair, a);
    nn_native_each(x->engine, a->heads * blocks_of(x), see_all, a);
    return true;
}

/* As nn_row_attention, but sequences go across the rows; x is written over. */
static nn_tensor *column_attention(nn_tensor *x, nn_tensor *gates, int heads, const nn_places *places)
{
    across a = {.qkv = x, .gates = gates, .heads = (size_t)heads};
    if (!x || !gates)
        return NULL;
    const size_t inner = (size_t)x->channels / 3, rows = (size_t)x->rows;
    a.d = inner / a.heads;
    float *angles = malloc(a.d * rows * sizeof *angles);
    nn_tensor *out = nn_native_new(x->engine, x->rows, (int64_t)inner, x->time);
    a.out = out;
    bool ok = angles && out;
    if (!angles)
        nn_engine_fail(x->engine, AP_TRY_AGAIN, "out of memory");
    if (ok) {
        nn_native_angles(places, NULL, a.d / 2, rows, angles);
        a.angles = angles;
        ok = attend_across(&a);
    }
    free(angles);
    if (ok)
        return out;
    nn_drop(out);
    return NULL;
}

/* ---- slices */

/* Adds what the layer makes of a part of x to that part of y. */
static bool attend_slice(nn_tensor *x, const nn_tensor *y, nn_crop_to part, const nn_attention_layer *a)
{
    nn_tensor *slice = nn_native_crop(x, part), *qkv = NULL, *gates = NULL, *seen = NULL;
    if (slice) {
        qkv = nn_native_apply_normalized(slice, a->norm, a->qkv, NN_LINEAR);
        gates = nn_native_apply_normalized(slice, a->norm, a->gates, NN_LINEAR);
    }
    nn_drop(slice);
    if (qkv && gates)
        seen = a->across ? column_attention(qkv, gates, a->heads, &a->places)
                         : nn_native_row_attention(qkv, gates, a->heads, &a->places);
    nn_drop(qkv);
    nn_drop(gates);
    const bool ok = seen && nn_native_add_linear_at(y, part.from_row, part.from, seen, a->out);
    nn_drop(seen);
    return ok;
}

/* Lines of a slice in the direction that sequences do not go. Whole vectors of moments. */
static int64_t slice_of(int64_t length)
{
    const int64_t lines = SLICE / (length > 0 ? length : 1);
    return lines < 16 ? 16 : lines / 16 * 16;
}

nn_tensor *nn_native_attend(nn_tensor *x, const nn_attention_layer *a)
{
    nn_tensor *y = nn_native_own(x);
    const int64_t all = a->across ? x->time : x->rows;
    const int64_t step = a->across ? slice_of(x->rows) : (SLICE + x->time - 1) / x->time;
    bool ok = y != NULL;
    for (int64_t from = 0; ok && from < all; from += step) {
        const int64_t count = all - from < step ? all - from : step;
        const nn_crop_to columns = {.rows = x->rows, .from = from, .time = count};
        const nn_crop_to rows = {.from_row = from, .rows = count, .time = x->time};
        ok = attend_slice(x, y, a->across ? columns : rows, a);
    }
    if (ok)
        return y;
    nn_drop(y);
    return NULL;
}
