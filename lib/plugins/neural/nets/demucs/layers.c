/* SPDX-License-Identifier: GPL-3.0-or-later
 * layers.c - the layers of Demucs, as in the original's demucs.py and hdemucs.py. */
#include "plugins/neural/nets/demucs/layers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Constants of the original that no argument changes. */
#define DCONV_KERNEL 3
#define ATTENTION_HEADS 4
#define ATTENTION_DECAYS 4
#define LSTM_LAYERS 2
#define LSTM_WINDOW 200

/* ---- DConv */

/* The four layers that look at the same input become one: query, key, content, decay. */
static nn_conv *load_attention(nn_loader *loader, const char *name, int c)
{
    static const char *const parts[] = {"query", "key", "content", "query_decay"};
    const int last = ATTENTION_HEADS * ATTENTION_DECAYS, out = 3 * c + last;
    float *weight = malloc((size_t)out * (size_t)c * sizeof *weight),
          *bias = malloc((size_t)out * sizeof *bias);
    if (!weight || !bias)
        nn_loader_no_memory(loader);
    for (int i = 0; i < 4; i++) {
        const int rows = i < 3 ? c : last;
        float *w =
            nn_load(loader, nn_name_of("%s.%s.weight", name, parts[i]).text, 3, (int64_t[]){rows, c, 1});
        float *b = nn_load_vector(loader, nn_name_of("%s.%s.bias", name, parts[i]).text, rows);
        if (w && b) {
            memcpy(weight + i * c * c, w, (size_t)(rows * c) * sizeof *w);
            memcpy(bias + i * c, b, (size_t)rows * sizeof *b);
        }
        free(w);
        free(b);
    }
    const nn_conv_shape shape = {c, out, 1, 1, 1, 1, 0, 0, 1, false};
    nn_conv *layer =
        loader->failed ? NULL : nn_loader_made(loader, nn_conv_new(loader->engine, &shape, weight, bias));
    free(weight);
    free(bias);
    return layer;
}

/* One direction of one layer; PyTorch's two biases are only ever added. */
static void load_direction(nn_loader *loader, const char *name, int index, int h, float *tensors[3])
{
    const char *suffix = index % 2 ? "_reverse" : "";
    const int layer = index / 2;
    const int64_t in = layer ? 2 * h : h;
    tensors[0] = nn_load(loader, nn_name_of("%s.weight_ih_l%d%s", name, layer, suffix).text, 2,
                         (int64_t[]){4 * h, in});
    tensors[1] =
        nn_load(loader, nn_name_of("%s.weight_hh_l%d%s", name, layer, suffix).text, 2, (int64_t[]){4 * h, h});
    tensors[2] = nn_load_vector(loader, nn_name_of("%s.bias_ih_l%d%s", name, layer, suffix).text, 4 * h);
    float *more = nn_load_vector(loader, nn_name_of("%s.bias_hh_l%d%s", name, layer, suffix).text, 4 * h);
    for (int i = 0; more && i < 4 * h; i++)
        tensors[2][i] += more[i];
    free(more);
}

static nn_lstm *load_lstm(nn_loader *loader, const char *name, int h)
{
    float *tensors[2 * LSTM_LAYERS][3] = {{0}};
    nn_lstm_weights weights[2 * LSTM_LAYERS];
    for (int i = 0; i < 2 * LSTM_LAYERS; i++) {
        load_direction(loader, name, i, h, tensors[i]);
        weights[i] = (nn_lstm_weights){tensors[i][0], tensors[i][1], tensors[i][2]};
    }
    nn_lstm *layer = NULL;
    if (!loader->failed)
        layer = nn_loader_made(loader, nn_lstm_new(loader->engine, h, h, LSTM_LAYERS, weights));
    for (int i = 0; i < 2 * LSTM_LAYERS; i++)
        for (int j = 0; j < 3; j++)
            free(tensors[i][j]);
    return layer;
}

static const nn_conv_shape pointwise = {
    .kernel_rows = 1, .kernel = 1, .stride_rows = 1, .stride = 1, .dilation = 1};

static nn_conv *load_pointwise(nn_loader *loader, const char *name, int in, int out)
{
    nn_conv_shape shape = pointwise;
    shape.in = in;
    shape.out = out;
    return nn_load_conv(loader, name, &shape, true);
}

/* The Linear after the LSTM: its weight has no kernel dimension. */
static nn_conv *load_linear(nn_loader *loader, const char *name, int in, int out)
{
    nn_conv_shape shape = pointwise;
    shape.in = in;
    shape.out = out;
    float *weight = nn_load(loader, nn_name_of("%s.weight", name).text, 2, (int64_t[]){out, in});
    float *bias = nn_load_vector(loader, nn_name_of("%s.bias", name).text, out);
    nn_conv *layer =
        weight && bias ? nn_loader_made(loader, nn_conv_new(loader->engine, &shape, weight, bias)) : NULL;
    free(weight);
    free(bias);
    return layer;
}

