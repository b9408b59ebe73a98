/* SPDX-License-Identifier: GPL-3.0-or-later
 * hybrid.h - what HDemucs and HTDemucs have in common: two U-Nets, one on the spectrum and one on the
 * waveform. */
#ifndef NN_HYBRID_H
#define NN_HYBRID_H

#include "plugins/neural/nets/demucs/layers.h"
#include "plugins/neural/nets/network.h"

#define NN_MAX_DEPTH 8

/* The arguments of the constructors, by their names there. */
typedef struct nn_settings {
    int audio_channels, channels, channels_time, growth, nfft, depth;
    int kernel_size, stride, time_stride, context, context_enc;
    int norm_starts, norm_groups, dconv_mode, dconv_depth, dconv_attn, dconv_lstm;
    double dconv_comp, freq_emb, emb_scale, segment_s;
    bool hybrid_old;
} nn_settings;

typedef struct nn_hybrid {
    nn_network network;
    nn_engine *engine;
    nn_settings settings;
    nn_layer encoder[NN_MAX_DEPTH], decoder[NN_MAX_DEPTH];
    nn_layer tencoder[NN_MAX_DEPTH], tdecoder[NN_MAX_DEPTH];
    int depth, tdepth;
    float *frequency_embedding; /* [rows][channels] after the first layer, NULL: none */
    /* Between encoder and decoder, both tensors in place. */
    void (*bottom)(struct nn_hybrid *h, nn_tensor **x, nn_tensor **xt);
} nn_hybrid;

/* What both constructors have for defaults. */
#define NN_HYBRID_DEFAULTS                                                                                   \
    .audio_channels = 2, .channels = 48, .growth = 2, .nfft = 4096, .kernel_size = 8, .stride = 4,           \
    .time_stride = 2, .context = 1, .context_enc = 0, .norm_starts = 4, .norm_groups = 4, .dconv_mode = 1,   \
    .dconv_depth = 2, .freq_emb = 0.2, .emb_scale = 10

/* Reads what both classes have into h, whose network is filled as far as that depends on the class, with the
 * defaults of the class. load, which may be NULL, reads the rest. NULL on failure; then h is freed by its
 * network's free. */
nn_network *nn_hybrid_open(nn_hybrid *h, const nn_checkpoint *c, const nn_settings *defaults,
                           void (*load)(nn_hybrid *h, nn_loader *loader), ap_error *err);
/* Operations that a segment takes, without Fourier transforms, norms and activations. */
double nn_hybrid_cost(const nn_checkpoint *c, const nn_settings *settings, int64_t segment);
/* Stems, lengths and cost, as nn_architecture has it. */
double nn_hybrid_describe(const nn_checkpoint *c, nn_network *n, const nn_settings *defaults, ap_error *err);
void nn_hybrid_clear(nn_hybrid *h);
nn_tensor *nn_hybrid_run(nn_hybrid *h, nn_tensor *mix);

#endif
