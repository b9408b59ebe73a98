/* SPDX-License-Identifier: GPL-3.0-or-later
 * conv.c - convolutions as matrix products. The columns of a block are moments; the rows of its
 * right-hand matrix are shifted lines of the input, which need no copy where the layer does not look around
 * in time, and otherwise a copy of the lines with zeros at their ends. */
#include "plugins/neural/cpu/kernels.h"
#include "plugins/neural/cpu/native.h"
#include "plugins/neural/tensor/backend.h"
#include "plugins/neural/tensor/tensor.h"

#include <stdlib.h>
#include <string.h>

/* Reading more lines than this with a long stride between them would miss the TLB all the time. */
#define DIRECT_LINES 64
#define DIRECT_TIME 1024

bool nn_native_pack(nn_conv *layer, size_t count, size_t m, size_t k, const float *matrix, const float *bias)
{
    const nn_kernels *kernels = nn_native_kernels(layer->engine);
    nn_conv_data *d = calloc(1, sizeof *d);
    const size_t outputs = (size_t)layer->shape.out;
    if (!d)
        return nn_engine_fail(layer->engine, AP_TRY_AGAIN, "out of memory");
    layer->data = d;
    d->m = m;
    d->k = k;
    const size_t size = nn_packed_size(kernels, m, k);
    d->a = malloc(count * size * sizeof *d->a);
    d->bias = calloc(m + kernels->mr, sizeof *d->bias);
    if (d->a && d->bias) {
        for (size_t i = 0; i < count; i++)
            nn_pack(kernels, matrix + i * m * k, m, k, k, 1, d->a + i * size);
        for (size_t i = 0; i < m; i++)
            d->bias[i] = bias[i % outputs];
        return true;
    }
    nn_native_free_conv(layer);
    return nn_engine_fail(layer->engine, AP_TRY_AGAIN, "out of memory");
}

/* The columns of the matrix: tap by tap, and for each all inputs. */
static bool pack_plain(nn_conv *layer, const float *weight, const float *bias)
{
    const nn_conv_shape *s = &layer->shape;
    const size_t in = (size_t)s->in, out = (size_t)s->out, taps = (size_t)(s->kernel_rows * s->kernel);
    float *matrix = malloc(out * in * taps * sizeof *matrix);
    if (!matrix)
        return nn_engine_fail(layer->engine, AP_TRY_AGAIN, "out of memory");
    for (size_t o = 0; o < out; o++)
        for (size_t i = 0; i < in; i++)
            for (size_t t = 0; t < taps; t++)
                matrix[(o * taps + t) * in + i] = weight[(o * in + i) * taps + t];
    bool ok = nn_native_pack(layer, 1, out, in * taps, matrix, bias);
    free(matrix);
    return ok;
}

bool nn_native_new_conv(nn_conv *layer, const float *weight, const float *bias)
{
    return layer->shape.transposed             ? nn_native_pack_transposed(layer, weight, bias)
           : nn_native_in_pairs(&layer->shape) ? nn_native_pack_pairs(layer, weight, bias)
                                               : pack_plain(layer, weight, bias);
}

void nn_native_free_conv(nn_conv *layer)
{
    nn_conv_data *d = layer->data;
    if (d) {
        free(d->a);
        free(d->bias);
    }
    free(d);
    layer->data = NULL;
}

/* ---- a block */

/* A line of a copy: n values, and the rest that the taps reach. */
static size_t line_length(const nn_conv_shape *s, size_t n)
{
    const size_t reach = (size_t)((s->kernel - 1) * s->dilation / s->stride) + 1;
    return nn_native_line(n + reach);
}

/* A stride in time takes the input apart into that many lines. */
static size_t phases_of(const nn_conv_shape *s)
{
    const int reach = (s->kernel - 1) * s->dilation + 1;
    return (size_t)(reach < s->stride ? reach : s->stride);
}

