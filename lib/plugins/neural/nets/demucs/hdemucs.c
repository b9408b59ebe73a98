/* SPDX-License-Identifier: GPL-3.0-or-later
 * hdemucs.c - HDemucs (v3): the spectral branch goes down to one row and merges with the waveform branch. */
#include "base/error.h"
#include "plugins/neural/files/checkpoint.h"
#include "plugins/neural/nets/demucs/hybrid.h"
#include "plugins/neural/nets/demucs/layers.h"
#include "plugins/neural/nets/network.h"
#include "plugins/neural/tensor/tensor.h"

#include <stdlib.h>
#include <string.h>

/* The defaults of the original's constructor. */
static const nn_settings defaults = {
    .audio_channels = 2,
    .channels = 48,
    .growth = 2,
    .nfft = 4096,
    .depth = 6,
    .kernel_size = 8,
    .stride = 4,
    .time_stride = 2,
    .context = 1,
    .context_enc = 0,
    .norm_starts = 4,
    .norm_groups = 4,
    .dconv_mode = 1,
    .dconv_depth = 2,
    .dconv_attn = 4,
    .dconv_lstm = 4,
    .dconv_comp = 4,
    .freq_emb = 0.2,
    .emb_scale = 10,
    .segment_s = 40,
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
    nn_settings settings = defaults;
    nn_loader loader;
    nn_hybrid *h = calloc(1, sizeof *h);
    if (!h) {
        ap_fail_memory(err);
        return NULL;
    }
    h->network = (nn_network){.engine = engine, .run = hdemucs_run, .free = hdemucs_free};
    if (nn_hybrid_settings(h, checkpoint, &settings, err) &&
        nn_loader_open(&loader, checkpoint, engine, err)) {
        nn_hybrid_load(h, &loader);
        if (nn_loader_finish(&loader))
            return &h->network;
    }
    hdemucs_free(&h->network);
    return NULL;
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