static void load_branch(nn_loader *loader, const char *name, const nn_dconv_options *o, int dilation,
                        nn_branch *b)
{
    const int hidden = (int)(o->channels / o->compress), pad = dilation * (DCONV_KERNEL / 2);
    const nn_conv_shape squeeze = {o->channels, hidden, 1, DCONV_KERNEL, 1, 1, 0, pad, dilation, false};
    b->hidden = hidden;
    b->squeeze = nn_load_conv(loader, nn_name_of("%s.0", name).text, &squeeze, true);
    b->norm1 = nn_load_norm(loader, nn_name_of("%s.1", name).text, NN_OVER_ROW, 1, hidden);
    int index = 3; /* 2 is GELU */
    if (o->lstm) {
        b->lstm = load_lstm(loader, nn_name_of("%s.%d.lstm", name, index).text, hidden);
        b->lstm_linear =
            load_linear(loader, nn_name_of("%s.%d.linear", name, index).text, 2 * hidden, hidden);
        index++;
    }
    if (o->attention) {
        b->attention_in = load_attention(loader, nn_name_of("%s.%d", name, index).text, hidden);
        b->attention_out = load_pointwise(loader, nn_name_of("%s.%d.proj", name, index).text, hidden, hidden);
        index++;
    }
    b->expand = load_pointwise(loader, nn_name_of("%s.%d", name, index).text, hidden, 2 * o->channels);
    b->norm2 =
        nn_load_norm(loader, nn_name_of("%s.%d", name, index + 1).text, NN_OVER_ROW, 1, 2 * o->channels);
    b->scale = nn_load_scale(loader, nn_name_of("%s.%d.scale", name, index + 3).text, o->channels);
}

static void dconv_load(nn_loader *loader, const char *name, const nn_dconv_options *options, nn_dconv *d)
{
    d->depth = abs(options->depth);
    for (int i = 0; i < d->depth && !loader->failed; i++)
        load_branch(loader, nn_name_of("%s.layers.%d", name, i).text, options,
                    options->depth > 0 ? 1 << i : 1, &d->branches[i]);
}

static void dconv_free(nn_dconv *d)
{
    for (int i = 0; i < d->depth; i++) {
        nn_branch *b = &d->branches[i];
        nn_conv_free(b->squeeze);
        nn_conv_free(b->expand);
        nn_norm_free(b->norm1);
        nn_norm_free(b->norm2);
        nn_norm_free(b->scale);
        nn_lstm_free(b->lstm);
        nn_conv_free(b->lstm_linear);
        nn_conv_free(b->attention_in);
        nn_conv_free(b->attention_out);
    }
}

/* Long sequences go through the LSTM in overlapping windows, all at once. */
static nn_tensor *apply_lstm(nn_tensor *x, const nn_branch *b)
{
    const int64_t rows = nn_rows(x), time = nn_time(x);
    nn_tensor *y = nn_keep(x);
    if (time > LSTM_WINDOW)
        y = nn_windows(y, LSTM_WINDOW, LSTM_WINDOW / 2);
    y = nn_convolve(nn_run_lstm(y, b->lstm), b->lstm_linear, NN_LINEAR);
    if (time > LSTM_WINDOW)
        y = nn_join_windows(y, rows, LSTM_WINDOW / 2, time);
    return nn_add(y, x);
}

static nn_tensor *apply_branch(nn_tensor *x, const nn_branch *b)
{
    nn_tensor *y = nn_convolve_normalized(nn_keep(x), b->squeeze, b->norm1, NN_GELU);
    if (b->lstm)
        y = apply_lstm(y, b);
    if (b->attention_in) {
        nn_tensor *z = nn_convolve(nn_keep(y), b->attention_in, NN_LINEAR);
        z = nn_local_attention(z, b->hidden, ATTENTION_HEADS, ATTENTION_DECAYS);
        y = nn_add_convolved(y, z, b->attention_out);
    }
    return nn_add_branch(x, y, b->expand, b->norm2, b->scale);
}

static nn_tensor *dconv_apply(nn_tensor *x, const nn_dconv *d)
{
    for (int i = 0; i < d->depth; i++)
        x = apply_branch(x, &d->branches[i]);
    return x;
}

/* ---- encoder and decoder layers */

/* A convolution along the layer's own axis. */
static nn_conv_shape along(const nn_layer_options *o, int in, int out, int kernel, int stride, int pad)
{
    nn_conv_shape s = pointwise;
    s.in = in;
    s.out = out;
    *(o->spectral ? &s.kernel_rows : &s.kernel) = kernel;
    *(o->spectral ? &s.stride_rows : &s.stride) = stride;
    *(o->spectral ? &s.pad_rows : &s.pad) = pad;
    return s;
}