size_t nn_native_conv_space(const nn_conv *layer, size_t n)
{
    const nn_conv_shape *s = &layer->shape;
    const nn_conv_data *d = layer->data;
    const size_t lines = (size_t)(s->kernel_rows * s->in) * phases_of(s) + 1;
    return 2 * d->k + lines * line_length(s, n) + NN_SLACK; /* a pointer takes two floats */
}

void nn_native_copy_line(const float *in, int64_t time, int64_t start, int64_t step, float *out, size_t n)
{
    size_t i = 0;
    for (; i < n && start + (int64_t)i * step < 0; i++)
        out[i] = 0;
    const int64_t left = time - 1 - (start + (int64_t)i * step);
    size_t end = left < 0 ? i : i + (size_t)(left / step) + 1;
    end = end < n ? end : n;
    if (step == 1 && end > i) {
        memcpy(out + i, in + start + (int64_t)i, (end - i) * sizeof *out);
        i = end;
    }
    for (; i < end; i++)
        out[i] = in[start + (int64_t)i * step];
    memset(out + end, 0, (n - end) * sizeof *out);
}

/* Copies the lines of one input row; returns the end of the copy. */
static float *copy_row(const nn_tensor *x, const nn_conv_shape *s, int64_t row, int64_t start, size_t length,
                       float *to)
{
    const size_t phases = phases_of(s);
    for (size_t p = 0; p < phases; p++)
        for (int64_t c = 0; c < x->channels; c++, to += length)
            nn_native_copy_line(nn_floats(x) + (row * x->channels + c) * x->time, x->time, start + (int64_t)p,
                                s->stride, to, length);
    return to;
}

/* Lines to read where they are. */
static void point_direct(const nn_tensor *x, const nn_conv_shape *s, int64_t row, size_t from,
                         const float *zeros, const float **b)
{
    for (int kr = 0; kr < s->kernel_rows; kr++) {
        const int64_t r = row * s->stride_rows + kr - s->pad_rows;
        for (int64_t c = 0; c < x->channels; c++)
            *b++ = r < 0 || r >= x->rows ? zeros : nn_floats(x) + (r * x->channels + c) * x->time + from;
    }
}

/* Lines to read in a copy. */
static void point_copied(const nn_tensor *x, const nn_conv_shape *s, int64_t row, size_t from, size_t length,
                         const float *zeros, float *to, const float **b)
{
    const int64_t start = (int64_t)from * s->stride - s->pad;
    for (int kr = 0; kr < s->kernel_rows; kr++) {
        const int64_t r = row * s->stride_rows + kr - s->pad_rows;
        const bool outside = r < 0 || r >= x->rows;
        const float *lines = to;
        if (!outside)
            to = copy_row(x, s, r, start, length, to);
        for (int kt = 0; kt < s->kernel; kt++) {
            const int64_t reach = (int64_t)kt * s->dilation, phase = reach % s->stride;
            for (int64_t c = 0; c < x->channels; c++)
                *b++ =
                    outside ? zeros : lines + (phase * x->channels + c) * (int64_t)length + reach / s->stride;
        }
    }
}

static bool reads_direct(const nn_tensor *x, const nn_conv_shape *s)
{
    return s->kernel == 1 && s->stride == 1 && s->pad == 0 &&
           (x->time <= DIRECT_TIME || s->kernel_rows * s->in <= DIRECT_LINES);
}

void nn_native_conv_block(const nn_tensor *x, const nn_conv *layer, int64_t row, size_t from, size_t n,
                          bool add, float *out, size_t ld, float *space)
{
    const nn_conv_shape *s = &layer->shape;
    const nn_conv_data *d = layer->data;
    const size_t length = line_length(s, n);
    const float **b = (const float **)space;
    float *zeros = space + 2 * d->k;
    memset(zeros, 0, length * sizeof *zeros);
    if (reads_direct(x, s))
        point_direct(x, s, row, from, zeros, b);
    else
        point_copied(x, s, row, from, length, zeros, zeros + length, b);
    const nn_product p = {d->a, d->k, b, d->m, n, d->k, d->bias, add, out, ld};
    nn_native_kernels(x->engine)->multiply(&p);
}

/* ---- the whole */

