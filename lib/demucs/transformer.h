/* SPDX-License-Identifier: GPL-3.0-or-later
 * transformer.h - the cross-transformer at the bottom of HTDemucs. */
#ifndef DM_TRANSFORMER_H
#define DM_TRANSFORMER_H

#include "layers.h"

typedef struct dm_transformer dm_transformer;

/* Reads the t_* arguments and the tensors crosstransformer.*. NULL on failure, which loader knows. */
dm_transformer *dm_transformer_load(dm_loader *loader, int channels);
void dm_transformer_free(dm_transformer *t);
/* x: [rows][channels][time], xt: [1][channels][time], both replaced by the result. */
void dm_transformer_apply(dm_transformer *t, dm_tensor **x, dm_tensor **xt);

#endif
