/* SPDX-License-Identifier: GPL-3.0-or-later
 * conv_tr.c - transposed convolutions as matrix products without overlapping sums: output stride * i +
 * p (phase p) is a product of the few inputs i, i - 1... that reach it, so one product gives all phases. */
#include "plugins/neural/cpu/kernels.h"
#include "plugins/neural/cpu/native.h"
#include "plugins/neural/tensor/backend.h"
#include "plugins/neural/tensor/tensor.h"

#include <stdlib.h>
#include <string.h>

/* Along the axis that the layer goes over. */
typedef struct axis {
    size_t stride, kernel, taps; /* taps: inputs that reach an output */
    bool rows;
} axis;

static axis axis_of(const nn_conv_shape *s)
{
    axis a = {(size_t)s->stride, (size_t)s->kernel, 0, false};
    if (s->kernel_rows > 1 || s->stride_rows > 1)
        a = (axis){(size_t)s->stride_rows, (size_t)s->kernel_rows, 0, true};
    a.taps = (a.kernel + a.stride - 1) / a.stride;
    return a;
}

/* matrix[phase][out][tap][in] */
bool nn_native_pack_transposed(nn_conv *layer, const float *weight, const float *bias)
{
    const size_t in = (size_t)layer->shape.in, out = (size_t)layer->shape.out;
    const axis a = axis_of(&layer->shape);
    const size_t m = a.stride * out, k = a.taps * in;
    float *matrix = calloc(m * k, sizeof *matrix);
    if (!matrix)
        return nn_engine_fail(layer->engine, AP_TRY_AGAIN, "out of memory");
    for (size_t i = 0; i < in; i++)
        for (size_t o = 0; o < out; o++)
            for (size_t t = 0; t < a.kernel; t++)
                matrix[((t % a.stride * out + o) * a.taps + t / a.stride) * in + i] =
                    weight[(i * out + o) * a.kernel + t];
    bool ok = nn_native_pack(layer, 1, m, k, matrix, bias);
    free(matrix);
    return ok;
}

typedef struct job {
    const nn_tensor *x;
    const nn_conv *layer;
    const nn_tensor *y;
    axis axis;
    nn_crop_to crop;
    nn_act act;
    nn_blocks blocks;
} job;

static size_t line_length(const axis *a, size_t n)
{
    return nn_native_line(n + a->taps);
}

static size_t space_of(const job *j, size_t n)
{
    const nn_conv_data *d = j->layer->data;
    return 2 * d->k + (d->k + 1) * line_length(&j->axis, n) + d->m * n + 2 * NN_SLACK;
}

/* Points at the lines of input rows group, group - 1..., which are read where they are. */
static void point_rows(const job *j, int64_t group, size_t from, const float *zeros, const float **b)
{
    const nn_tensor *x = j->x;
    for (int64_t tap = 0; tap < (int64_t)j->axis.taps; tap++)
        for (int64_t c = 0; c < x->channels; c++) {
            const bool outside = group - tap < 0 || group - tap >= x->rows;
            *b++ = outside ? zeros : nn_floats(x) + ((group - tap) * x->channels + c) * x->time + from;
        }
}

/* Copies the lines of a row with what lies before column from, and points at them once for each tap. */
static void point_time(const job *j, int64_t row, size_t from, size_t n, float *lines, const float **b)
{
    const nn_tensor *x = j->x;
    const size_t length = line_length(&j->axis, n), before = j->axis.taps - 1;
    for (int64_t c = 0; c < x->channels; c++) {
        const float *in = nn_floats(x) + (row * x->channels + c) * x->time;
        float *to = lines + (size_t)c * length;
        for (size_t i = 0; i < n + before; i++) {
            const int64_t at = (int64_t)(from + i) - (int64_t)before;
            to[i] = at >= 0 && at < x->time ? in[at] : 0;
        }
        for (size_t tap = 0; tap < j->axis.taps; tap++)
            b[tap * (size_t)x->channels + (size_t)c] = to + before - tap;
    }
}

