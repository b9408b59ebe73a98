/* SPDX-License-Identifier: GPL-3.0-or-later
 * hdemucs.c - HDemucs (v3): the spectral branch goes down to one row and merges with the waveform branch. */
#include "base/memory.h"
#include "plugins/neural/files/checkpoint.h"
#include "plugins/neural/nets/architectures.h"
#include "plugins/neural/nets/demucs/hybrid.h"
#include "plugins/neural/nets/demucs/layers.h"
#include "plugins/neural/nets/network.h"
#include "plugins/neural/tensor/tensor.h"

#include <stdlib.h>
#include <string.h>

/* The defaults of the original's constructor. */
static const nn_settings defaults = {
    NN_HYBRID_DEFAULTS, .depth = 6, .dconv_attn = 4, .dconv_lstm = 4, .dconv_comp = 4, .segment_s = 40,
};

static nn_tensor *hdemucs_run(nn_network *network, nn_tensor *mix)
{
    return nn_hybrid_run((nn_hybrid *)network, mix);
}

static void hdemucs_free(nn_network *network)
{
    nn_hybrid_clear((nn_hybrid *)network);
    free(network);
}

static nn_network *hdemucs_open(const nn_checkpoint *checkpoint, nn_engine *engine, ap_error *err)
{
    nn_hybrid *h = ap_allocate(1, sizeof *h, err);
    if (!h)
        return NULL;
    h->network = (nn_network){.engine = engine, .run = hdemucs_run, .free = hdemucs_free};
    return nn_hybrid_open(h, checkpoint, &defaults, NULL, err);
}

static double hdemucs_describe(const nn_checkpoint *c, nn_network *n, ap_error *err)
{
    return nn_hybrid_describe(c, n, &defaults, err);
}

static bool is_hdemucs(const nn_checkpoint *checkpoint)
{
    return strcmp(checkpoint->klass, "HDemucs") == 0;
}

const nn_architecture nn_hdemucs = {"hdemucs", is_hdemucs, hdemucs_open, hdemucs_describe};
