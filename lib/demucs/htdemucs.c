/* SPDX-License-Identifier: GPL-3.0-or-later
 * htdemucs.c - HTDemucs (v4): four levels, and a cross-transformer between the two branches. */
#include "hybrid.h"
#include "transformer.h"

#include <stdlib.h>

/* The defaults of the original's constructor; it has no LSTM and no local attention. */
static const dm_settings defaults = {
    .audio_channels = 2,
    .channels = 48,
    .growth = 2,
    .nfft = 4096,
    .depth = 4,
    .kernel_size = 8,
    .stride = 4,
    .time_stride = 2,
    .context = 1,
    .context_enc = 0,
    .norm_starts = 4,
    .norm_groups = 4,
    .dconv_mode = 1,
    .dconv_depth = 2,
    .dconv_attn = 1000,
    .dconv_lstm = 1000,
    .dconv_comp = 8,
    .freq_emb = 0.2,
    .emb_scale = 10,
};
#define DEFAULT_SEGMENT_S 10

typedef struct htdemucs {
    dm_hybrid hybrid;
    dm_transformer *transformer;
    dm_conv *up, *up_t, *down, *down_t; /* NULL: the transformer takes the channels as they are */
    bool train_segment;                 /* always runs on a whole segment, whatever the length of the input */
} htdemucs;

static void apply_bottom(dm_hybrid *h, dm_tensor **x, dm_tensor **xt)
{
    htdemucs *m = (htdemucs *)h;
    if (m->up) {
        *x = dm_convolve(*x, m->up, DM_LINEAR);
        *xt = dm_convolve(*xt, m->up_t, DM_LINEAR);
    }
    if (m->transformer)
        dm_transformer_apply(m->transformer, x, xt);
    if (m->up) {
        *x = dm_convolve(*x, m->down, DM_LINEAR);
        *xt = dm_convolve(*xt, m->down_t, DM_LINEAR);
    }
}

static dm_tensor *htdemucs_run(dm_network *network, dm_tensor *mix)
{
    const htdemucs *m = (const htdemucs *)network;
    const int64_t length = dm_time(mix), segment = network->segment;
    if (m->train_segment && length < segment)
        mix = dm_pad_time(mix, (int)segment);
    mix = dm_hybrid_run((dm_hybrid *)network, mix);
    return dm_crop(mix, (dm_crop_to){.time = length});
}

static void htdemucs_free(dm_network *network)
{
    htdemucs *m = (htdemucs *)network;
    dm_hybrid_clear(&m->hybrid);
    dm_transformer_free(m->transformer);
    dm_conv_free(m->up);
    dm_conv_free(m->up_t);
    dm_conv_free(m->down);
    dm_conv_free(m->down_t);
    free(m);
}

/* The transformer, and the layers that change the number of channels for it. */
static bool load_bottom(htdemucs *m, dm_loader *loader)
{
    const dm_settings *s = &m->hybrid.settings;
    const cJSON *kwargs = loader->checkpoint->kwargs;
    int bottom = 0, channels = m->hybrid.encoder[s->depth - 1].options.out;
    if (loader->failed)
        return false;
    if (!dm_json_integer(kwargs, "bottom_channels", 0, 4096, &bottom, loader->checkpoint->path,
                         loader->err)) {
        loader->failed = true;
        return false;
    }
    if (bottom) {
        const dm_conv_shape up = {channels, bottom, 1, 1, 1, 1, 0, 0, 1, false};
        const dm_conv_shape down = {bottom, channels, 1, 1, 1, 1, 0, 0, 1, false};
        m->up = dm_load_conv(loader, "channel_upsampler", &up, true);
        m->up_t = dm_load_conv(loader, "channel_upsampler_t", &up, true);
        m->down = dm_load_conv(loader, "channel_downsampler", &down, true);
        m->down_t = dm_load_conv(loader, "channel_downsampler_t", &down, true);
        channels = bottom;
    }
    if (dm_json_number(kwargs, "t_layers", 5) != 0)
        m->transformer = dm_transformer_load(loader, channels);
    return true;
}

dm_network *dm_htdemucs_new(const dm_checkpoint *checkpoint, dm_engine *engine, ap_error *err)
{
    dm_settings settings = defaults;
    dm_loader loader = {checkpoint, engine, err, 0, false};
    htdemucs *m = calloc(1, sizeof *m);
    if (!m) {
        ap_fail_memory(err);
        return NULL;
    }
    dm_network *n = &m->hybrid.network;
    *n = (dm_network){
        .engine = engine, .segment = DEFAULT_SEGMENT_S, .run = htdemucs_run, .free = htdemucs_free};
    m->hybrid.bottom = apply_bottom;
    m->train_segment = n->whole = dm_json_bool(checkpoint->kwargs, "use_train_segment", true);
    if (dm_hybrid_settings(&m->hybrid, checkpoint, &settings, err)) {
        dm_hybrid_load(&m->hybrid, &loader);
        if (load_bottom(m, &loader) && dm_hybrid_complete(&loader))
            return n;
    }
    htdemucs_free(n);
    return NULL;
}
