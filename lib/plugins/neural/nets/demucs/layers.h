/* SPDX-License-Identifier: GPL-3.0-or-later
 * layers.h - the layers of Demucs: made from the tensors of a checkpoint, and applied. */
#ifndef NN_LAYERS_H
#define NN_LAYERS_H

#include "plugins/neural/nets/loader.h"
#include "plugins/neural/tensor/tensor.h"

/* ---- DConv: a residual branch of small dilated convolutions */

#define NN_MAX_BRANCHES 8

typedef struct nn_branch {
    nn_conv *squeeze, *expand;
    nn_norm *norm1, *norm2, *scale;
    nn_lstm *lstm; /* NULL: none */
    nn_conv *lstm_linear;
    nn_conv *attention_in, *attention_out; /* NULL: none */
    int hidden;
} nn_branch;

typedef struct nn_dconv {
    nn_branch branches[NN_MAX_BRANCHES];
    int depth; /* 0: none */
} nn_dconv;

typedef struct nn_dconv_options {
    int channels, depth; /* depth < 0: not dilated */
    double compress;
    bool lstm, attention;
} nn_dconv_options;

/* ---- encoder and decoder layers of both branches */

typedef struct nn_layer_options {
    int in, out;
    int kernel, stride, context;
    bool spectral; /* over the rows, else over time */
    bool pad, empty, last;
    int norm_groups; /* 0: no norms */
    bool dconv;
    nn_dconv_options branch;
} nn_layer_options;

typedef struct nn_layer {
    nn_layer_options options;
    int pad;
    nn_conv *conv, *rewrite;
    nn_norm *norm1, *norm2;
    nn_dconv dconv;
} nn_layer;

void nn_encoder_load(nn_loader *loader, const char *name, const nn_layer_options *options, nn_layer *layer);
void nn_decoder_load(nn_loader *loader, const char *name, const nn_layer_options *options, nn_layer *layer);
void nn_layer_free(nn_layer *layer);
/* injected: inject, from the waveform branch, is added after the convolution. */
nn_tensor *nn_encode(nn_tensor *x, const nn_layer *layer, nn_tensor *inject, bool injected);
/* pre, if not NULL, gets the input of the transposed convolution. length: of the result of a waveform layer.
 */
nn_tensor *nn_decode(nn_tensor *x, const nn_layer *layer, int64_t length, nn_tensor **pre);

#endif
