/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * registry.h - from a checkpoint, or a TorchScript module with its description, to a network. */
#ifndef AP_NEURAL_REGISTRY_H
#define AP_NEURAL_REGISTRY_H

#include "plugins/neural/files/checkpoint.h"
#include "plugins/neural/nets/network.h"

/* The network of a checkpoint; the checkpoint may be closed afterwards. NULL on failure. */
nn_network *nn_network_new(const nn_checkpoint *checkpoint, nn_engine *engine, ap_error *err);

/* What there is to say on a model, which may be a bag of several networks. */
typedef struct nn_description {
    const char *kind;   /* NULL: of none that is known */
    nn_network network; /* stems and lengths of the first */
    size_t count;
    double bytes, cost; /* of all files; operations that a second of music takes */
} nn_description;

/* Adds a checkpoint to d, which is empty at first. false if only opening the network tells, or if it is no
 * checkpoint. */
bool nn_network_describe(const nn_checkpoint *checkpoint, nn_description *d);
/* A line: kind, stems, lengths, size, cost. "" where the kind is not known. */
void nn_description_print(const nn_description *d, char *text, size_t size);

void nn_network_free(nn_network *network);
/* A TorchScript module, described by a JSON file beside it. */
nn_network *nn_network_script(const char *path, nn_engine *engine, ap_error *err);

#endif
