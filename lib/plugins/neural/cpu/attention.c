/* SPDX-License-Identifier: GPL-3.0-or-later
 * attention.c - attention in blocks, so that the scores of all pairs are never there at once (the
 * online softmax of Milakov and Gimelshein 2018, as in FlashAttention). A block's columns are queries, its
 * rows keys: the maximum and the sum of a query are then kept by plain vector operations. */
#include "plugins/neural/cpu/kernels.h"
#include "plugins/neural/cpu/native.h"
#include "plugins/neural/tensor/tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A block. Its scores fit the second cache; many keys, so that the sums of products are long, and many
 * queries, so that keys and values are fetched rarely. */
#define KEYS 256
#define QUERIES 96

typedef struct attention {
    nn_engine *engine;
    const nn_tensor *out;
    /* Queries, keys and values: channels from.. of tensors [rows][channels][time], a head has d of them. */
    const nn_tensor *q, *kv;
    size_t query_from, key_from, value_from;
    size_t heads, d, key_d; /* channels of a head's values, of its keys and queries */
    int64_t memory;         /* keys in all: of all rows of kv, or of one row if local */
    bool local;             /* each row only looks at itself */
    bool penalty;           /* on distance */
    float scale;
    float *decay;           /* local, with penalties: [row][head][time] */
    const nn_tensor *gates; /* [row][heads][time], NULL: none */
    float *packed;          /* [row if local][head]: keys by panels of keys, values by panels of channels */
    size_t padded;          /* keys, rounded up so that panels of keys are whole */
} attention;

/* The line of a channel of a head. */
static const float *line(const nn_tensor *x, int64_t row, size_t channel)
{
    return nn_floats(x) + ((size_t)(row * x->channels) + channel) * (size_t)x->time;
}

/* ---- packing */

static size_t packed_size(const attention *a)
{
    const size_t mr = nn_native_kernels(a->engine)->mr;
    return a->padded * a->key_d + (a->d + mr - 1) / mr * mr * a->padded;
}

/* Packs keys from..from + n of one row to a->padded position at of the head's panels. */
static void pack_keys(const attention *a, int64_t row, size_t head, float *keys, size_t at)
{
    const size_t mr = nn_native_kernels(a->engine)->mr;
    for (size_t c = 0; c < a->key_d; c++) {
        const float *in = line(a->kv, row, a->key_from + head * a->key_d + c);
        float *panel = keys + (at / mr * a->key_d + c) * mr;
        for (size_t i = 0, r = at % mr; i < (size_t)a->kv->time; panel += a->key_d * mr, r = 0)
            for (; r < mr && i < (size_t)a->kv->time; r++)
                panel[r] = in[i++];
    }
}

static void pack_values(const attention *a, int64_t row, size_t head, float *values, size_t at)
{
    const size_t mr = nn_native_kernels(a->engine)->mr;
    for (size_t c = 0; c < a->d; c++) {
        const float *in = line(a->kv, row, a->value_from + head * a->d + c);
        float *to = values + (c / mr * a->padded + at) * mr + c % mr;
        for (size_t i = 0; i < (size_t)a->kv->time; i++)
            to[i * mr] = in[i];
    }
}

/* Keys and values that are packed together: a head, of one row if local. */
static size_t sets_of(const attention *a)
{
    return (a->local ? (size_t)a->kv->rows : 1) * a->heads;
}

static void pack_set(const void *job, size_t i)
{
    const attention *a = job;
    const size_t size = packed_size(a);
    float *keys = a->packed + i * size, *values = keys + a->padded * a->key_d;
    const int64_t first = a->local ? (int64_t)(i / a->heads) : 0, rows = a->local ? 1 : a->kv->rows;
    memset(keys, 0, size * sizeof *keys);
    for (int64_t row = 0; row < rows; row++) {
        pack_keys(a, first + row, i % a->heads, keys, (size_t)(row * a->kv->time));
        pack_values(a, first + row, i % a->heads, values, (size_t)(row * a->kv->time));
    }
}

/* ---- a block of queries */