void nn_native_halve(const nn_kernels *k, const float *z, size_t channels, size_t n, float *out, size_t ld)
{
    for (size_t c = 0; c < channels; c++)
        k->glu(z + c * n, z + (c + channels) * n, out + c * ld, n);
}

void nn_native_activate_lines(const nn_kernels *k, nn_act act, float *x, size_t lines, size_t n, size_t ld)
{
    void (*const function)(float *, size_t) = act == NN_GELU ? k->gelu : act == NN_TANH ? k->tanh : k->relu;
    for (size_t i = 0; act != NN_LINEAR && i < lines; i++)
        function(x + i * ld, n);
}

typedef struct job {
    const nn_tensor *x, *y;
    const nn_conv *layer;
    nn_act act;
    nn_blocks blocks;
} job;

static void block(const void *argument, size_t i)
{
    const job *j = argument;
    const nn_tensor *x = j->x, *y = j->y;
    const nn_conv *layer = j->layer;
    const nn_kernels *k = nn_native_kernels(x->engine);
    const nn_block b = nn_block_at(j->blocks, i);
    const size_t n = b.n, m = (size_t)layer->shape.out, ld = (size_t)y->time;
    float *space = nn_native_scratch(x->engine), *z = space + nn_native_conv_space(layer, n);
    float *out = nn_floats(y) + b.row * (size_t)y->channels * ld + b.from;
    if (j->act == NN_GLU) {
        nn_native_conv_block(x, layer, (int64_t)b.row, b.from, n, false, z, n, space);
        nn_native_halve(k, z, m / 2, n, out, ld);
    } else {
        nn_native_conv_block(x, layer, (int64_t)b.row, b.from, n, false, out, ld, space);
        nn_native_activate_lines(k, j->act, out, m, n, ld);
    }
}

nn_tensor *nn_native_convolve(nn_tensor *x, const nn_conv *layer, nn_act act)
{
    const nn_conv_shape *s = &layer->shape;
    if (nn_native_in_pairs(s))
        return nn_native_convolve_pairs(x, layer, act);
    const int64_t rows = nn_conv_length(x->rows, s->kernel_rows, s->stride_rows, s->pad_rows, 1);
    const int64_t time = nn_conv_length(x->time, s->kernel, s->stride, s->pad, s->dilation);
    const nn_blocks blocks = nn_native_blocks(x->engine, rows, time);
    const size_t z = act == NN_GLU ? (size_t)s->out * blocks.columns : 0;
    if (!nn_native_reserve(x->engine, nn_native_conv_space(layer, blocks.columns) + z + NN_SLACK))
        return NULL;
    nn_tensor *y = nn_native_new(x->engine, rows, act == NN_GLU ? s->out / 2 : s->out, time);
    if (!y)
        return NULL;
    const job j = {x, y, layer, act, blocks};
    nn_native_each(x->engine, nn_blocks_of(blocks, (size_t)rows), block, &j);
    return y;
}

/* Adds the layer of x to y. */
static void add_block(const void *argument, size_t i)
{
    const job *j = argument;
    const nn_tensor *y = j->y;
    const nn_block b = nn_block_at(j->blocks, i);
    const size_t ld = (size_t)y->time;
    float *out = nn_floats(y) + b.row * (size_t)y->channels * ld + b.from;
    nn_native_conv_block(j->x, j->layer, (int64_t)b.row, b.from, b.n, true, out, ld,
                         nn_native_scratch(y->engine));
}

nn_tensor *nn_native_add_convolved(nn_tensor *x, nn_tensor *y, const nn_conv *layer)
{
    const nn_blocks blocks = nn_native_blocks(x->engine, x->rows, x->time);
    nn_tensor *z = NULL;
    if (!nn_native_reserve(x->engine, nn_native_conv_space(layer, blocks.columns)) || !(z = nn_native_own(x)))
        return NULL;
    const job j = {.x = y, .y = z, .layer = layer, .blocks = blocks};
    nn_native_each(x->engine, nn_blocks_of(blocks, (size_t)x->rows), add_block, &j);
    return z;
}
