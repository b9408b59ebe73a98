/* SPDX-License-Identifier: GPL-3.0-or-later
 * attention.c - attention in blocks, so that the scores of all pairs are never there at once (the
 * online softmax of Milakov and Gimelshein 2018, as in FlashAttention). A block's columns are queries, its
 * rows keys: the maximum and the sum of a query are then kept by plain vector operations. */
#include "plugins/neural/cpu/kernels.h"
#include "plugins/neural/cpu/native.h"
#include "plugins/neural/tensor/tensor.h"

#include <math.h>
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
    size_t heads, d;
    int64_t memory; /* keys in all: of all rows of kv, or of one row if local */
    bool local;     /* each row only looks at itself, with the penalties decay */
    float scale;
    float *decay;  /* local: [row][head][time] */
    float *packed; /* [row if local][head]: keys by panels of keys, values by panels of channels */
    size_t padded; /* keys, rounded up so that panels of keys are whole */
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
    return a->padded * a->d + (a->d + mr - 1) / mr * mr * a->padded;
}

/* Packs keys from..from + n of one row to a->padded position at of the head's panels. */
static void pack_keys(const attention *a, int64_t row, size_t head, float *keys, size_t at)
{
    const size_t mr = nn_native_kernels(a->engine)->mr;
    for (size_t c = 0; c < a->d; c++) {
        const float *in = line(a->kv, row, a->key_from + head * a->d + c);
        float *panel = keys + (at / mr * a->d + c) * mr;
        for (size_t i = 0, r = at % mr; i < (size_t)a->kv->time; panel += a->d * mr, r = 0)
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

static void pack(const attention *a)
{
    const size_t sets = (a->local ? (size_t)a->kv->rows : 1) * a->heads, size = packed_size(a);
    memset(a->packed, 0, sets * size * sizeof *a->packed);
    NN_PARALLEL(a->engine)
    for (size_t i = 0; i < sets; i++) {
        float *keys = a->packed + i * size, *values = keys + a->padded * a->d;
        const int64_t first = a->local ? (int64_t)(i / a->heads) : 0, rows = a->local ? 1 : a->kv->rows;
        for (int64_t row = 0; row < rows; row++) {
            pack_keys(a, first + row, i % a->heads, keys, (size_t)(row * a->kv->time));
            pack_values(a, first + row, i % a->heads, values, (size_t)(row * a->kv->time));
        }
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
    const float *values = packed + a->padded * a->d;
    const nn_product scores = {packed + from * a->d, a->d, queries, keys, n, a->d, NULL, false,
                               st->scores,           n};
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
    float *out = (float *)(queries + a->d);
    const size_t set = a->local ? (size_t)row * a->heads + head : head;
    const float *decay = a->local ? a->decay + set * (size_t)a->q->time : NULL;
    for (size_t i = 0; i < n; i++) {
        st->max[i] = -1e30f;
        st->sum[i] = 0;
    }
    memset(out, 0, a->d * n * sizeof *out);
    for (size_t c = 0; c < a->d; c++)
        queries[c] = line(a->q, row, a->query_from + head * a->d + c) + query;
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
    }
}

/* Packs, and runs all blocks; heads outside, so that a head's keys and values stay in the cache. */
static nn_tensor *run(attention *a)
{
    const size_t mr = nn_native_kernels(a->engine)->mr, time = (size_t)a->q->time, rows = (size_t)a->q->rows;
    a->memory = a->kv->time * (a->local ? 1 : a->kv->rows);
    a->padded = ((size_t)a->memory + mr - 1) / mr * mr;
    const size_t sets = (a->local ? rows : 1) * a->heads, decays = a->local ? sets * time : 0;
    float *buffer = nn_native_buffer(a->engine, sets * packed_size(a) + decays);
    nn_tensor *out = nn_native_new(a->engine, a->q->rows, (int64_t)(a->heads * a->d), a->q->time);
    if (!buffer || !out ||
        !nn_native_reserve(a->engine, sizeof(state) / sizeof(float) + 2 * a->d + a->d * QUERIES + NN_SLACK)) {
        nn_drop(out);
        return NULL;
    }
    a->out = out;
    a->packed = buffer;
    a->decay = buffer + sets * packed_size(a);
    pack(a);
    return out;
}

static void run_blocks(const attention *a)
{
    const size_t time = (size_t)a->q->time, rows = (size_t)a->q->rows,
                 blocks = (time + QUERIES - 1) / QUERIES;
    NN_PARALLEL(a->engine)
    for (size_t i = 0; i < a->heads * rows * blocks; i++) {
        const size_t query = i % blocks * QUERIES, left = time - query;
        run_block(a, (int64_t)(i / blocks % rows), i / blocks / rows, query, left < QUERIES ? left : QUERIES);
    }
}

nn_tensor *nn_native_attention(nn_tensor *q, nn_tensor *kv, int heads)
{
    const size_t channels = (size_t)q->channels;
    attention a = {
        .engine = q->engine, .q = q, .kv = kv, .heads = (size_t)heads, .d = channels / (size_t)heads};
    a.value_from = channels;
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
    attention a = {.engine = x->engine, .q = x, .kv = x, .heads = (size_t)heads, .local = true};
    a.d = (size_t)(channels / heads);
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
