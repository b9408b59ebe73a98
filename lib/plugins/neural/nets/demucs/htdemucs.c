/* SPDX-License-Identifier: GPL-3.0-or-later
 * htdemucs.c - HTDemucs (v4): four levels, and a cross-transformer between the two branches. */
#include "base/memory.h"
#include "plugins/neural/files/checkpoint.h"
#include "plugins/neural/nets/architectures.h"
#include "plugins/neural/nets/demucs/hybrid.h"
#include "plugins/neural/nets/demucs/layers.h"
#include "plugins/neural/nets/demucs/transformer.h"
#include "plugins/neural/nets/network.h"
#include "plugins/neural/tensor/tensor.h"

#include <stdlib.h>
#include <string.h>

/* The defaults of the original's constructor; it has no LSTM and no local attention. */
static const nn_settings defaults = {
    NN_HYBRID_DEFAULTS, .depth = 4, .dconv_attn = 1000, .dconv_lstm = 1000, .dconv_comp = 8, .segment_s = 10,
};

typedef struct htdemucs {
    nn_hybrid hybrid;
    nn_transformer *transformer;
    nn_conv *up, *up_t, *down, *down_t; /* NULL: the transformer takes the channels as they are */
    bool train_segment;                 /* always runs on a whole segment, whatever the length of the input */
} htdemucs;

static void apply_bottom(nn_hybrid *h, nn_tensor **x, nn_tensor **xt)
{
    htdemucs *m = (htdemucs *)h;
    if (m->up) {
        *x = nn_convolve(*x, m->up, NN_LINEAR);
        *xt = nn_convolve(*xt, m->up_t, NN_LINEAR);
    }
    if (m->transformer)
        nn_transformer_apply(m->transformer, x, xt);
    if (m->up) {
        *x = nn_convolve(*x, m->down, NN_LINEAR);
        *xt = nn_convolve(*xt, m->down_t, NN_LINEAR);
    }
}

static nn_tensor *htdemucs_run(nn_network *network, nn_tensor *mix)
{
    const htdemucs *m = (const htdemucs *)network;
    const int64_t length = nn_time(mix), segment = network->segment_frames;
    if (m->train_segment && length < segment)
        mix = nn_pad_time(mix, (int)segment);
    mix = nn_hybrid_run((nn_hybrid *)network, mix);
    return nn_crop(mix, (nn_crop_to){.time = length});
}

static void htdemucs_free(nn_network *network)
{
    htdemucs *m = (htdemucs *)network;
    nn_hybrid_clear(&m->hybrid);
    nn_transformer_free(m->transformer);
    nn_conv_free(m->up);
    nn_conv_free(m->up_t);
    nn_conv_free(m->down);
    nn_conv_free(m->down_t);
    free(m);
}

/* The transformer, and the layers that change the number of channels for it. */
static void load_bottom(nn_hybrid *h, nn_loader *loader)
{
    htdemucs *m = (htdemucs *)h;
    const nn_settings *s = &m->hybrid.settings;
    const cJSON *kwargs = loader->checkpoint->kwargs;
    int bottom = 0, channels = m->hybrid.encoder[s->depth - 1].options.out;
    if (!nn_json_integer(kwargs, "bottom_channels", 0, 4096, &bottom, loader->checkpoint->path,
                         loader->err)) {
        loader->failed = true;
        return;
    }
    if (bottom) {
        const nn_conv_shape up = {channels, bottom, 1, 1, 1, 1, 0, 0, 1, false};
        const nn_conv_shape down = {bottom, channels, 1, 1, 1, 1, 0, 0, 1, false};
        m->up = nn_load_conv(loader, "channel_upsampler", &up, true);
        m->up_t = nn_load_conv(loader, "channel_upsampler_t", &up, true);
        m->down = nn_load_conv(loader, "channel_downsampler", &down, true);
        m->down_t = nn_load_conv(loader, "channel_downsampler_t", &down, true);
        channels = bottom;
    }
    if (nn_json_number(kwargs, "t_layers", 5) != 0)
        m->transformer = nn_transformer_load(loader, channels);
}

static nn_network *htdemucs_open(const nn_checkpoint *checkpoint, nn_engine *engine, ap_error *err)
{
    htdemucs *m = ap_allocate(1, sizeof *m, err);
    if (!m)
        return NULL;
    nn_network *n = &m->hybrid.network;
    *n = (nn_network){.engine = engine, .run = htdemucs_run, .free = htdemucs_free};
    m->hybrid.bottom = apply_bottom;
    m->train_segment = n->whole = nn_json_bool(checkpoint->kwargs, "use_train_segment", true);
    return nn_hybrid_open(&m->hybrid, checkpoint, &defaults, load_bottom, err);
}

static double htdemucs_describe(const nn_checkpoint *c, nn_network *n, ap_error *err)
{
    return nn_hybrid_describe(c, n, &defaults, err);
}

static bool is_htdemucs(const nn_checkpoint *checkpoint)
{
    return strcmp(checkpoint->klass, "HTDemucs") == 0;
}

const nn_architecture nn_htdemucs = {"htdemucs", is_htdemucs, htdemucs_open, htdemucs_describe};
