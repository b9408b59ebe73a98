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

void nn_native_norm_columns(const nn_norm *layer, float *x, size_t ld, size_t n)
{
    const nn_kernels *k = nn_native_kernels(layer->engine);
    const size_t channels = (size_t)layer->channels;
    if (layer->over == NN_RMS)
        k->rms_norm(x, channels, ld, n, sqrtf((float)channels), of(layer)->weight);
    else
        k->layer_norm(x, x, channels, ld, n, of(layer)->weight, of(layer)->bias, (float)EPS);
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

/* Floats in pieces that do not depend on the number of threads, and the sums of each piece. */
typedef struct pieces {
    const nn_kernels *kernels;
    const float *x;
    size_t count;
    double (*sums)[2];
} pieces;

static void sum_piece(const void *job, size_t i)
{
    const pieces *p = job;
    const size_t left = p->count - i * PIECE;
    p->kernels->moments(p->x + i * PIECE, left < PIECE ? left : PIECE, p->sums[i]);
}

static void add_up(double (*parts)[2], size_t count, double sums[2])
{
    for (size_t i = 0; i < count; i++) {
        sums[0] += parts[i][0];
        sums[1] += parts[i][1];
    }
}

/* Sums over count floats. false: out of memory. */
static bool sum_all(nn_engine *engine, const float *x, size_t count, double sums[2])
{
    const size_t number = (count + PIECE - 1) / PIECE;
    double(*parts)[2] = calloc(number ? number : 1, sizeof *parts);
    if (!parts)
        return nn_engine_fail(engine, AP_TRY_AGAIN, "out of memory");
    nn_native_each(engine, number, sum_piece, &(pieces){nn_native_kernels(engine), x, count, parts});
    add_up(parts, number, sums);
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

/* From x to y, in blocks of columns, or row by row with the standards of each row's groups. */
typedef struct norming {
    const nn_tensor *x, *y;
    const nn_norm *layer;
    nn_act act;
    nn_blocks blocks;
    const standard *standards;
} norming;

static void layer_norm(const void *job, size_t i)
{
    const norming *n = job;
    const norm_data *d = of(n->layer);
    const size_t time = (size_t)n->x->time, channels = (size_t)n->x->channels;
    const nn_block b = nn_block_at(n->blocks, i);
    const size_t at = b.row * channels * time + b.from;
    nn_native_kernels(n->x->engine)
        ->layer_norm(nn_floats(n->x) + at, nn_floats(n->y) + at, channels, time, b.n, d->weight, d->bias,
                     (float)EPS);
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

/* A line of y, with the standards of its row's groups. */
static void finish_channel(const norming *n, size_t row, size_t c, const standard *groups)
{
    const nn_tensor *x = n->x, *y = n->y;
    const size_t time = (size_t)x->time, in = (size_t)x->channels, out = (size_t)y->channels;
    const size_t width = in / (size_t)n->layer->groups;
    const float *from = nn_floats(x) + (row * in + c) * time;
    float affine[4];
    affine_of(n->layer, groups[c / width], c, affine);
    if (n->act == NN_GLU)
        affine_of(n->layer, groups[(c + out) / width], c + out, affine + 2);
    finish_line(nn_native_kernels(x->engine), from, from + out * time, nn_floats(y) + (row * out + c) * time,
                affine, n->act, time);
}

static void finish_row(const norming *n, size_t row, const standard *groups)
{
    for (size_t c = 0; c < (size_t)n->y->channels; c++)
        finish_channel(n, row, c, groups);
}

/* Line number i of all rows. */
static void finish_one(const void *job, size_t i)
{
    const norming *n = job;
    const size_t row = i / (size_t)n->y->channels, c = i % (size_t)n->y->channels;
    finish_channel(n, row, c, n->standards + row * (size_t)n->layer->groups);
}

/* A row by its own moments. */
static void norm_row(const void *job, size_t row)
{
    const norming *n = job;
    const nn_tensor *x = n->x;
    const size_t all = (size_t)n->layer->groups, count = (size_t)x->channels / all * (size_t)x->time;
    standard *groups = (standard *)nn_native_scratch(x->engine);
    for (size_t g = 0; g < all; g++) {
        double sums[2] = {0};
        nn_native_kernels(x->engine)->moments(nn_floats(x) + (row * all + g) * count, count, sums);
        groups[g] = standard_of(sums, (double)count);
    }
    finish_row(n, row, groups);
}

/* Few rows, or all of them together: all threads on each. */
static bool norm_pieces(norming *n)
{
    const nn_tensor *x = n->x;
    const nn_norm *layer = n->layer;
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
    n->standards = groups;
    if (ok)
        nn_native_each(x->engine, (size_t)(x->rows * n->y->channels), finish_one, n);
    free(groups);
    return ok;
}

/* In place in y, which has the content of x. */
static void rms_norm(const void *job, size_t i)
{
    const norming *n = job;
    const nn_tensor *y = n->y;
    const size_t time = (size_t)y->time, channels = (size_t)y->channels;
    const nn_block b = nn_block_at(n->blocks, i);
    nn_native_norm_columns(n->layer, nn_floats(y) + b.row * channels * time + b.from, time, b.n);
}

/* A channel by itself over all rows (instance norm). */
static void norm_channel(const void *job, size_t c)
{
    const norming *n = job;
    const nn_tensor *x = n->x;
    const nn_kernels *k = nn_native_kernels(x->engine);
    const size_t time = (size_t)x->time, channels = (size_t)x->channels, rows = (size_t)x->rows;
    double sums[2] = {0};
    float affine[4];
    for (size_t row = 0; row < rows; row++)
        k->moments(nn_floats(x) + (row * channels + c) * time, time, sums);
    affine_of(n->layer, standard_of(sums, (double)rows * (double)time), c, affine);
    for (size_t row = 0; row < rows; row++) {
        const size_t at = (row * channels + c) * time;
        finish_line(k, nn_floats(x) + at, NULL, nn_floats(n->y) + at, affine, n->act, time);
    }
}

static void scale_channel(const void *job, size_t i)
{
    const norming *n = job;
    const size_t time = (size_t)n->y->time;
    nn_native_kernels(n->y->engine)
        ->affine(nn_floats(n->y) + i * time, of(n->layer)->weight[i % (size_t)n->y->channels], 0, time);
}

static nn_tensor *scale_channels(nn_tensor *x, const nn_norm *layer)
{
    nn_tensor *y = nn_native_own(x);
    if (y)
        nn_native_each(x->engine, (size_t)(x->rows * x->channels), scale_channel,
                       &(norming){.y = y, .layer = layer});
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
    norming n = {.x = x, .y = y, .layer = layer, .act = act};
    n.blocks = nn_native_blocks(x->engine, x->rows, x->time);
    const size_t rows = (size_t)x->rows;
    bool ok = y != NULL;
    if (ok && layer->over == NN_RMS) {
        if (y != x)
            memcpy(nn_floats(y), nn_floats(x), (size_t)(x->rows * x->channels * x->time) * sizeof(float));
        nn_native_each(x->engine, nn_blocks_of(n.blocks, rows), rms_norm, &n);
    } else if (ok && layer->over == NN_OVER_ALL && layer->groups == layer->channels && act != NN_GLU)
        nn_native_each(x->engine, (size_t)x->channels, norm_channel, &n);
    else if (ok && layer->over == NN_OVER_CHANNELS)
        nn_native_each(x->engine, nn_blocks_of(n.blocks, rows), layer_norm, &n);
    else if (ok && layer->over == NN_OVER_ROW && x->rows >= ENOUGH_ROWS)
        nn_native_each(x->engine, rows, norm_row, &n);
    else if (ok)
        ok = norm_pieces(&n);
    if (ok)
        return y;
    nn_drop(y);
    return NULL;
}

typedef struct activation {
    const nn_tensor *x, *y; /* the same but for GLU */
    nn_act act;
} activation;

static void activate_line(const void *job, size_t i)
{
    const activation *a = job;
    const nn_kernels *k = nn_native_kernels(a->x->engine);
    const size_t time = (size_t)a->x->time, c = (size_t)a->y->channels;
    const float *in = nn_floats(a->x) + (i / c * 2 * c + i % c) * time;
    if (a->act == NN_GLU)
        k->glu(in, in + c * time, nn_floats(a->y) + i * time, time);
    else
        nn_native_activate_lines(k, a->act, nn_floats(a->y) + i * time, 1, time, time);
}

nn_tensor *nn_native_activate(nn_tensor *x, nn_act act)
{
    const bool half = act == NN_GLU;
    nn_tensor *y = half ? nn_native_new(x->engine, x->rows, x->channels / 2, x->time) : nn_native_own(x);
    if (y)
        nn_native_each(x->engine, (size_t)(y->rows * y->channels), activate_line, &(activation){x, y, act});
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

/* A convolution, and the norm after it. */
typedef struct convolving {
    const nn_tensor *x; /* of the convolution */
    const nn_conv *conv;
    norming norming; /* in place in its y */
} convolving;

static void convolve_norm_row(const void *job, size_t row)
{
    const convolving *c = job;
    const nn_tensor *y = c->norming.y;
    const size_t count = (size_t)(y->channels * y->time);
    double sums[2] = {0};
    float *out = nn_floats(y) + row * count;
    convolve_row(c->x, c->conv, (int64_t)row, (size_t)y->time, out, nn_native_scratch(y->engine));
    nn_native_kernels(y->engine)->moments(out, count, sums);
    const standard group = standard_of(sums, (double)count);
    finish_row(&c->norming, row, &group);
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
    const convolving c = {x, conv, {.x = y, .y = y, .layer = norm, .act = act}};
    nn_native_each(x->engine, (size_t)x->rows, convolve_norm_row, &c);
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

/* The end of a branch, added to x; of one row, if not row by row. */
typedef struct branch {
    const nn_tensor *x, *y;
    const nn_conv *conv;
    const nn_norm *norm, *scale;
    int64_t row;
    double (*sums)[2]; /* of each block of columns */
    standard standard;
} branch;

static void branch_row(const void *job, size_t row)
{
    const branch *b = job;
    const nn_tensor *x = b->x;
    const nn_kernels *k = nn_native_kernels(x->engine);
    const size_t time = (size_t)x->time, count = (size_t)b->norm->channels * time;
    double sums[2] = {0};
    float *space = nn_native_scratch(x->engine), *z = space + nn_native_conv_space(b->conv, NN_COLUMNS);
    convolve_row(b->y, b->conv, (int64_t)row, time, z, space);
    k->moments(z, count, sums);
    add_gated(k, z, time, b->norm, standard_of(sums, (double)count), b->scale,
              nn_floats(x) + row * (size_t)x->channels * time, time);
}

/* Block number i of the row's convolution, in a thread's scratch. */
static float *convolve_piece(const branch *b, size_t i, size_t *n)
{
    const size_t from = i * NN_COLUMNS, left = (size_t)b->y->time - from;
    float *space = nn_native_scratch(b->y->engine), *z = space + nn_native_conv_space(b->conv, NN_COLUMNS);
    *n = left < NN_COLUMNS ? left : NN_COLUMNS;
    nn_native_conv_block(b->y, b->conv, b->row, from, *n, false, z, *n, space);
    return z;
}

static void sum_convolved(const void *job, size_t i)
{
    const branch *b = job;
    size_t n;
    const float *z = convolve_piece(b, i, &n);
    nn_native_kernels(b->y->engine)->moments(z, n * (size_t)b->conv->shape.out, b->sums[i]);
}

static void add_convolved(const void *job, size_t i)
{
    const branch *b = job;
    const nn_tensor *x = b->x;
    size_t n;
    const float *z = convolve_piece(b, i, &n);
    add_gated(nn_native_kernels(x->engine), z, n, b->norm, b->standard, b->scale,
              nn_floats(x) + (size_t)(b->row * x->channels * x->time) + i * NN_COLUMNS, (size_t)x->time);
}

/* The moments of a row's convolution come first. It is not kept, but computed again when they are known,
 * because it has few inputs and many outputs. */
static bool branch_pieces(branch *b)
{
    const size_t time = (size_t)b->x->time, blocks = (time + NN_COLUMNS - 1) / NN_COLUMNS;
    b->sums = calloc(blocks ? blocks : 1, sizeof *b->sums);
    if (!b->sums)
        return nn_engine_fail(b->x->engine, AP_TRY_AGAIN, "out of memory");
    for (b->row = 0; b->row < b->x->rows; b->row++) {
        double sums[2] = {0};
        memset(b->sums, 0, blocks * sizeof *b->sums);
        nn_native_each(b->x->engine, blocks, sum_convolved, b);
        add_up(b->sums, blocks, sums);
        b->standard = standard_of(sums, (double)b->norm->channels * (double)time);
        nn_native_each(b->x->engine, blocks, add_convolved, b);
    }
    free(b->sums);
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
    branch b = {.x = out, .y = y, .conv = conv, .norm = norm, .scale = scale};
    if (rows)
        nn_native_each(x->engine, (size_t)x->rows, branch_row, &b);
    else if (!branch_pieces(&b)) {
        nn_drop(out);
        return NULL;
    }
    return out;
}
