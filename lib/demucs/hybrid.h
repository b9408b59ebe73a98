/* SPDX-License-Identifier: GPL-3.0-or-later
 * hybrid.h - what HDemucs and HTDemucs have in common: two U-Nets, one on the spectrum and one on the
 * waveform. */
#ifndef DM_HYBRID_H
#define DM_HYBRID_H

#include "layers.h"
#include "network.h"

#define DM_MAX_DEPTH 8

/* The arguments of the constructors, by their names there. */
typedef struct dm_settings {
    int audio_channels, channels, channels_time, growth, nfft, depth;
    int kernel_size, stride, time_stride, context, context_enc;
    int norm_starts, norm_groups, dconv_mode, dconv_depth, dconv_attn, dconv_lstm;
    double dconv_comp, freq_emb, emb_scale;
    bool hybrid_old;
} dm_settings;

typedef struct dm_hybrid {
    dm_network network;
    dm_engine *engine;
    dm_settings settings;
    dm_layer encoder[DM_MAX_DEPTH], decoder[DM_MAX_DEPTH];
    dm_layer tencoder[DM_MAX_DEPTH], tdecoder[DM_MAX_DEPTH];
    int depth, tdepth;
    float *frequency_embedding; /* [rows][channels] after the first layer, NULL: none */
    /* Between encoder and decoder, both tensors in place. */
    void (*bottom)(struct dm_hybrid *h, dm_tensor **x, dm_tensor **xt);
} dm_hybrid;

/* Reads what both classes have; settings comes with the defaults of the class. */
bool dm_hybrid_settings(dm_hybrid *h, const dm_checkpoint *c, dm_settings *settings, ap_error *err);
void dm_hybrid_load(dm_hybrid *h, dm_loader *loader);
/* All tensors have been used. */
bool dm_hybrid_complete(const dm_loader *loader);
void dm_hybrid_clear(dm_hybrid *h);
dm_tensor *dm_hybrid_run(dm_hybrid *h, dm_tensor *mix);

dm_network *dm_htdemucs_new(const dm_checkpoint *checkpoint, dm_engine *engine, ap_error *err);
dm_network *dm_hdemucs_new(const dm_checkpoint *checkpoint, dm_engine *engine, ap_error *err);

#endif
