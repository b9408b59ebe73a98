/* SPDX-License-Identifier: GPL-3.0-or-later
 * network.h - a network: a segment of the mix in, its stems out. */
#ifndef AP_NEURAL_NETS_NETWORK_H
#define AP_NEURAL_NETS_NETWORK_H

#include "plugins/neural/files/checkpoint.h"
#include "plugins/neural/tensor/tensor.h"

#define NN_MAX_SOURCES 64
/* Of a model's own segments; no published model comes near these. */
#define NN_MIN_SEGMENT_S 0.1
#define NN_MAX_SEGMENT_S 600

typedef struct nn_network nn_network;
struct nn_network {
    char stems[NN_MAX_SOURCES][32];
    nn_engine *engine;
    int stem_count, channels, rate;
    int64_t segment_frames; /* to give it at a time */
    /* How demix.c takes a track apart; chunk_overlap 0: segment.c does it, as Demucs. */
    int chunk_overlap;               /* chunks over each moment */
    int chunk_multiple, chunk_extra; /* a chunk has a multiple of that many frames, and the extra */
    int chunk_least;                 /* frames that it has at least */
    int outputs;                     /* stems that run gives; one more is the rest of the mix */
    bool normalize;                  /* the track, before anything else */
    bool mapped;                     /* weights are read in the checkpoint, which has to stay open */
    const char *identity;            /* what its files are, for kept.c; NULL: nobody asks */
    bool whole; /* it takes segments of exactly that length (or shorter by the user's choice) */
    nn_tensor *(*run)(nn_network *network, nn_tensor *mix); /* [1][channels][n] -> [1][stems * channels][n] */
    void (*free)(nn_network *network);
};

/* What registry.c knows of a kind of network. */
typedef struct nn_architecture {
    const char *kind;                                    /* "htdemucs" */
    bool (*recognises)(const nn_checkpoint *checkpoint); /* by its class or its tensors */
    nn_network *(*open)(const nn_checkpoint *checkpoint, nn_engine *engine, ap_error *err);
    /* Stems and lengths to n, which comes empty, without a look at the weights; returns how many operations
     * (multiply and add are two) a segment takes, below 0 on failure. NULL: not known without opening it. */
    double (*describe)(const nn_checkpoint *checkpoint, nn_network *n, ap_error *err);
} nn_architecture;

#endif
