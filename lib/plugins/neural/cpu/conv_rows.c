/* SPDX-License-Identifier: GPL-3.0-or-later
 * conv_rows.c - convolutions with three kernel rows, two output rows at a time: four products instead
 * of six (the minimal filtering algorithm F(2, 3) of Winograd 1980, as in Lavin and Gray 2016, along rows
 * only). With inputs d0..d3 and kernel rows g0..g2 the outputs are
 *
 *     y0 = (d0 - d2) g0 + m1 + m2    with m1 = (d1 + d2) (g0 + g1 + g2) / 2
 *     y1 = m1 - m2 - (d1 - d3) g2         m2 = (d2 - d1) (g0 - g1 + g2) / 2
 */
#include "plugins/neural/cpu/kernels.h"
#include "plugins/neural/cpu/native.h"
#include "plugins/neural/tensor/backend.h"
#include "plugins/neural/tensor/tensor.h"

#include <stdlib.h>
#include <string.h>

#define INPUTS 4 /* rows that a pair of output rows depends on */

bool nn_native_in_pairs(const nn_conv_shape *s)
{
    return !s->transposed && s->kernel_rows == 3 && s->stride_rows == 1 && s->stride == 1;
}

/* matrix[4][out][tap][in] */
bool nn_native_pack_pairs(nn_conv *layer, const float *weight, const float *bias)
{
    const nn_conv_shape *s = &layer->shape;
    const size_t in = (size_t)s->in, out = (size_t)s->out, taps = (size_t)s->kernel, size = out * taps * in;
    float *matrix = malloc(INPUTS * size * sizeof *matrix);
    if (!matrix)
        return nn_engine_fail(layer->engine, AP_TRY_AGAIN, "out of memory");
    for (size_t o = 0; o < out; o++)
        for (size_t i = 0; i < in; i++)
            for (size_t t = 0; t < taps; t++) {
                const float *g = weight + (o * in + i) * 3 * taps + t;
                const float even = g[0] + g[2 * taps], odd = g[taps];
                float *to = matrix + (o * taps + t) * in + i;
                to[0] = g[0];
                to[size] = (even + odd) / 2;
                to[2 * size] = (even - odd) / 2;
                to[3 * size] = -g[2 * taps];
            }
    bool ok = nn_native_pack(layer, INPUTS, out, taps * in, matrix, bias);
    free(matrix);
    return ok;
}

typedef struct job {
    const nn_tensor *x;
    const nn_conv *layer;
    const nn_tensor *y;
    nn_act act;
    nn_blocks blocks;
} job;

static size_t line_length(const nn_conv_shape *s, size_t n)
{
    return nn_native_line(n + (size_t)((s->kernel - 1) * s->dilation));
}

/* For pointers, lines[4][in][length] and the sums z[2][out][n]. */
static size_t space_of(const nn_conv *layer, size_t n)
{
    const nn_conv_shape *s = &layer->shape;
    const nn_conv_data *d = layer->data;
    return 2 * d->k + INPUTS * (size_t)s->in * line_length(s, n) + 2 * (size_t)s->out * n + 2 * NN_SLACK;
}

/* lines[4][in][length]: what the four products take of the input rows for outputs from.. of a pair. */
static void spread(const job *j, int64_t pair, size_t from, size_t length, float *lines)
{
    const nn_tensor *x = j->x;
    const nn_conv_shape *s = &j->layer->shape;
    const size_t size = (size_t)s->in * length;
    for (int64_t c = 0; c < x->channels; c++) {
        float *to = lines + (size_t)c * length;
        for (int64_t i = 0; i < INPUTS; i++) {
            const int64_t row = 2 * pair + i - s->pad_rows;
            if (row >= 0 && row < x->rows)
                nn_native_copy_line(nn_floats(x) + (row * x->channels + c) * x->time, x->time,
                                    (int64_t)from - s->pad, 1, to + (size_t)i * size, length);
            else
                memset(to + (size_t)i * size, 0, length * sizeof *to);
        }
        nn_native_kernels(x->engine)->spread(to, to + size, to + 2 * size, to + 3 * size, length);
    }
}

