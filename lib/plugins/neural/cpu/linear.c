/* SPDX-License-Identifier: GPL-3.0-or-later
 * linear.c - matrices for the channels of each moment. Moments of all rows count as one sequence of columns.
 * A block of them is gathered, normalised if wanted, and multiplied by some rows of the matrix at a time, so
 * that their activation or sum happens while they are in the cache. Weights stay in the file that they are
 * mapped from. */
#include "plugins/neural/cpu/kernels.h"
#include "plugins/neural/cpu/native.h"
#include "plugins/neural/tensor/backend.h"
#include "plugins/neural/tensor/tensor.h"

#include <stdlib.h>
#include <string.h>

/* Rows of the matrix at a time: their result fits the second cache beside a block's input. */
#define PART 128
/* With more inputs than this, a block has fewer columns. */
#define MANY_INPUTS 1024
#define FEW_COLUMNS 192

bool nn_native_new_linear(nn_linear *layer, const float *bias)
{
    const size_t out = (size_t)layer->weights.out, mr = nn_native_kernels(layer->engine)->mr;
    float *copy = calloc(out + mr, sizeof *copy);
    if (!copy)
        return nn_engine_fail(layer->engine, AP_TRY_AGAIN, "out of memory");
    if (bias)
        memcpy(copy, bias, out * sizeof *copy);
    layer->data = copy;
    return true;
}

void nn_native_free_linear(nn_linear *layer)
{
    free(layer->data);
    layer->data = NULL;
}

typedef struct job {
    const nn_tensor *x, *y;
    nn_crop_to part; /* of x */
    const nn_linear *layer;
    const nn_norm *norm; /* NULL: none */
    nn_act act;
    bool add;
    int64_t row, time;       /* of y, where the first one of x goes */
    size_t columns;          /* of a block */
    const nn_linear *second; /* the layer after it; NULL: none */
} job;

static size_t all_of(const job *j)
{
    return (size_t)(j->part.rows * j->part.time);
}

static nn_crop_to whole(const nn_tensor *x)
{
    return (nn_crop_to){.rows = x->rows, .time = x->time};
}

static size_t blocks_of(const job *j)
{
    return (all_of(j) + j->columns - 1) / j->columns;
}

/* One run of a line of a part of x: n columns from.. of all rows, where every row has time of them. */
static void gather(const nn_tensor *x, const nn_crop_to *part, size_t channel, size_t from, size_t n,
                   float *to)
{
    const size_t time = (size_t)part->time, ld = (size_t)x->time;
    while (n > 0) {
        const size_t row = (size_t)part->from_row + from / time, at = from % time;
        const size_t count = time - at < n ? time - at : n;
        memcpy(to, nn_floats(x) + (row * (size_t)x->channels + channel) * ld + (size_t)part->from + at,
               count * sizeof *to);
        to += count;
        from += count;
        n -= count;
    }
}

static void scatter(const job *j, const float *z, size_t channel, size_t from, size_t n)
{
    const nn_kernels *k = nn_native_kernels(j->y->engine);
    const size_t time = (size_t)j->part.time, ld = (size_t)j->y->time;
    while (n > 0) {
        const size_t row = from / time, at = from % time, count = time - at < n ? time - at : n;
        float *to = nn_floats(j->y) + ((row + (size_t)j->row) * (size_t)j->y->channels + channel) * ld +
                    (size_t)j->time + at;
        if (j->add)
            k->add(to, z, count);
        else
            memcpy(to, z, count * sizeof *to);
        z += count;
        from += count;
        n -= count;
    }
}

/* Columns from..from + n of all channels to lines, normalised if wanted, and pointers to them to b. */
static void gather_all(const job *j, size_t from, size_t n, size_t ld, const float **b, float *lines)
{
    const size_t in = (size_t)j->x->channels;
    for (size_t c = 0; c < in; c++) {
        b[c] = lines + c * ld;
        gather(j->x, &j->part, c, from, n, lines + c * ld);
    }
    if (j->norm)
        nn_native_norm_columns(j->norm, lines, ld, n);
}

static size_t width_of(const nn_weights *w)
{
    return w->half ? 2 : 4;
}

