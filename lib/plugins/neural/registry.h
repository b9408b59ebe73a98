/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * registry.h - from a checkpoint, or a TorchScript module with its description, to a network. */
#ifndef AP_NEURAL_REGISTRY_H
#define AP_NEURAL_REGISTRY_H

#include "plugins/neural/files/checkpoint.h"
#include "plugins/neural/nets/network.h"

/* The network of a checkpoint; the checkpoint may be closed afterwards. NULL on failure. */
nn_network *nn_network_new(const nn_checkpoint *checkpoint, nn_engine *engine, ap_error *err);
/* A line on a checkpoint: its kind, stems, lengths and cost. "" if that takes opening it, or it is none. */
void nn_network_describe(const nn_checkpoint *checkpoint, char *text, size_t size);
void nn_network_free(nn_network *network);
/* A TorchScript module, described by a JSON file beside it. */
nn_network *nn_network_script(const char *path, nn_engine *engine, ap_error *err);

#endif
