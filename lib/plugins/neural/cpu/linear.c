/* SPDX-License-Identifier: GPL-3.0-or-later
 * linear.c - matrices for the channels of each moment. Moments of all rows count as one sequence of columns,
 * of which a block is gathered, normalised if wanted, and multiplied by some rows of the matrix at a time, so
 * that their activation or sum happens while they are in the cache. Weights stay in the file that they are
 * mapped from. */
#include "plugins/neural/cpu/kernels.h"
#include "plugins/neural/cpu/native.h"
#include "plugins/neural/tensor/backend.h"
#include "plugins/neural/tensor/tensor.h"

#include <math.h>
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
    const nn_linear *layer;
    const float *weight; /* of the norm; NULL: none */
    nn_act act;
    bool add;
} job;

/* One run of a line of x: n columns from.. of all rows, where every row has time of them. */
static void gather(const nn_tensor *x, size_t channel, size_t from, size_t n, float *to)
{
    const size_t time = (size_t)x->time;
    while (n > 0) {
        const size_t row = from / time, at = from % time, count = time - at < n ? time - at : n;
        memcpy(to, nn_floats(x) + (row * (size_t)x->channels + channel) * time + at, count * sizeof *to);
        to += count;
        from += count;
        n -= count;
    }
}

static void scatter(const job *j, const float *z, size_t channel, size_t from, size_t n)
{
    const nn_kernels *k = nn_native_kernels(j->y->engine);
    const size_t time = (size_t)j->y->time;
    while (n > 0) {
        const size_t row = from / time, at = from % time, count = time - at < n ? time - at : n;
        float *to = nn_floats(j->y) + (row * (size_t)j->y->channels + channel) * time + at;
        if (j->add)
            k->add(to, z, count);
        else
            memcpy(to, z, count * sizeof *to);
        z += count;
        from += count;
        n -= count;
    }
}

/* Columns from..from + n, in a thread's scratch: pointers, input lines, results. */
static void run_block(const job *j, size_t from, size_t n)
{
    const nn_weights *w = &j->layer->weights;
    const nn_kernels *k = nn_native_kernels(j->x->engine);
    const size_t in = (size_t)w->in, out = (size_t)w->out, ld = nn_native_line(n);
    const float **b = (const float **)nn_native_scratch(j->x->engine);
    float *lines = (float *)(b + in), *z = lines + in * ld;
    for (size_t c = 0; c < in; c++) {
        b[c] = lines + c * ld;
        gather(j->x, c, from, n, lines + c * ld);
    }
    if (j->weight)
        k->rms_norm(lines, in, ld, n, sqrtf((float)in), j->weight);
    const size_t width = w->half ? 2 : 4;
    for (size_t row = 0; row < out; row += PART) {
        const nn_product p = {.columns = in,
                              .b = b,
                              .m = out - row < PART ? out - row : PART,
                              .n = n,
                              .k = in,
                              .bias = (const float *)j->layer->data + row,
                              .c = z,
                              .ldc = ld,
                              .plain = (const char *)w->data + row * in * width,
                              .half = w->half};
        k->multiply(&p);
        nn_native_activate_lines(k, j->act, z, p.m, n, ld);
        for (size_t i = 0; i < p.m; i++)
            scatter(j, z + i * ld, row + i, from, n);
    }
}

static bool run(const job *j)
{
    nn_engine *engine = j->x->engine;
    const size_t in = (size_t)j->layer->weights.in, all = (size_t)(j->x->rows * j->x->time);
    const size_t most = in > MANY_INPUTS ? FEW_COLUMNS : NN_COLUMNS;
    size_t columns = nn_native_columns(engine, 1, (int64_t)all);
    columns = columns > most ? most : columns;
    const size_t ld = nn_native_line(columns), blocks = (all + columns - 1) / columns;
    if (!nn_native_reserve(engine, 2 * in + (in + PART) * ld + NN_SLACK))
        return false;
    NN_PARALLEL(engine)
    for (size_t i = 0; i < blocks; i++)
        run_block(j, i * columns, all - i * columns < columns ? all - i * columns : columns);
    return true;
}

static nn_tensor *apply(nn_tensor *x, const float *weight, const nn_linear *layer, nn_act act)
{
    nn_tensor *y = nn_native_new(x->engine, x->rows, layer->weights.out, x->time);
    const job j = {.x = x, .y = y, .layer = layer, .weight = weight, .act = act};
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
    return apply(x, nn_native_norm_weight(norm), layer, act);
}

nn_tensor *nn_native_add_linear(nn_tensor *x, nn_tensor *y, const nn_linear *layer)
{
    nn_tensor *z = nn_native_own(x);
    const job j = {.x = y, .y = z, .layer = layer, .add = true};
    if (z && run(&j))
        return z;
    nn_drop(z);
    return NULL;
}
