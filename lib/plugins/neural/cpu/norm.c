/* SPDX-License-Identifier: GPL-3.0-or-later
 * norm.c - norms and activations, joined with the convolutions before them where the result of one row
 * fits the cache: then the row is normalised before it leaves it. */
#include "plugins/neural/cpu/kernels.h"
#include "plugins/neural/cpu/native.h"
#include "plugins/neural/tensor/backend.h"
#include "plugins/neural/tensor/tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EPS 1e-5 /* PyTorch's default, which Demucs keeps */
/* Floats whose moments are taken as one piece of work. */
#define PIECE ((size_t)1 << 16)
/* A row of this many moments at most fits the second cache with what is computed from it; and this many rows
 * are enough to share out. Sums must not depend on the number of threads, so neither may this. */
#define ROW_TIME 1024
#define ENOUGH_ROWS 4

typedef struct norm_data {
    float *weight, *bias;
} norm_data;

static const norm_data *of(const nn_norm *layer)
{
    return layer->data;
}

const float *nn_native_norm_weight(const nn_norm *layer)
{
    return of(layer)->weight;
}

bool nn_native_new_norm(nn_norm *layer, const float *weight, const float *bias)
{
    const size_t n = (size_t)layer->channels;
    norm_data *d = calloc(1, sizeof *d);
    layer->data = d;
    if (d) {
        d->weight = malloc(n * sizeof *weight);
        d->bias = calloc(n, sizeof *bias);
    }
    if (!d || !d->weight || !d->bias) {
        nn_native_free_norm(layer);
        return nn_engine_fail(layer->engine, AP_TRY_AGAIN, "out of memory");
    }
    memcpy(d->weight, weight, n * sizeof *weight);
    if (bias)
        memcpy(d->bias, bias, n * sizeof *bias);
    return true;
}

void nn_native_free_norm(nn_norm *layer)
{
    norm_data *d = layer->data;
    if (d) {
        free(d->weight);
        free(d->bias);
    }
    free(d);
    layer->data = NULL;
}

/* ---- moments */

/* What to multiply by and to add to get mean 0 and variance 1. */
typedef struct standard {
    float factor, offset;
} standard;

static standard standard_of(const double sums[2], double count)
{
    const double mean = sums[0] / count, variance = sums[1] / count - mean * mean;
    const double factor = 1 / sqrt((variance > 0 ? variance : 0) + EPS);
    return (standard){(float)factor, (float)(-mean * factor)};
}

/* The same, then the weight and bias of channel c: affine[0] x + affine[1]. */
static void affine_of(const nn_norm *layer, standard s, size_t c, float affine[2])
{
    const norm_data *d = of(layer);
    affine[0] = s.factor * d->weight[c];
    affine[1] = s.offset * d->weight[c] + d->bias[c];
}

/* Sums over count floats, in pieces that do not depend on the number of threads. false: out of memory. */
static bool sum_all(nn_engine *engine, const float *x, size_t count, double sums[2])
{
    const size_t pieces = (count + PIECE - 1) / PIECE;
    double(*parts)[2] = calloc(pieces ? pieces : 1, sizeof *parts);
    if (!parts)
        return nn_engine_fail(engine, AP_TRY_AGAIN, "out of memory");
    const nn_kernels *k = nn_native_kernels(engine);
    NN_PARALLEL(engine)
    for (size_t i = 0; i < pieces; i++)
        k->moments(x + i * PIECE, count - i * PIECE < PIECE ? count - i * PIECE : PIECE, parts[i]);
    for (size_t i = 0; i < pieces; i++) {
        sums[0] += parts[i][0];
        sums[1] += parts[i][1];
    }
    free(parts);
    return true;
}

bool nn_native_moments(const nn_tensor *x, double *mean, double *deviation)
{
    double sums[2] = {0};
    const size_t count = (size_t)(x->rows * x->channels * x->time);
    if (!sum_all(x->engine, nn_floats(x), count, sums))
        return false;
    const double n = (double)count, variance = n > 1 ? (sums[1] - sums[0] * sums[0] / n) / (n - 1) : 0;
    *mean = sums[0] / n;
    *deviation = sqrt(variance > 0 ? variance : 0);
    return true;
}

