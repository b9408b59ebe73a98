/* SPDX-License-Identifier: GPL-3.0-or-later
 * network.h - a network: a segment of the mix in, its stems out. */
#ifndef DM_NETWORK_H
#define DM_NETWORK_H

#include "checkpoint.h"
#include "tensor.h"

#define DM_MAX_SOURCES 16
/* Of a model's own segments; no published model comes near these. */
#define DM_MIN_SEGMENT_S 0.1
#define DM_MAX_SEGMENT_S 600

typedef struct dm_network dm_network;
struct dm_network {
    char stems[DM_MAX_SOURCES][32];
    dm_engine *engine;
    int stem_count, channels, rate;
    int64_t segment; /* frames to give it at a time */
    bool whole;      /* it takes segments of exactly that length (or shorter by the user's choice) */
    dm_tensor *(*run)(dm_network *network, dm_tensor *mix); /* [1][channels][n] -> [1][stems * channels][n] */
    void (*free)(dm_network *network);
};

/* The network of a checkpoint; the checkpoint may be closed afterwards. NULL on failure. */
dm_network *dm_network_new(const dm_checkpoint *checkpoint, dm_engine *engine, ap_error *err);
void dm_network_free(dm_network *network);
/* A TorchScript module, described by a JSON file beside it. */
dm_network *dm_network_script(const char *path, dm_engine *engine, ap_error *err);

#endif