/* The running state of a block, all in a thread's scratch. */
typedef struct state {
    float max[QUERIES], sum[QUERIES], correction[QUERIES];
    const float *rows[KEYS];
    float scores[KEYS * QUERIES + NN_SLACK];
} state;

/* LocalState: the penalty grows with the distance; nobody attends to itself. */
static void penalize(const attention *a, float *scores, size_t keys, size_t n, size_t key, size_t query,
                     const float *decay)
{
    for (size_t k = 0; k < keys; k++)
        for (size_t i = 0; i < n; i++) {
            const float distance = fabsf((float)(key + k) - (float)(query + i));
            float *s = &scores[k * n + i];
            *s = distance == 0 ? -100 : *s * a->scale - distance * decay[query + i];
        }
}

/* Adds keys from..from + keys to the result out[d][n] of n queries. */
static void attend(const attention *a, state *st, const float *packed, size_t from, size_t keys,
                   const float *const *queries, size_t query, size_t n, const float *decay, float *out)
{
    const nn_kernels *k = nn_native_kernels(a->engine);
    const float *values = packed + a->padded * a->key_d;
    const nn_product scores = {.a = packed + from * a->key_d,
                               .columns = a->key_d,
                               .b = queries,
                               .m = keys,
                               .n = n,
                               .k = a->key_d,
                               .c = st->scores,
                               .ldc = n};
    k->multiply(&scores);
    if (decay)
        penalize(a, st->scores, keys, n, from, query, decay);
    k->soften(st->scores, keys, n, decay ? 1 : a->scale, st->max, st->sum, st->correction);
    for (size_t c = 0; c < a->d; c++)
        for (size_t i = 0; i < n; i++)
            out[c * n + i] *= st->correction[i];
    for (size_t i = 0; i < keys; i++)
        st->rows[i] = st->scores + i * n;
    const nn_product sum = {values + from * k->mr, a->padded, st->rows, a->d, n, keys, NULL, true, out, n};
    k->multiply(&sum);
}

/* Queries query..query + n of a row and head. */
static void run_block(const attention *a, int64_t row, size_t head, size_t query, size_t n)
{
    state *st = (state *)nn_native_scratch(a->engine);
    const float **queries = (const float **)(st + 1);
    float *out = (float *)(queries + a->key_d);
    const size_t set = a->local ? (size_t)row * a->heads + head : head;
    const float *decay = a->decay ? a->decay + set * (size_t)a->q->time : NULL;
    for (size_t i = 0; i < n; i++) {
        st->max[i] = -1e30f;
        st->sum[i] = 0;
    }
    memset(out, 0, a->d * n * sizeof *out);
    for (size_t c = 0; c < a->key_d; c++)
        queries[c] = line(a->q, row, a->query_from + head * a->key_d + c) + query;
    for (size_t from = 0; from < (size_t)a->memory; from += KEYS) {
        const size_t left = (size_t)a->memory - from;
        attend(a, st, a->packed + set * packed_size(a), from, left < KEYS ? left : KEYS, queries, query, n,
               decay, out);
    }
    for (size_t c = 0; c < a->d; c++) {
        float *to =
            nn_floats(a->out) + ((size_t)(row * a->out->channels) + head * a->d + c) * (size_t)a->q->time;
        for (size_t i = 0; i < n; i++)
            to[query + i] = out[c * n + i] / st->sum[i];
        if (a->gates)
            nn_native_kernels(a->engine)->gate(to + query, line(a->gates, row, head) + query, n);
    }
}