/* ---- norms */

static void layer_norm(const nn_tensor *x, const nn_norm *layer, const nn_tensor *y)
{
    const nn_kernels *k = nn_native_kernels(x->engine);
    const norm_data *d = of(layer);
    const size_t time = (size_t)x->time, columns = nn_native_columns(x->engine, x->rows, x->time);
    const size_t blocks = (time + columns - 1) / columns;
    NN_PARALLEL(x->engine)
    for (size_t i = 0; i < (size_t)x->rows * blocks; i++) {
        const size_t from = i % blocks * columns, at = i / blocks * (size_t)x->channels * time + from;
        k->layer_norm(nn_floats(x) + at, nn_floats(y) + at, (size_t)x->channels, time,
                      time - from < columns ? time - from : columns, d->weight, d->bias, (float)EPS);
    }
}

/* One line, normalised and activated; GLU takes the line of the other half too. */
static void finish_line(const nn_kernels *k, const float *x, const float *other, float *out,
                        const float affine[4], nn_act act, size_t n)
{
    if (act == NN_GLU) {
        memset(out, 0, n * sizeof *out);
        k->add_glu(out, x, other, affine, 1, n);
        return;
    }
    if (out != x)
        memcpy(out, x, n * sizeof *out);
    if (act == NN_GELU)
        k->affine_gelu(out, affine[0], affine[1], n);
    else
        k->affine(out, affine[0], affine[1], n);
    if (act == NN_RELU)
        k->relu(out, n);
}

/* A row of x to a row of y, with the standard of each group. */
static void finish_row(const nn_tensor *x, const nn_norm *layer, const nn_tensor *y, int64_t row,
                       const standard *groups, nn_act act)
{
    const size_t time = (size_t)x->time, in = (size_t)x->channels, out = (size_t)y->channels;
    const size_t width = in / (size_t)layer->groups;
    const float *from = nn_floats(x) + (size_t)row * in * time;
    for (size_t c = 0; c < out; c++) {
        float affine[4];
        affine_of(layer, groups[c / width], c, affine);
        if (act == NN_GLU)
            affine_of(layer, groups[(c + out) / width], c + out, affine + 2);
        finish_line(nn_native_kernels(x->engine), from + c * time, from + (c + out) * time,
                    nn_floats(y) + ((size_t)row * out + c) * time, affine, act, time);
    }
}

/* Each row by its own moments, one row for a thread. */
static void norm_rows(const nn_tensor *x, const nn_norm *layer, const nn_tensor *y, nn_act act)
{
    const nn_kernels *k = nn_native_kernels(x->engine);
    const size_t count = (size_t)(x->channels / layer->groups * x->time);
    NN_PARALLEL(x->engine)
    for (int64_t row = 0; row < x->rows; row++) {
        standard *groups = (standard *)nn_native_scratch(x->engine);
        for (size_t g = 0; g < (size_t)layer->groups; g++) {
            double sums[2] = {0};
            k->moments(nn_floats(x) + ((size_t)row * (size_t)layer->groups + g) * count, count, sums);
            groups[g] = standard_of(sums, (double)count);
        }
        finish_row(x, layer, y, row, groups, act);
    }
}

