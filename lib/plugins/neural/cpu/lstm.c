/* SPDX-License-Identifier: GPL-3.0-or-later
 * lstm.c - the bidirectional LSTM. All sequences (rows) advance together: a line of a matrix holds the
 * rows of one moment side by side, moment after moment. */
#include "plugins/neural/cpu/kernels.h"
#include "plugins/neural/cpu/native.h"
#include "plugins/neural/tensor/backend.h"
#include "plugins/neural/tensor/tensor.h"

#include <stdlib.h>
#include <string.h>

/* Rows of one moment, rounded up to whole vectors. */
#define LANES 16

/* One direction of one layer, packed. */
typedef struct direction {
    float *input, *hidden, *bias;
    size_t in;
} direction;

static bool pack_direction(const nn_lstm *layer, direction *d, size_t in, const nn_lstm_weights *w)
{
    const nn_kernels *k = nn_native_kernels(layer->engine);
    const size_t h = (size_t)layer->hidden, gates = 4 * h;
    d->in = in;
    d->input = malloc(nn_packed_size(k, gates, in) * sizeof *d->input);
    d->hidden = malloc(nn_packed_size(k, gates, h) * sizeof *d->hidden);
    d->bias = calloc(gates + k->mr, sizeof *d->bias);
    if (!d->input || !d->hidden || !d->bias)
        return false;
    nn_pack(k, w->input, gates, in, in, 1, d->input);
    nn_pack(k, w->hidden, gates, h, h, 1, d->hidden);
    memcpy(d->bias, w->bias, gates * sizeof *d->bias);
    return true;
}

bool nn_native_new_lstm(nn_lstm *layer, const nn_lstm_weights *weights)
{
    const int count = 2 * layer->layers;
    direction *d = calloc((size_t)count, sizeof *d);
    layer->data = d;
    bool ok = d != NULL;
    for (int i = 0; ok && i < count; i++)
        ok = pack_direction(layer, &d[i], (size_t)(i < 2 ? layer->in : 2 * layer->hidden), &weights[i]);
    if (ok)
        return true;
    nn_native_free_lstm(layer);
    return nn_engine_fail(layer->engine, AP_TRY_AGAIN, "out of memory");
}

void nn_native_free_lstm(nn_lstm *layer)
{
    direction *d = layer->data;
    for (int i = 0; d && i < 2 * layer->layers; i++) {
        free(d[i].input);
        free(d[i].hidden);
        free(d[i].bias);
    }
    free(d);
    layer->data = NULL;
}

/* ---- running */

/* The matrices of a run; every line has `line` floats and some slack. */
typedef struct run {
    const nn_lstm *layer;
    size_t rows, lanes, time, line;
    float *in, *out; /* [channels][line] */
    float *gates[2]; /* [4h][line] of each direction */
    float *step[2];  /* [4h][lanes], c[h][lanes], h[h][lanes] */
    const float **pointers[2];
} run;

/* What a layer adds to a run; a side is a direction. */
typedef struct level {
    const run *run;
    const direction *directions; /* [2] */
} level;

/* The input matrix of a side times some columns, of all moments. */
static void project(const void *job, size_t i)
{
    const level *l = job;
    const run *r = l->run;
    const nn_engine *engine = r->layer->engine;
    const size_t side = i % 2, from = i / 2 * NN_COLUMNS, left = r->line - from;
    const direction *d = &l->directions[side];
    const float **b = (const float **)nn_native_scratch(engine);
    for (size_t c = 0; c < d->in; c++)
        b[c] = r->in + c * r->line + from;
    const nn_product p = {
        d->input, d->in,   b,     4 * (size_t)r->layer->hidden, left < NN_COLUMNS ? left : NN_COLUMNS,
        d->in,    d->bias, false, r->gates[side] + from,        r->line};
    nn_native_kernels(engine)->multiply(&p);
}