/* Packs, and runs all blocks; heads outside, so that a head's keys and values stay in the cache. */
static nn_tensor *run(attention *a)
{
    const size_t mr = nn_native_kernels(a->engine)->mr, time = (size_t)a->q->time;
    a->memory = a->kv->time * (a->local ? 1 : a->kv->rows);
    a->padded = ((size_t)a->memory + mr - 1) / mr * mr;
    const size_t sets = sets_of(a), decays = a->penalty ? sets * time : 0;
    float *buffer = nn_native_buffer(a->engine, sets * packed_size(a) + decays);
    nn_tensor *out = nn_native_new(a->engine, a->q->rows, (int64_t)(a->heads * a->d), a->q->time);
    if (!buffer || !out ||
        !nn_native_reserve(a->engine,
                           sizeof(state) / sizeof(float) + 2 * a->key_d + a->d * QUERIES + NN_SLACK)) {
        nn_drop(out);
        return NULL;
    }
    a->out = out;
    a->packed = buffer;
    a->decay = a->penalty ? buffer + sets * packed_size(a) : NULL;
    nn_native_each(a->engine, sets, pack_set, a);
    return out;
}

static size_t blocks_of(const attention *a)
{
    return ((size_t)a->q->time + QUERIES - 1) / QUERIES;
}

static void run_block_number(const void *job, size_t i)
{
    const attention *a = job;
    const size_t rows = (size_t)a->q->rows, blocks = blocks_of(a);
    const size_t query = i % blocks * QUERIES, left = (size_t)a->q->time - query;
    run_block(a, (int64_t)(i / blocks % rows), i / blocks / rows, query, left < QUERIES ? left : QUERIES);
}

static void run_blocks(const attention *a)
{
    nn_native_each(a->engine, a->heads * (size_t)a->q->rows * blocks_of(a), run_block_number, a);
}

nn_tensor *nn_native_attention(nn_tensor *q, nn_tensor *kv, int heads)
{
    const size_t channels = (size_t)q->channels;
    attention a = {
        .engine = q->engine, .q = q, .kv = kv, .heads = (size_t)heads, .d = channels / (size_t)heads};
    a.value_from = channels;
    a.key_d = a.d;
    a.scale = 1 / sqrtf((float)a.d);
    nn_tensor *out = run(&a);
    if (out)
        run_blocks(&a);
    return out;
}

/* The penalty per step of distance: sum over f of (f + 1) sigmoid(decay f) / 2 / sqrt(decays). */
static void set_decay(const attention *a, int decays)
{
    const size_t time = (size_t)a->q->time;
    for (size_t i = 0; i < (size_t)a->q->rows * a->heads; i++) {
        float *to = a->decay + i * time;
        const int64_t row = (int64_t)(i / a->heads);
        const size_t from = 3 * a->heads * a->d + i % a->heads * (size_t)decays;
        memset(to, 0, time * sizeof *to);
        for (int f = 0; f < decays; f++) {
            const float *in = line(a->q, row, from + (size_t)f),
                        slope = (float)(f + 1) / 2 / sqrtf((float)decays);
            for (size_t t = 0; t < time; t++)
                to[t] += slope / (1 + expf(-in[t]));
        }
    }
}

nn_tensor *nn_native_local_attention(nn_tensor *x, int channels, int heads, int decays)
{
    attention a = {
        .engine = x->engine, .q = x, .kv = x, .heads = (size_t)heads, .local = true, .penalty = true};
    a.d = (size_t)(channels / heads);
    a.key_d = a.d;
    a.key_from = (size_t)channels;
    a.value_from = 2 * (size_t)channels;
    a.scale = 1 / sqrtf((float)a.d);
    nn_tensor *out = run(&a);
    if (out) {
        set_decay(&a, decays);
        run_blocks(&a);
    }
    return out;
}

/* ---- with places */

void nn_native_angles(const nn_places *places, const float *bias, size_t count, size_t time, float *cosines)
{
    for (size_t i = 0; i < count; i++)
        for (size_t t = 0; t < time; t++) {
            const float b = !bias                        ? 0
                            : bias[i] > 0                ? 0
                            : bias[i] < -2 * (float)M_PI ? -2 * (float)M_PI
                                                         : bias[i];
            const float angle = (float)t * places->frequencies[i] + b;
            cosines[i * time + t] = cosf(angle);
            cosines[(count + i) * time + t] = sinf(angle);
        }
}