/* Few rows, or all of them together: all threads on each. */
static bool norm_pieces(const nn_tensor *x, const nn_norm *layer, const nn_tensor *y, nn_act act)
{
    const size_t count = (size_t)(x->channels / layer->groups * x->time), all = (size_t)layer->groups;
    const bool together = layer->over == NN_OVER_ALL;
    standard *groups = calloc(all * (size_t)x->rows, sizeof *groups);
    bool ok = groups || nn_engine_fail(x->engine, AP_TRY_AGAIN, "out of memory");
    for (size_t g = 0; ok && g < all; g++) {
        double sums[2] = {0};
        for (size_t row = 0; ok && row < (size_t)x->rows; row++) {
            ok = sum_all(x->engine, nn_floats(x) + (row * all + g) * count, count, sums);
            if (!together) {
                groups[row * all + g] = standard_of(sums, (double)count);
                sums[0] = sums[1] = 0;
            }
        }
        for (size_t row = 0; together && row < (size_t)x->rows; row++)
            groups[row * all + g] = standard_of(sums, (double)count * (double)x->rows);
    }
    for (int64_t row = 0; ok && row < x->rows; row++)
        finish_row(x, layer, y, row, groups + (size_t)row * all, act);
    free(groups);
    return ok;
}

/* In place in y, which has the content of x. */
static void rms_norm(const nn_tensor *y, const nn_norm *layer)
{
    const size_t time = (size_t)y->time, columns = nn_native_columns(y->engine, y->rows, y->time);
    const size_t blocks = (time + columns - 1) / columns, channels = (size_t)y->channels;
    NN_PARALLEL(y->engine)
    for (size_t i = 0; i < (size_t)y->rows * blocks; i++) {
        const size_t from = i % blocks * columns, n = time - from < columns ? time - from : columns;
        nn_native_kernels(y->engine)->rms_norm(nn_floats(y) + i / blocks * channels * time + from, channels,
                                               time, n, sqrtf((float)channels), of(layer)->weight);
    }
}

/* Each channel by itself over all rows (instance norm). */
static void norm_channels(const nn_tensor *x, const nn_norm *layer, const nn_tensor *y, nn_act act)
{
    const nn_kernels *k = nn_native_kernels(x->engine);
    const size_t time = (size_t)x->time, channels = (size_t)x->channels, rows = (size_t)x->rows;
    NN_PARALLEL(x->engine)
    for (size_t c = 0; c < channels; c++) {
        double sums[2] = {0};
        float affine[4];
        for (size_t row = 0; row < rows; row++)
            k->moments(nn_floats(x) + (row * channels + c) * time, time, sums);
        affine_of(layer, standard_of(sums, (double)rows * (double)time), c, affine);
        for (size_t row = 0; row < rows; row++) {
            const size_t at = (row * channels + c) * time;
            finish_line(k, nn_floats(x) + at, NULL, nn_floats(y) + at, affine, act, time);
        }
    }
}

static nn_tensor *scale_channels(nn_tensor *x, const nn_norm *layer)
{
    const nn_kernels *k = nn_native_kernels(x->engine);
    nn_tensor *y = nn_native_own(x);
    NN_PARALLEL(x->engine)
    for (int64_t i = 0; i < (y ? x->rows * x->channels : 0); i++)
        k->affine(nn_floats(y) + i * x->time, of(layer)->weight[i % x->channels], 0, (size_t)x->time);
    return y;
}

nn_tensor *nn_native_normalize(nn_tensor *x, const nn_norm *layer, nn_act act)
{
    if (!layer->groups && layer->over == NN_OVER_ROW)
        return scale_channels(x, layer);
    nn_tensor *y = act != NN_GLU && nn_alone(x) ? nn_keep(x) : NULL;
    if (!nn_native_reserve(x->engine, 2 * (size_t)(layer->groups + 1)))
        return NULL;
    if (!y)
        y = nn_native_new(x->engine, x->rows, act == NN_GLU ? x->channels / 2 : x->channels, x->time);
    bool ok = y != NULL;
    if (ok && layer->over == NN_RMS) {
        if (y != x)
            memcpy(nn_floats(y), nn_floats(x), (size_t)(x->rows * x->channels * x->time) * sizeof(float));
        rms_norm(y, layer);
    } else if (ok && layer->over == NN_OVER_ALL && layer->groups == layer->channels && act != NN_GLU)
        norm_channels(x, layer, y, act);
    else if (ok && layer->over == NN_OVER_CHANNELS)
        layer_norm(x, layer, y);
    else if (ok && layer->over == NN_OVER_ROW && x->rows >= ENOUGH_ROWS)
        norm_rows(x, layer, y, act);
    else if (ok)
        ok = norm_pieces(x, layer, y, act);
    if (ok)
        return y;
    nn_drop(y);
    return NULL;
}

