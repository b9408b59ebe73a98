/* SPDX-License-Identifier: GPL-3.0-or-later
 * types.h - what tensor.h, for networks, and backend.h, for devices, both speak of. */
#ifndef NN_TYPES_H
#define NN_TYPES_H

#include "audiopipe.h"

typedef struct nn_engine nn_engine;
typedef struct nn_tensor nn_tensor;
typedef struct nn_conv nn_conv;
typedef struct nn_norm nn_norm;
typedef struct nn_lstm nn_lstm;
typedef struct nn_linear nn_linear;

/* GLU halves the channels. */
typedef enum nn_act { NN_LINEAR, NN_RELU, NN_GELU, NN_GLU, NN_TANH } nn_act;

/* A convolution over rows and time. Transposed ones go over one of the two. */
typedef struct nn_conv_shape {
    int in, out;
    int kernel_rows, kernel;
    int stride_rows, stride;
    int pad_rows, pad; /* not transposed: zeros on both sides */
    int dilation;      /* in time */
    bool transposed;
} nn_conv_shape;

/* What is normalised together: the channels of each moment (layer norm), or a group of channels at all times
 * of a row, or of all rows (group norm). NN_RMS: x / max(|x|, 1e-12) * sqrt(channels) * weight, of each
 * moment. */
typedef enum nn_norm_over { NN_OVER_CHANNELS, NN_OVER_ROW, NN_OVER_ALL, NN_RMS } nn_norm_over;

/* One direction of one layer: PyTorch's weight_ih [4h][in], weight_hh [4h][h], both biases added [4h]; gates
 * in the order input, forget, cell, output. */
typedef struct nn_lstm_weights {
    const float *input, *hidden, *bias;
} nn_lstm_weights;

/* Weights [out][in] that stay where they are, in a file that is mapped for as long as the layer lives. */
typedef struct nn_weights {
    const void *data;
    bool half;  /* 16 bits (IEEE 754 binary16), else float */
    bool owned; /* by the layer, which frees them */
    int in, out;
} nn_weights;

/* The part of a result that is wanted: from from_row and from on; rows or time 0: all of them. */
typedef struct nn_crop_to {
    int64_t from_row, rows, from, time;
} nn_crop_to;

/* How attention knows places. */
typedef struct nn_places {
    const float *frequencies; /* [d / 2] of neighbouring pairs; polar: [d] */
    const float *polar_bias;  /* [heads][d]; NULL: pairs are rotated */
} nn_places;

/* The attention of a transformer's layer. */
typedef struct nn_attention_layer {
    const nn_norm *norm;
    const nn_linear *qkv, *gates, *out;
    int heads;
    nn_places places;
    bool across; /* sequences go along the rows, at each moment, instead of along time */
} nn_attention_layer;

/* A tensor taken as [size[0]]...[size[4]], with dimension order[i] of that as dimension i of the result. */
typedef struct nn_permutation {
    int64_t size[5];
    int order[5];
    int64_t rows, channels, time; /* of the result */
} nn_permutation;

#endif