/* Queries and keys, and the angles of nn_native_angles. */
typedef struct rotation {
    const nn_tensor *x;
    size_t inner, pairs; /* channels of all heads; pairs of lines of a head */
    const float *cosines;
} rotation;

/* Turns a neighbouring pair of lines. */
static void rotate(const void *job, size_t i)
{
    const rotation *r = job;
    const size_t time = (size_t)r->x->time, row = i / r->inner, pair = i % r->inner;
    const float *cosines = r->cosines + pair % r->pairs * time;
    float *a = nn_floats(r->x) + (row * (size_t)r->x->channels + 2 * pair) * time;
    nn_native_kernels(r->x->engine)->rotate(a, a + time, cosines, cosines + r->pairs * time, time);
}

/* Queries and keys [r][2c][t] as [r][4c][t], and the values after them: each magnitude with its cosine, then
 * its sine, head by head. */
static nn_tensor *to_polar(const nn_tensor *x, size_t heads, size_t d, const nn_places *places, float *angles)
{
    const nn_kernels *k = nn_native_kernels(x->engine);
    const size_t time = (size_t)x->time, inner = heads * d;
    nn_tensor *y = nn_native_new(x->engine, x->rows, (int64_t)(5 * inner), x->time);
    for (size_t part = 0; y && part < 2 * heads; part++) {
        nn_native_angles(places, part < heads ? NULL : places->polar_bias + (part - heads) * d, d, time,
                         angles);
        for (int64_t row = 0; row < x->rows; row++)
            for (size_t c = 0; c < d; c++) {
                float *to = nn_floats(y) + ((size_t)(row * y->channels) + 2 * part * d + c) * time;
                float *sine = to + d * time;
                memcpy(to, line(x, row, part * d + c), time * sizeof *to);
                k->softplus(to, time);
                memcpy(sine, to, time * sizeof *to);
                k->multiply_by(to, angles + c * time, time);
                k->multiply_by(sine, angles + (d + c) * time, time);
            }
    }
    for (int64_t row = 0; y && row < x->rows; row++)
        memcpy(nn_floats(y) + ((size_t)(row * y->channels) + 4 * inner) * time, line(x, row, 2 * inner),
               inner * time * sizeof(float));
    return y;
}

static nn_tensor *attend_turned(const nn_tensor *x, const nn_tensor *gates, size_t heads, size_t d,
                                size_t key_d)
{
    attention a = {.engine = x->engine,
                   .q = x,
                   .kv = x,
                   .gates = gates,
                   .heads = heads,
                   .d = d,
                   .key_d = key_d,
                   .key_from = heads * key_d,
                   .value_from = 2 * heads * key_d,
                   .scale = 1 / sqrtf((float)d),
                   .local = true};
    nn_tensor *out = run(&a);
    if (out)
        run_blocks(&a);
    return out;
}

nn_tensor *nn_native_turned_attention(nn_tensor *x, nn_tensor *gates, int heads)
{
    const size_t d = (size_t)x->channels / 3 / (size_t)heads;
    return attend_turned(x, gates, (size_t)heads, d, d);
}

nn_tensor *nn_native_row_attention(nn_tensor *x, nn_tensor *gates, int heads, const nn_places *places)
{
    const size_t inner = (size_t)x->channels / 3, d = inner / (size_t)heads, time = (size_t)x->time;
    const bool polar = places->polar_bias != NULL;
    float *angles = malloc(2 * d * time * sizeof *angles);
    nn_tensor *turned = NULL, *out = NULL;
    if (!angles)
        nn_engine_fail(x->engine, AP_TRY_AGAIN, "out of memory");
    else if (polar)
        turned = to_polar(x, (size_t)heads, d, places, angles);
    else if ((turned = nn_native_own(x))) {
        nn_native_angles(places, NULL, d / 2, time, angles);
        nn_native_each(x->engine, (size_t)x->rows * inner, rotate, &(rotation){turned, inner, d / 2, angles});
    }
    if (turned)
        out = attend_turned(turned, gates, (size_t)heads, d, polar ? 2 * d : d);
    nn_drop(turned);
    free(angles);
    return out;
}
