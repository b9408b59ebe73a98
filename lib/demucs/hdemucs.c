/* SPDX-License-Identifier: GPL-3.0-or-later
 * hdemucs.c - HDemucs (v3): the spectral branch goes down to one row and merges with the waveform branch. */
#include "hybrid.h"

#include <stdlib.h>

/* The defaults of the original's constructor. */
static const dm_settings defaults = {
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
};
#define DEFAULT_SEGMENT_S 40

static dm_tensor *hdemucs_run(dm_network *network, dm_tensor *mix)
{
    return dm_hybrid_run((dm_hybrid *)network, mix);
}

static void hdemucs_free(dm_network *network)
{
    dm_hybrid_clear((dm_hybrid *)network);
    free(network);
}

dm_network *dm_hdemucs_new(const dm_checkpoint *checkpoint, dm_engine *engine, ap_error *err)
{
    dm_settings settings = defaults;
    dm_loader loader = {checkpoint, engine, err, 0, false};
    dm_hybrid *h = calloc(1, sizeof *h);
    if (!h) {
        ap_fail_memory(err);
        return NULL;
    }
    h->network = (dm_network){
        .engine = engine, .segment = DEFAULT_SEGMENT_S, .run = hdemucs_run, .free = hdemucs_free};
    if (dm_hybrid_settings(h, checkpoint, &settings, err)) {
        dm_hybrid_load(h, &loader);
        if (dm_hybrid_complete(&loader))
            return &h->network;
    }
    hdemucs_free(&h->network);
    return NULL;
}
