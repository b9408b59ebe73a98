/* SPDX-License-Identifier: GPL-3.0-or-later
 * cost.c - how many operations a segment takes: each weight is a multiplication and an addition at every
 * place where its layer is applied, so the names and shapes of the tensors tell it. */
#include "plugins/neural/nets/demucs/hybrid.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An LSTM goes through longer input in windows of this length that overlap by half. */
#define LSTM_WINDOW 200

/* Lengths before the first layer, and after each: rows and frames of the spectrum, frames of the waveform. */
typedef struct lengths {
    double rows[NN_MAX_DEPTH + 1], frames[NN_MAX_DEPTH + 1], time[NN_MAX_DEPTH + 1];
    int depth, tdepth;
} lengths;

static lengths lengths_of(const nn_settings *s, int64_t segment)
{
    lengths l = {.depth = s->depth};
    l.rows[0] = s->nfft / 2;
    l.frames[0] = ceil((double)segment / (s->nfft / 4));
    l.time[0] = (double)segment;
    for (int i = 0; i < s->depth; i++) {
        const bool spectral = l.rows[i] > 1, last = l.rows[i] <= s->kernel_size;
        l.tdepth += spectral;
        l.rows[i + 1] = last ? 1 : floor(l.rows[i] / s->stride);
        l.frames[i + 1] = spectral ? l.frames[i] : ceil(l.frames[i] / s->time_stride);
        l.time[i + 1] = ceil(l.time[i] / s->stride);
    }
    return l;
}

/* Reads "PREFIX.<number>." at the start of a name; the number, or -1. */
static int number_after(const char *name, const char *prefix)
{
    char *end;
    const size_t n = strlen(prefix);
    if (strncmp(name, prefix, n) != 0)
        return -1;
    const long number = strtol(name + n, &end, 10);
    return end > name + n && *end == '.' && number >= 0 && number < NN_MAX_DEPTH ? (int)number : -1;
}

/* The product of queries and keys, and that of the result and values. */
static double attention(double queries, double keys, double channels)
{
    return 4 * queries * keys * channels;
}

/* A weight of a U-Net's layer, which is applied in rows times frames places. */
static double layer_cost(const nn_stored *t, double rows, double frames)
{
    double cost = 2 * (double)nn_stored_count(t) * rows * frames;
    if (strstr(t->name, ".lstm.") && frames > LSTM_WINDOW)
        cost *= 2;
    if (strstr(t->name, ".content.weight"))
        cost += rows * attention(frames, frames, (double)t->size[0]);
    return cost;
}

/* A weight of the transformer, between own moments and those of the other branch. */
static double transformer_cost(const nn_stored *t, double own, double other)
{
    const bool cross = strstr(t->name, ".cross_attn.") != NULL;
    const double count = (double)nn_stored_count(t);
    if (!strstr(t->name, ".in_proj_weight"))
        return 2 * count * own;
    const double keys = cross ? other : own;
    return 2 * count * (own + 2 * keys) / 3 + attention(own, keys, (double)t->size[1]);
}

static double tensor_cost(const nn_stored *t, const lengths *l)
{
    const double tokens = l->rows[l->depth] * l->frames[l->depth], moments = l->time[l->depth];
    int i;
    if (t->dims < 2)
        return 0;
    if ((i = number_after(t->name, "encoder.")) >= 0 && i < l->depth)
        return layer_cost(t, l->rows[i + 1], l->frames[i + 1]);
    if ((i = number_after(t->name, "tencoder.")) >= 0 && i < l->tdepth)
        return layer_cost(t, 1, l->time[i + 1]);
    if ((i = number_after(t->name, "decoder.")) >= 0 && i < l->depth)
        return layer_cost(t, l->rows[l->depth - i], l->frames[l->depth - i]);
    if ((i = number_after(t->name, "tdecoder.")) >= 0 && i < l->tdepth)
        return layer_cost(t, 1, l->time[l->tdepth - i]);
    if (strncmp(t->name, "crosstransformer.layers.", 24) == 0)
        return transformer_cost(t, tokens, moments);
    if (strncmp(t->name, "crosstransformer.layers_t.", 26) == 0)
        return transformer_cost(t, moments, tokens);
    if (strncmp(t->name, "channel_", 8) == 0)
        return layer_cost(t, 1, strstr(t->name, "sampler_t.") ? moments : tokens);
    return 0;
}

double nn_hybrid_cost(const nn_checkpoint *c, const nn_settings *s, int64_t segment)
{
    const lengths l = lengths_of(s, segment);
    double cost = 0;
    for (size_t i = 0; i < c->count; i++)
        cost += tensor_cost(&c->tensors[i], &l);
    return cost;
}