/* PART rows of the layer from row on, or those that are left, times n columns, into z. */
static nn_product rows_of(const nn_linear *layer, const float **b, size_t row, size_t n, float *z, size_t ld)
{
    const nn_weights *w = &layer->weights;
    const size_t in = (size_t)w->in, left = (size_t)w->out - row;
    return (nn_product){.columns = in,
                        .b = b,
                        .m = left < PART ? left : PART,
                        .n = n,
                        .k = in,
                        .bias = (const float *)layer->data + row,
                        .c = z,
                        .ldc = ld,
                        .plain = (const char *)w->data + row * in * width_of(w),
                        .half = w->half};
}

static size_t columns_from(const job *j, size_t from)
{
    return all_of(j) - from < j->columns ? all_of(j) - from : j->columns;
}

/* Block number i, in a thread's scratch: pointers, input lines, results. */
static void run_block(const void *argument, size_t i)
{
    const job *j = argument;
    const nn_weights *w = &j->layer->weights;
    const nn_kernels *k = nn_native_kernels(j->x->engine);
    const size_t from = i * j->columns, n = columns_from(j, from);
    const size_t in = (size_t)w->in, out = (size_t)w->out, ld = nn_native_line(n);
    const float **b = (const float **)nn_native_scratch(j->x->engine);
    float *lines = (float *)(b + in), *z = lines + in * ld;
    gather_all(j, from, n, ld, b, lines);
    for (size_t row = 0; row < out; row += PART) {
        const nn_product p = rows_of(j->layer, b, row, n, z, ld);
        k->multiply(&p);
        nn_native_activate_lines(k, j->act, z, p.m, n, ld);
        for (size_t r = 0; r < p.m; r++)
            scatter(j, z + r * ld, row + r, from, n);
    }
}

static void set_columns(job *j, size_t most)
{
    const size_t columns = nn_native_columns(j->x->engine, 1, (int64_t)all_of(j));
    j->columns = columns > most ? most : columns;
}

static bool run(job *j)
{
    const size_t in = (size_t)j->layer->weights.in;
    set_columns(j, in > MANY_INPUTS ? FEW_COLUMNS : NN_COLUMNS);
    if (!nn_native_reserve(j->x->engine, 2 * in + (in + PART) * nn_native_line(j->columns) + NN_SLACK))
        return false;
    nn_native_each(j->x->engine, blocks_of(j), run_block, j);
    return true;
}

static nn_tensor *apply(nn_tensor *x, const nn_norm *norm, const nn_linear *layer, nn_act act)
{
    nn_tensor *y = nn_native_new(x->engine, x->rows, layer->weights.out, x->time);
    job j = {.x = x, .y = y, .part = whole(x), .layer = layer, .norm = norm, .act = act};
    if (y && run(&j))
        return y;
    nn_drop(y);
    return NULL;
}

nn_tensor *nn_native_apply_linear(nn_tensor *x, const nn_linear *layer, nn_act act)
{
    return apply(x, NULL, layer, act);
}

nn_tensor *nn_native_apply_normalized(nn_tensor *x, const nn_norm *norm, const nn_linear *layer, nn_act act)
{
    return apply(x, norm, layer, act);
}

bool nn_native_add_linear_at(const nn_tensor *x, int64_t row, int64_t time, const nn_tensor *y,
                             const nn_linear *layer)
{
    job j = {.x = y, .y = x, .part = whole(y), .layer = layer, .add = true, .row = row, .time = time};
    return run(&j);
}

nn_tensor *nn_native_add_linear(nn_tensor *x, nn_tensor *y, const nn_linear *layer)
{
    nn_tensor *z = nn_native_own(x);
    if (z && nn_native_add_linear_at(z, 0, 0, y, layer))
        return z;
    nn_drop(z);
    return NULL;
}

/* ---- several layers of the same input */

typedef struct projection {
    job job;
    const nn_linear *const *layers;
    size_t count;
    nn_put *put;
    const void *user;
} projection;