/* One moment of one direction: the gates from the input, plus those from what was there before. */
static void advance(const run *r, const direction *d, size_t side, size_t t, float *out)
{
    const nn_kernels *k = nn_native_kernels(r->layer->engine);
    const size_t h = (size_t)r->layer->hidden, lanes = r->lanes, size = h * lanes;
    float *g = r->step[side], *c = g + 4 * size, *state = c + size;
    for (size_t i = 0; i < 4 * h; i++)
        memcpy(g + i * lanes, r->gates[side] + i * r->line + t * lanes, lanes * sizeof *g);
    const nn_product p = {d->hidden, h, r->pointers[side], 4 * h, lanes, h, NULL, true, g, lanes};
    k->multiply(&p);
    k->lstm_cell(g, g + size, g + 2 * size, g + 3 * size, c, state, size);
    for (size_t i = 0; i < h; i++)
        memcpy(out + i * r->line + t * lanes, state + i * lanes, lanes * sizeof *out);
}

static void run_direction(const void *job, size_t side)
{
    const level *l = job;
    const run *r = l->run;
    const size_t h = (size_t)r->layer->hidden, size = h * r->lanes;
    float *state = r->step[side] + 5 * size;
    memset(r->step[side] + 4 * size, 0, 2 * size * sizeof(float));
    for (size_t i = 0; i < h; i++)
        r->pointers[side][i] = state + i * r->lanes;
    for (size_t i = 0; i < r->time; i++)
        advance(r, &l->directions[side], side, side ? r->time - 1 - i : i, r->out + side * h * r->line);
}

static void run_layers(run *r)
{
    const direction *directions = r->layer->data;
    const size_t blocks = (r->line + NN_COLUMNS - 1) / NN_COLUMNS;
    for (int layer = 0; layer < r->layer->layers; layer++) {
        const level l = {r, directions + 2 * layer};
        nn_native_each(r->layer->engine, 2 * blocks, project, &l);
        nn_native_each(r->layer->engine, 2, run_direction, &l);
        float *swap = r->in;
        r->in = r->out;
        r->out = swap;
    }
}

/* x[row][channel][t] <-> matrix[channel][t * lanes + row] */
static void to_lines(const run *r, const nn_tensor *x, float *matrix)
{
    memset(matrix, 0, (size_t)x->channels * r->line * sizeof *matrix);
    for (size_t i = 0; i < r->rows * (size_t)x->channels; i++) {
        const float *from = nn_floats(x) + i * r->time;
        float *to = matrix + i % (size_t)x->channels * r->line + i / (size_t)x->channels;
        for (size_t t = 0; t < r->time; t++)
            to[t * r->lanes] = from[t];
    }
}

static void from_lines(const run *r, const float *matrix, const nn_tensor *y)
{
    for (size_t i = 0; i < r->rows * (size_t)y->channels; i++) {
        float *to = nn_floats(y) + i * r->time;
        const float *from = matrix + i % (size_t)y->channels * r->line + i / (size_t)y->channels;
        for (size_t t = 0; t < r->time; t++)
            to[t] = from[t * r->lanes];
    }
}

nn_tensor *nn_native_run_lstm(nn_tensor *x, const nn_lstm *layer)
{
    const size_t h = (size_t)layer->hidden, in = (size_t)layer->in, widest = in > 2 * h ? in : 2 * h;
    run r = {.layer = layer, .rows = (size_t)x->rows, .time = (size_t)x->time};
    r.lanes = (r.rows + LANES - 1) / LANES * LANES;
    r.line = r.lanes * r.time;
    const size_t matrix = widest * r.line + NN_SLACK, gates = 4 * h * r.line + NN_SLACK;
    const size_t step = 6 * h * r.lanes + NN_SLACK;
    float *buffer = nn_native_buffer(x->engine, 2 * (matrix + gates + step + 2 * h));
    nn_tensor *y = nn_native_new(x->engine, x->rows, 2 * (int64_t)h, x->time);
    if (!buffer || !y || !nn_native_reserve(x->engine, 2 * widest)) {
        nn_drop(y);
        return NULL;
    }
    r.pointers[0] = (const float **)buffer;
    r.pointers[1] = r.pointers[0] + h;
    r.in = (float *)(r.pointers[1] + h);
    r.out = r.in + matrix;
    for (int side = 0; side < 2; side++) {
        r.gates[side] = r.out + matrix + (size_t)side * gates;
        r.step[side] = r.out + matrix + 2 * gates + (size_t)side * step;
    }
    to_lines(&r, x, r.in);
    run_layers(&r);
    from_lines(&r, r.in, y);
    return y;
}