/* The convolution of 1 + 2 context on every axis that mixes channels. */
static nn_conv *load_rewrite(nn_loader *loader, const char *name, const nn_layer_options *o, int channels)
{
    nn_conv_shape s = along(o, channels, 2 * channels, 1 + 2 * o->context, 1, o->context);
    s.kernel = 1 + 2 * o->context;
    s.pad = o->context;
    return nn_load_conv(loader, nn_name_of("%s.rewrite", name).text, &s, !o->spectral);
}

static nn_norm *load_group_norm(nn_loader *loader, const char *name, const nn_layer_options *o, int channels)
{
    return o->norm_groups ? nn_load_norm(loader, name, NN_OVER_ALL, o->norm_groups, channels) : NULL;
}

void nn_encoder_load(nn_loader *loader, const char *name, const nn_layer_options *o, nn_layer *layer)
{
    layer->options = *o;
    layer->pad = o->pad ? o->kernel / 4 : 0;
    const nn_conv_shape conv = along(o, o->in, o->out, o->kernel, o->stride, layer->pad);
    layer->conv = nn_load_conv(loader, nn_name_of("%s.conv", name).text, &conv, !o->spectral);
    if (o->empty)
        return;
    layer->norm1 = load_group_norm(loader, nn_name_of("%s.norm1", name).text, o, o->out);
    layer->rewrite = load_rewrite(loader, name, o, o->out);
    layer->norm2 = load_group_norm(loader, nn_name_of("%s.norm2", name).text, o, 2 * o->out);
    if (o->dconv)
        dconv_load(loader, nn_name_of("%s.dconv", name).text, &o->branch, &layer->dconv);
}

void nn_decoder_load(nn_loader *loader, const char *name, const nn_layer_options *o, nn_layer *layer)
{
    layer->options = *o;
    layer->pad = o->pad ? o->kernel / 4 : 0;
    nn_conv_shape conv = along(o, o->in, o->out, o->kernel, o->stride, 0);
    conv.transposed = true;
    layer->conv = nn_load_conv(loader, nn_name_of("%s.conv_tr", name).text, &conv, !o->spectral);
    layer->norm2 = load_group_norm(loader, nn_name_of("%s.norm2", name).text, o, o->out);
    if (o->empty)
        return;
    layer->norm1 = load_group_norm(loader, nn_name_of("%s.norm1", name).text, o, 2 * o->in);
    layer->rewrite = load_rewrite(loader, name, o, o->in);
    if (o->dconv)
        dconv_load(loader, nn_name_of("%s.dconv", name).text, &o->branch, &layer->dconv);
}

void nn_layer_free(nn_layer *layer)
{
    nn_conv_free(layer->conv);
    nn_conv_free(layer->rewrite);
    nn_norm_free(layer->norm1);
    nn_norm_free(layer->norm2);
    dconv_free(&layer->dconv);
}

/* Convolution, norm if there is one, activation. */
static nn_tensor *convolve_normalize(nn_tensor *x, const nn_conv *conv, const nn_norm *norm, nn_act act)
{
    if (!norm)
        return nn_convolve(x, conv, act);
    return nn_convolve_normalized(x, conv, norm, act);
}

nn_tensor *nn_encode(nn_tensor *x, const nn_layer *layer, nn_tensor *inject, bool injected)
{
    const nn_layer_options *o = &layer->options;
    if (!o->spectral)
        x = nn_pad_time(x, o->stride);
    if (o->empty)
        return nn_convolve(x, layer->conv, NN_LINEAR);
    if (injected) {
        x = nn_add(nn_convolve(x, layer->conv, NN_LINEAR), inject);
        x = layer->norm1 ? nn_normalize(x, layer->norm1, NN_GELU) : nn_activate(x, NN_GELU);
    } else {
        x = convolve_normalize(x, layer->conv, layer->norm1, NN_GELU);
    }
    x = dconv_apply(x, &layer->dconv);
    return convolve_normalize(x, layer->rewrite, layer->norm2, NN_GLU);
}

nn_tensor *nn_decode(nn_tensor *x, const nn_layer *layer, int64_t length, nn_tensor **pre)
{
    const nn_layer_options *o = &layer->options;
    if (!o->empty) {
        x = convolve_normalize(x, layer->rewrite, layer->norm1, NN_GLU);
        x = dconv_apply(x, &layer->dconv);
    }
    if (pre)
        *pre = nn_keep(x);
    nn_crop_to crop = {0};
    if (o->spectral) {
        crop.from_row = layer->pad;
        crop.rows = (nn_rows(x) - 1) * o->stride + o->kernel - 2 * layer->pad;
    } else {
        crop.from = layer->pad;
        crop.time = length;
    }
    const nn_act act = o->last ? NN_LINEAR : NN_GELU;
    if (!layer->norm2)
        return nn_convolve_transposed(x, layer->conv, crop, act);
    /* The norm sees what the crop drops. */
    x = nn_convolve_transposed(x, layer->conv, (nn_crop_to){0}, NN_LINEAR);
    return nn_crop(nn_normalize(x, layer->norm2, act), crop);
}