static void project(const void *argument, size_t i)
{
    const projection *p = argument;
    const job *j = &p->job;
    const nn_kernels *k = nn_native_kernels(j->x->engine);
    const size_t from = i * j->columns, n = columns_from(j, from);
    const size_t in = (size_t)j->x->channels, ld = nn_native_line(n);
    const float **b = (const float **)nn_native_scratch(j->x->engine);
    float *lines = (float *)(b + in), *z = lines + in * ld;
    gather_all(j, from, n, ld, b, lines);
    for (size_t l = 0; l < p->count; l++)
        for (size_t row = 0; row < (size_t)p->layers[l]->weights.out; row += PART) {
            const nn_product product = rows_of(p->layers[l], b, row, n, z, ld);
            k->multiply(&product);
            p->put(p->user, l, row, product.m, z, ld, from, n);
        }
}

bool nn_native_project(const nn_tensor *x, nn_crop_to part, const nn_norm *norm,
                       const nn_linear *const *layers, size_t count, nn_put *put, const void *user)
{
    const size_t in = (size_t)x->channels;
    projection p = {.job = {.x = x, .part = part, .norm = norm},
                    .layers = layers,
                    .count = count,
                    .put = put,
                    .user = user};
    set_columns(&p.job, in > MANY_INPUTS ? FEW_COLUMNS : NN_COLUMNS);
    if (!nn_native_reserve(x->engine, 2 * in + (in + PART) * nn_native_line(p.job.columns) + NN_SLACK))
        return false;
    nn_native_each(x->engine, blocks_of(&p.job), project, &p);
    return true;
}

/* ---- two layers, of which the second takes what the first gives while it is in the cache */

/* What the second layer makes of n columns of rows row.. of the first one's, z, is put or added to sum. */
static void add_second(const nn_linear *layer, size_t row, size_t rows, const float *z, size_t n, size_t ld,
                       const float **b, float *sum)
{
    const nn_weights *w = &layer->weights;
    for (size_t i = 0; i < rows; i++)
        b[i] = z + i * ld;
    const nn_product p = {.columns = (size_t)w->in,
                          .b = b,
                          .m = (size_t)w->out,
                          .n = n,
                          .k = rows,
                          .bias = row ? NULL : layer->data,
                          .add = row > 0,
                          .c = sum,
                          .ldc = ld,
                          .plain = (const char *)w->data + row * width_of(w),
                          .half = w->half};
    nn_native_kernels(layer->engine)->multiply(&p);
}

/* As run_block. In the scratch, too: pointers to results of the first layer, sums of the second. */
static void run_both(const void *argument, size_t i)
{
    const job *j = argument;
    const size_t from = i * j->columns, n = columns_from(j, from);
    const nn_weights *w = &j->layer->weights;
    const nn_kernels *k = nn_native_kernels(j->x->engine);
    const size_t in = (size_t)w->in, out = (size_t)w->out, ld = nn_native_line(n);
    const float **b = (const float **)nn_native_scratch(j->x->engine);
    float *lines = (float *)(b + in + PART), *z = lines + in * ld, *sum = z + PART * ld;
    gather_all(j, from, n, ld, b, lines);
    for (size_t row = 0; row < out; row += PART) {
        const nn_product p = rows_of(j->layer, b, row, n, z, ld);
        k->multiply(&p);
        nn_native_activate_lines(k, j->act, z, p.m, n, ld);
        add_second(j->second, row, p.m, z, n, ld, b + in, sum);
    }
    for (size_t c = 0; c < (size_t)j->second->weights.out; c++)
        scatter(j, sum + c * ld, c, from, n);
}

nn_tensor *nn_native_feed_forward(nn_tensor *x, const nn_norm *norm, const nn_linear *in, nn_act act,
                                  const nn_linear *out)
{
    const size_t channels = (size_t)x->channels;
    nn_tensor *y = nn_native_own(x);
    job j = {
        .x = x, .y = y, .part = whole(x), .layer = in, .norm = norm, .act = act, .add = true, .second = out};
    set_columns(&j, FEW_COLUMNS);
    const size_t ld = nn_native_line(j.columns);
    if (!y || !nn_native_reserve(x->engine, 2 * (channels + PART) + (2 * channels + PART) * ld + NN_SLACK)) {
        nn_drop(y);
        return NULL;
    }
    nn_native_each(x->engine, blocks_of(&j), run_both, &j);
    return y;
}
