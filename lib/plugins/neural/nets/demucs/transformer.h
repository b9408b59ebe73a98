/* SPDX-License-Identifier: GPL-3.0-or-later
 * transformer.h - the cross-transformer at the bottom of HTDemucs. */
#ifndef NN_TRANSFORMER_H
#define NN_TRANSFORMER_H

#include "plugins/neural/nets/demucs/layers.h"

typedef struct nn_transformer nn_transformer;

/* Reads the t_* arguments and the tensors crosstransformer.*. NULL on failure, which loader knows. */
nn_transformer *nn_transformer_load(nn_loader *loader, int channels);
void nn_transformer_free(nn_transformer *t);
/* x: [rows][channels][time], xt: [1][channels][time], both replaced by the result. */
void nn_transformer_apply(nn_transformer *t, nn_tensor **x, nn_tensor **xt);

#endif
