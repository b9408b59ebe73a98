/* SPDX-License-Identifier: GPL-3.0-or-later
 * transformer.h - the transformers of RoFormers. */
#ifndef NN_ROFORMER_TRANSFORMER_H
#define NN_ROFORMER_TRANSFORMER_H

#include "plugins/neural/nets/loader.h"

#define NN_MAX_LAYERS 16

typedef struct nn_rope_layer {
    nn_norm *norm, *feed_norm;
    nn_linear *qkv, *gates, *out, *feed_in, *feed_out;
    float *frequencies, *polar_bias; /* polar_bias NULL: places turn pairs */
} nn_rope_layer;

typedef struct nn_rope_transformer {
    nn_rope_layer layers[NN_MAX_LAYERS];
    int count, heads;
    nn_norm *norm; /* at the end; NULL: none */
} nn_rope_transformer;

typedef struct nn_rope_options {
    int dim, heads, dim_head, depth;
    bool polar, norm;
} nn_rope_options;

void nn_rope_load(nn_loader *loader, const char *name, const nn_rope_options *o, nn_rope_transformer *t);
void nn_rope_free(nn_rope_transformer *t);
/* Sequences are the rows of x, or go across them. */
nn_tensor *nn_rope_apply(nn_tensor *x, const nn_rope_transformer *t, bool across);

#endif