/* Product number i of n columns to, or added to, out[out][n]. b: room for pointers. */
static void multiply(const job *j, size_t i, const float *lines, size_t length, const float **b, bool add,
                     float *out, size_t n)
{
    const nn_conv_shape *s = &j->layer->shape;
    const nn_conv_data *d = j->layer->data;
    const nn_kernels *k = nn_native_kernels(j->x->engine);
    for (size_t t = 0; t < (size_t)s->kernel; t++)
        for (size_t c = 0; c < (size_t)s->in; c++)
            b[t * (size_t)s->in + c] = lines + (i * (size_t)s->in + c) * length + t * (size_t)s->dilation;
    const nn_product p = {.a = d->a + i * nn_packed_size(k, d->m, d->k),
                          .columns = d->k,
                          .b = b,
                          .m = d->m,
                          .n = n,
                          .k = d->k,
                          .bias = i == 1 ? d->bias : NULL,
                          .add = add,
                          .c = out,
                          .ldc = n};
    k->multiply(&p);
}

/* Row of y from z[out][n]. */
static void put(const job *j, int64_t row, size_t from, const float *z, size_t n)
{
    const nn_kernels *k = nn_native_kernels(j->x->engine);
    const size_t channels = (size_t)j->y->channels, ld = (size_t)j->y->time;
    float *out = nn_floats(j->y) + (size_t)row * channels * ld + from;
    if (j->act == NN_GLU) {
        nn_native_halve(k, z, channels, n, out, ld);
        return;
    }
    for (size_t c = 0; c < channels; c++)
        memcpy(out + c * ld, z + c * n, n * sizeof *out);
    nn_native_activate_lines(k, j->act, out, channels, n, ld);
}

/* Some columns of a pair of rows. */
static void block(const void *argument, size_t i)
{
    const job *j = argument;
    const nn_conv_shape *s = &j->layer->shape;
    const nn_conv_data *d = j->layer->data;
    const nn_block at = nn_block_at(j->blocks, i);
    const int64_t pair = (int64_t)at.row;
    const size_t from = at.from, n = at.n;
    const size_t length = line_length(s, n), size = (size_t)s->out * n;
    float *space = nn_native_scratch(j->x->engine);
    const float **b = (const float **)space;
    float *lines = space + 2 * d->k, *z = lines + INPUTS * (size_t)s->in * length + NN_SLACK;
    spread(j, pair, from, length, lines);
    multiply(j, 1, lines, length, b, false, z, n);
    multiply(j, 2, lines, length, b, false, z + size, n);
    nn_native_kernels(j->x->engine)->butterfly(z, z + size, size);
    multiply(j, 0, lines, length, b, true, z, n);
    put(j, 2 * pair, from, z, n);
    if (2 * pair + 1 < j->y->rows) {
        multiply(j, 3, lines, length, b, true, z + size, n);
        put(j, 2 * pair + 1, from, z + size, n);
    }
}

nn_tensor *nn_native_convolve_pairs(nn_tensor *x, const nn_conv *layer, nn_act act)
{
    const nn_conv_shape *s = &layer->shape;
    const int64_t rows = nn_conv_length(x->rows, 3, 1, s->pad_rows, 1), pairs = (rows + 1) / 2;
    const int64_t time = nn_conv_length(x->time, s->kernel, 1, s->pad, s->dilation);
    const nn_blocks blocks = nn_native_blocks(x->engine, pairs, time);
    nn_tensor *y = NULL;
    if (!nn_native_reserve(x->engine, space_of(layer, blocks.columns)) ||
        !(y = nn_native_new(x->engine, rows, act == NN_GLU ? s->out / 2 : s->out, time)))
        return NULL;
    const job j = {x, layer, y, act, blocks};
    nn_native_each(x->engine, nn_blocks_of(blocks, (size_t)pairs), block, &j);
    return y;
}