nn_tensor *nn_native_activate(nn_tensor *x, nn_act act)
{
    const bool half = act == NN_GLU;
    nn_tensor *y = half ? nn_native_new(x->engine, x->rows, x->channels / 2, x->time) : nn_native_own(x);
    if (!y)
        return NULL;
    const nn_kernels *k = nn_native_kernels(x->engine);
    const size_t time = (size_t)x->time, lines = (size_t)(y->rows * y->channels), c = (size_t)y->channels;
    NN_PARALLEL(x->engine)
    for (size_t i = 0; i < lines; i++) {
        const float *in = nn_floats(x) + (i / c * 2 * c + i % c) * time;
        if (half)
            k->glu(in, in + c * time, nn_floats(y) + i * time, time);
        else
            nn_native_activate_lines(k, act, nn_floats(y) + i * time, 1, time, time);
    }
    return y;
}

/* ---- joined with convolutions */

/* A row fits the cache, and there are enough of them. */
static bool row_by_row(const nn_tensor *x, const nn_norm *norm)
{
    return x->rows >= ENOUGH_ROWS && x->time <= ROW_TIME && norm->over == NN_OVER_ROW && norm->groups == 1;
}

/* The convolution of a row in blocks of columns. */
static void convolve_row(const nn_tensor *x, const nn_conv *conv, int64_t row, size_t time, float *out,
                         float *space)
{
    for (size_t from = 0; from < time; from += NN_COLUMNS)
        nn_native_conv_block(x, conv, row, from, time - from < NN_COLUMNS ? time - from : NN_COLUMNS, false,
                             out + from, time, space);
}

nn_tensor *nn_native_convolve_normalized(nn_tensor *x, const nn_conv *conv, const nn_norm *norm, nn_act act)
{
    const nn_conv_shape *s = &conv->shape;
    const int64_t time = nn_conv_length(x->time, s->kernel, s->stride, s->pad, s->dilation);
    if (!row_by_row(x, norm) || s->kernel_rows > 1 || s->stride_rows > 1 || act == NN_GLU)
        return nn_normalize(nn_native_convolve(x, conv, NN_LINEAR), norm, act);
    nn_tensor *y = NULL;
    if (!nn_native_reserve(x->engine, nn_native_conv_space(conv, NN_COLUMNS)) ||
        !(y = nn_native_new(x->engine, x->rows, s->out, time)))
        return NULL;
    const size_t count = (size_t)(s->out * time);
    NN_PARALLEL(x->engine)
    for (int64_t row = 0; row < x->rows; row++) {
        double sums[2] = {0};
        float *out = nn_floats(y) + (size_t)row * count;
        convolve_row(x, conv, row, (size_t)time, out, nn_native_scratch(x->engine));
        nn_native_kernels(x->engine)->moments(out, count, sums);
        const standard group = standard_of(sums, (double)count);
        finish_row(y, norm, y, row, &group, act);
    }
    return y;
}

/* x += scale * glu(norm(z)), for n columns of z[2c][n]. */
static void add_gated(const nn_kernels *k, const float *z, size_t n, const nn_norm *norm, standard s,
                      const nn_norm *scale, float *x, size_t ld)
{
    const size_t channels = (size_t)scale->channels;
    for (size_t c = 0; c < channels; c++) {
        float affine[4];
        affine_of(norm, s, c, affine);
        affine_of(norm, s, c + channels, affine + 2);
        k->add_glu(x + c * ld, z + c * n, z + (c + channels) * n, affine, of(scale)->weight[c], n);
    }
}

