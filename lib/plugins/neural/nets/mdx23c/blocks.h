/* SPDX-License-Identifier: GPL-3.0-or-later
 * blocks.h - the blocks of MDX23C, on tensors [frequency][channels][time]. */
#ifndef NN_MDX23C_BLOCKS_H
#define NN_MDX23C_BLOCKS_H

#include "plugins/neural/nets/loader.h"

#define NN_MAX_BLOCKS 8

/* Norm, activation, and a convolution or a matrix. */
typedef struct nn_mdx_step {
    nn_norm *norm;
    nn_conv *conv;
    nn_linear *linear;
} nn_mdx_step;

typedef struct nn_mdx_block {
    nn_mdx_step tfc1, tfc2, squeeze, expand; /* the last two along frequency */
    nn_linear *shortcut;
} nn_mdx_block;

typedef struct nn_mdx_blocks {
    nn_mdx_block blocks[NN_MAX_BLOCKS];
    int count;
    nn_act act;
} nn_mdx_blocks;

typedef struct nn_mdx_options {
    int in, out, rows, bottleneck, count;
    nn_act act;
} nn_mdx_options;

void nn_mdx_blocks_load(nn_loader *loader, const char *name, const nn_mdx_options *o, nn_mdx_blocks *b);
void nn_mdx_blocks_free(nn_mdx_blocks *b);
nn_tensor *nn_mdx_blocks_apply(nn_tensor *x, const nn_mdx_blocks *b);

/* Half the size in both directions, and twice. */
void nn_mdx_down_load(nn_loader *loader, const char *name, int in, int out, nn_mdx_step *s);
void nn_mdx_up_load(nn_loader *loader, const char *name, int in, int out, nn_mdx_step *s);
void nn_mdx_step_free(nn_mdx_step *s);
nn_tensor *nn_mdx_down(nn_tensor *x, const nn_mdx_step *s, nn_act act);
nn_tensor *nn_mdx_up(nn_tensor *x, const nn_mdx_step *s, nn_act act);

#endif