/* z[phase][out][n] to the output rows stride * group + phase. */
static void put_rows(const job *j, const float *z, int64_t group, size_t from, size_t n)
{
    const nn_kernels *k = nn_native_kernels(j->x->engine);
    const nn_tensor *y = j->y;
    for (size_t phase = 0; phase < j->axis.stride; phase++) {
        const int64_t row = group * (int64_t)j->axis.stride + (int64_t)phase - j->crop.from_row;
        for (int64_t c = 0; row >= 0 && row < y->rows && c < y->channels; c++) {
            float *out = nn_floats(y) + (row * y->channels + c) * y->time + from;
            memcpy(out, z + (phase * (size_t)y->channels + (size_t)c) * n, n * sizeof *out);
            nn_native_activate_lines(k, j->act, out, 1, n, n);
        }
    }
}

/* z[phase][out][n] to the output moments stride * (from + i) + phase. */
static void put_time(const job *j, float *z, int64_t row, size_t from, size_t n)
{
    const nn_tensor *y = j->y;
    const int64_t stride = (int64_t)j->axis.stride, start = (int64_t)from * stride - j->crop.from;
    nn_native_activate_lines(nn_native_kernels(j->x->engine), j->act, z, j->axis.stride * (size_t)y->channels,
                             n, n);
    for (int64_t c = 0; c < y->channels; c++) {
        float *out = nn_floats(y) + (row * y->channels + c) * y->time;
        for (int64_t phase = 0; phase < stride; phase++) {
            const float *in = z + (phase * y->channels + c) * (int64_t)n;
            for (int64_t i = 0; i < (int64_t)n; i++) {
                const int64_t at = start + i * stride + phase;
                if (at >= 0 && at < y->time)
                    out[at] = in[i];
            }
        }
    }
}

/* Some columns of the inputs of output rows group * stride... (over rows) or of a row (over time). */
static void block(const void *argument, size_t i)
{
    const job *j = argument;
    const nn_conv_data *d = j->layer->data;
    const nn_block at = nn_block_at(j->blocks, i);
    const int64_t group = (int64_t)at.row;
    const size_t from = at.from, n = at.n;
    float *space = nn_native_scratch(j->x->engine);
    const float **b = (const float **)space;
    const size_t length = line_length(&j->axis, n);
    float *lines = space + 2 * d->k, *z = lines + (d->k + 1) * length + NN_SLACK;
    if (j->axis.rows) {
        memset(lines, 0, length * sizeof *lines);
        point_rows(j, group, from, lines, b);
    } else {
        point_time(j, group, from, n, lines, b);
    }
    const nn_product p = {d->a, d->k, b, d->m, n, d->k, d->bias, false, z, n};
    nn_native_kernels(j->x->engine)->multiply(&p);
    if (j->axis.rows)
        put_rows(j, z, group, from, n);
    else
        put_time(j, z, group, from, n);
}

nn_tensor *nn_native_convolve_transposed(nn_tensor *x, const nn_conv *layer, nn_crop_to crop, nn_act act)
{
    job j = {.x = x, .layer = layer, .axis = axis_of(&layer->shape), .crop = crop, .act = act};
    /* Past the last input there are outputs that only earlier ones reach. */
    const int64_t more = (int64_t)j.axis.taps - 1;
    const int64_t groups = x->rows + (j.axis.rows ? more : 0), time = x->time + (j.axis.rows ? 0 : more);
    j.blocks = nn_native_blocks(x->engine, groups, time);
    nn_tensor *y = NULL;
    if (!nn_native_reserve(x->engine, space_of(&j, j.blocks.columns)) ||
        !(y = nn_native_new(x->engine, crop.rows, layer->shape.out, crop.time)))
        return NULL;
    j.y = y;
    nn_native_each(x->engine, nn_blocks_of(j.blocks, (size_t)groups), block, &j);
    return y;
}