static void branch_rows(nn_tensor *x, const nn_tensor *y, const nn_conv *conv, const nn_norm *norm,
                        const nn_norm *scale)
{
    const nn_kernels *k = nn_native_kernels(x->engine);
    const size_t time = (size_t)x->time, count = (size_t)norm->channels * time;
    NN_PARALLEL(x->engine)
    for (int64_t row = 0; row < x->rows; row++) {
        double sums[2] = {0};
        float *space = nn_native_scratch(x->engine), *z = space + nn_native_conv_space(conv, NN_COLUMNS);
        convolve_row(y, conv, row, time, z, space);
        k->moments(z, count, sums);
        add_gated(k, z, time, norm, standard_of(sums, (double)count), scale,
                  nn_floats(x) + (size_t)(row * x->channels) * time, time);
    }
}

/* The moments of one row's convolution, which is not kept: it is computed again when they are known, because
 * it has few inputs and many outputs. */
static bool sum_convolved(const nn_tensor *y, const nn_conv *conv, int64_t row, double sums[2])
{
    const nn_kernels *k = nn_native_kernels(y->engine);
    const size_t time = (size_t)y->time, blocks = (time + NN_COLUMNS - 1) / NN_COLUMNS;
    double(*parts)[2] = calloc(blocks, sizeof *parts);
    if (!parts)
        return nn_engine_fail(y->engine, AP_TRY_AGAIN, "out of memory");
    NN_PARALLEL(y->engine)
    for (size_t i = 0; i < blocks; i++) {
        const size_t from = i * NN_COLUMNS, n = time - from < NN_COLUMNS ? time - from : NN_COLUMNS;
        float *space = nn_native_scratch(y->engine), *z = space + nn_native_conv_space(conv, NN_COLUMNS);
        nn_native_conv_block(y, conv, row, from, n, false, z, n, space);
        k->moments(z, n * (size_t)conv->shape.out, parts[i]);
    }
    for (size_t i = 0; i < blocks; i++) {
        sums[0] += parts[i][0];
        sums[1] += parts[i][1];
    }
    free(parts);
    return true;
}

static bool branch_pieces(nn_tensor *x, const nn_tensor *y, const nn_conv *conv, const nn_norm *norm,
                          const nn_norm *scale)
{
    const nn_kernels *k = nn_native_kernels(x->engine);
    const size_t time = (size_t)x->time, blocks = (time + NN_COLUMNS - 1) / NN_COLUMNS;
    for (int64_t row = 0; row < x->rows; row++) {
        double sums[2] = {0};
        if (!sum_convolved(y, conv, row, sums))
            return false;
        const standard s = standard_of(sums, (double)norm->channels * (double)time);
        NN_PARALLEL(x->engine)
        for (size_t i = 0; i < blocks; i++) {
            const size_t from = i * NN_COLUMNS, n = time - from < NN_COLUMNS ? time - from : NN_COLUMNS;
            float *space = nn_native_scratch(x->engine), *z = space + nn_native_conv_space(conv, NN_COLUMNS);
            nn_native_conv_block(y, conv, row, from, n, false, z, n, space);
            add_gated(k, z, n, norm, s, scale, nn_floats(x) + (size_t)(row * x->channels) * time + from,
                      time);
        }
    }
    return true;
}

nn_tensor *nn_native_add_branch(nn_tensor *x, nn_tensor *y, const nn_conv *conv, const nn_norm *norm,
                                const nn_norm *scale)
{
    const bool rows = row_by_row(x, norm);
    const size_t z = (size_t)norm->channels * (rows ? (size_t)x->time : NN_COLUMNS) + NN_SLACK;
    nn_tensor *out = NULL;
    if (!nn_native_reserve(x->engine, nn_native_conv_space(conv, NN_COLUMNS) + z) ||
        !(out = nn_native_own(x)))
        return NULL;
    if (rows)
        branch_rows(out, y, conv, norm, scale);
    else if (!branch_pieces(out, y, conv, norm, scale)) {
        nn_drop(out);
        return NULL;
    }
    return out;
}
