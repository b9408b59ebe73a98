/* SPDX-License-Identifier: GPL-3.0-or-later
 * hybrid.c - the two U-Nets of HDemucs and HTDemucs, as in the original's hdemucs.py and htdemucs.py. */
#include "plugins/neural/nets/demucs/hybrid.h"
#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* No published model comes near these. */
#define MAX_CHANNELS 8192

/* ---- settings */

static bool read_integers(const nn_checkpoint *c, nn_settings *s, ap_error *err)
{
    const struct {
        const char *key;
        int lo, hi, *value;
    } integers[] = {
        {"audio_channels", 1, 8, &s->audio_channels},
        {"channels", 1, 1024, &s->channels},
        {"channels_time", 0, 1024, &s->channels_time},
        {"growth", 1, 4, &s->growth},
        {"nfft", 256, 32768, &s->nfft},
        {"depth", 1, NN_MAX_DEPTH, &s->depth},
        {"kernel_size", 2, 64, &s->kernel_size},
        {"stride", 1, 16, &s->stride},
        {"time_stride", 1, 16, &s->time_stride},
        {"context", 0, 8, &s->context},
        {"context_enc", 0, 8, &s->context_enc},
        {"norm_starts", 0, 1000, &s->norm_starts},
        {"norm_groups", 1, 1024, &s->norm_groups},
        {"dconv_mode", 0, 3, &s->dconv_mode},
        {"dconv_depth", -NN_MAX_BRANCHES, NN_MAX_BRANCHES, &s->dconv_depth},
        {"dconv_attn", 0, 1000, &s->dconv_attn},
        {"dconv_lstm", 0, 1000, &s->dconv_lstm},
    };
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++)
        if (!nn_json_integer(c->kwargs, integers[i].key, integers[i].lo, integers[i].hi, integers[i].value,
                             c->path, err))
            return false;
    return (s->nfft & (s->nfft - 1)) == 0 ||
           ap_fail(err, AP_FAILED, "'%s' has nfft = %d, which is not a power of two", c->path, s->nfft);
}

/* Arguments of which only one value has ever been published. */
static bool check_fixed(const nn_checkpoint *c, ap_error *err)
{
    static const struct {
        const char *key;
        bool value;
    } fixed[] = {{"cac", true}, {"rewrite", true}, {"hybrid", true}};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (nn_json_bool(c->kwargs, fixed[i].key, fixed[i].value) != fixed[i].value)
            return ap_fail(err, AP_FAILED, "'%s' has %s = %s, which is not supported", c->path, fixed[i].key,
                           fixed[i].value ? "False" : "True");
    if (cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(c->kwargs, "multi_freqs")) > 0)
        return ap_fail(err, AP_FAILED, "'%s' has multi_freqs, which is not supported", c->path);
    return true;
}

static bool read_sources(nn_network *n, const nn_checkpoint *c, ap_error *err)
{
    const cJSON *sources = cJSON_GetObjectItemCaseSensitive(c->kwargs, "sources"), *item;
    cJSON_ArrayForEach(item, sources)
    {
        const char *name = cJSON_IsString(item) ? item->valuestring : "";
        if (n->stem_count == NN_MAX_SOURCES || !*name || strlen(name) >= sizeof n->stems[0] ||
            strchr(name, '/'))
            return ap_fail(err, AP_FAILED, "'%s' has a list of sources that makes no sense", c->path);
        strcpy(n->stems[n->stem_count++], name);
    }
    return n->stem_count > 0 || ap_fail(err, AP_FAILED, "'%s' does not name its sources", c->path);
}

static bool read_settings(nn_hybrid *h, const nn_checkpoint *c, nn_settings *s, ap_error *err)
{
    nn_network *n = &h->network;
    n->rate = 44100;
    if (!read_sources(n, c, err) || !check_fixed(c, err) || !read_integers(c, s, err) ||
        !nn_json_integer(c->kwargs, "samplerate", AP_MIN_RATE, AP_MAX_RATE, &n->rate, c->path, err))
        return false;
    s->dconv_comp = nn_json_number(c->kwargs, "dconv_comp", s->dconv_comp);
    s->freq_emb = nn_json_number(c->kwargs, "freq_emb", s->freq_emb);
    s->emb_scale = nn_json_number(c->kwargs, "emb_scale", s->emb_scale);
    s->segment_s = nn_json_number(c->kwargs, "segment", s->segment_s);
    s->hybrid_old = nn_json_bool(c->kwargs, "hybrid_old", s->hybrid_old);
    if (!(s->segment_s >= NN_MIN_SEGMENT_S && s->segment_s <= NN_MAX_SEGMENT_S) ||
        !(s->dconv_comp >= 0.5 && s->dconv_comp <= 64) || !isfinite(s->freq_emb) || !isfinite(s->emb_scale))
        return ap_fail(err, AP_FAILED, "'%s' has settings that make no sense", c->path);
    /* As int(Fraction * rate) gives, also where the double is a little less than whole. */
    n->segment_frames = (int64_t)floor(s->segment_s * n->rate + 1e-6);
    n->channels = s->audio_channels;
    h->settings = *s;
    return true;
}

double nn_hybrid_describe(const nn_checkpoint *c, nn_network *n, const nn_settings *defaults, ap_error *err)
{
    nn_settings settings = *defaults;
    nn_hybrid *h = calloc(1, sizeof *h);
    if (!h)
        return ap_fail_memory(err), -1;
    const bool ok = read_settings(h, c, &settings, err);
    *n = h->network;
    free(h);
    return ok ? nn_hybrid_cost(c, &settings, n->segment_frames) : -1;
}

/* ---- loading */

/* Where the construction stands: the sizes that change from layer to layer. */
typedef struct builder {
    int in, in_z, out, out_z; /* channels of the waveform and the spectral branch */
    int rows;                 /* of the spectrum before this layer */
} builder;

/* The options of layer number index of the spectral encoder; the others differ little. */
static nn_layer_options spectral_options(const nn_settings *s, const builder *b, int index)
{
    nn_layer_options o = {
        .in = b->in_z, .out = b->out_z, .kernel = s->kernel_size, .stride = s->stride, .pad = true};
    o.spectral = b->rows > 1;
    o.context = s->context_enc;
    o.norm_groups = index >= s->norm_starts ? s->norm_groups : 0;
    o.dconv = s->dconv_mode & 1;
    o.branch = (nn_dconv_options){b->out_z, s->dconv_depth, s->dconv_comp, index >= s->dconv_lstm,
                                  index >= s->dconv_attn};
    if (!o.spectral) {
        o.kernel = 2 * s->time_stride;
        o.stride = s->time_stride;
    } else if (b->rows <= s->kernel_size) {
        o.kernel = b->rows;
        o.pad = false;
    }
    return o;
}

static nn_layer_options waveform_options(const nn_settings *s, const builder *b,
                                         const nn_layer_options *spectral)
{
    nn_layer_options o = *spectral;
    o.in = b->in;
    o.out = b->out;
    o.empty = !spectral->pad;
    o.kernel = s->kernel_size;
    o.stride = s->stride;
    o.spectral = false;
    o.pad = true;
    o.branch.channels = b->out;
    return o;
}

static nn_layer_options decoder_options(const nn_settings *s, const nn_layer_options *encoder, int in,
                                        bool last)
{
    nn_layer_options o = *encoder;
    o.out = in;
    o.in = encoder->out;
    o.context = s->context;
    o.dconv = s->dconv_mode & 2;
    o.last = last;
    return o;
}

static void load_level(nn_hybrid *h, nn_loader *loader, builder *b, int index, bool *merged)
{
    const nn_settings *s = &h->settings;
    const int back = s->depth - 1 - index, outputs = s->audio_channels * h->network.stem_count;
    nn_layer_options spectral = spectral_options(s, b, index);
    if (spectral.spectral && !spectral.pad)
        b->out = b->out_z = spectral.out = spectral.branch.channels = b->out > b->out_z ? b->out : b->out_z;
    nn_encoder_load(loader, nn_name_of("encoder.%d", index).text, &spectral, &h->encoder[index]);
    nn_layer_options decoder = decoder_options(s, &spectral, index ? b->in_z : 2 * outputs, index == 0);
    nn_decoder_load(loader, nn_name_of("decoder.%d", back).text, &decoder, &h->decoder[back]);
    if (!spectral.spectral)
        return;
    nn_layer_options waveform = waveform_options(s, b, &spectral);
    nn_encoder_load(loader, nn_name_of("tencoder.%d", index).text, &waveform, &h->tencoder[index]);
    /* The first waveform decoder belongs to the last level that has both branches: loaded back to front. */
    decoder = decoder_options(s, &waveform, index ? b->in : outputs, index == 0);
    nn_decoder_load(loader, nn_name_of("tdecoder.%d", h->tdepth - 1 - index).text, &decoder,
                    &h->tdecoder[h->tdepth - 1 - index]);
    *merged = waveform.empty;
}

/* The number of levels where the spectrum still has rows. */
static int count_waveform_levels(const nn_settings *s)
{
    int rows = s->nfft / 2, levels = 0;
    for (; levels < s->depth && rows > 1; levels++)
        rows = rows <= s->kernel_size ? 1 : rows / s->stride;
    return levels;
}

/* The embedding is scaled as ScaledEmbedding does, then by freq_emb. */
static void load_embedding(nn_hybrid *h, nn_loader *loader, int rows, int channels)
{
    const nn_settings *s = &h->settings;
    float *e = nn_load(loader, "freq_emb.embedding.weight", 2, (int64_t[]){rows, channels});
    for (int i = 0; e && i < rows * channels; i++)
        e[i] = e[i] * (float)s->emb_scale * (float)s->freq_emb;
    h->frequency_embedding = e;
}

static void load_hybrid(nn_hybrid *h, nn_loader *loader)
{
    const nn_settings *s = &h->settings;
    builder b = {s->audio_channels, 2 * s->audio_channels, s->channels_time ? s->channels_time : s->channels,
                 s->channels, s->nfft / 2};
    bool merged = false;
    h->engine = loader->engine;
    h->depth = s->depth;
    h->tdepth = count_waveform_levels(s);
    for (int i = 0; i < s->depth && !loader->failed; i++) {
        if (b.out > MAX_CHANNELS || b.out_z > MAX_CHANNELS || (b.rows > 1 && b.rows < s->stride)) {
            nn_loader_fail(loader, "would be too large", nn_name_of("encoder.%d", i).text);
            return;
        }
        load_level(h, loader, &b, i, &merged);
        b.in = b.out;
        b.in_z = b.out_z;
        b.out *= s->growth;
        b.out_z *= s->growth;
        if (b.rows > 1)
            b.rows = b.rows <= s->kernel_size ? 1 : b.rows / s->stride;
        if (i == 0 && s->freq_emb != 0)
            load_embedding(h, loader, b.rows, b.in_z);
    }
    /* Without a bottom of its own, the waveform branch can only start from the merged one. */
    if (!h->bottom && !merged && !loader->failed)
        nn_loader_fail(loader, "is not merged with its branch", "tencoder");
}

void nn_hybrid_clear(nn_hybrid *h)
{
    for (int i = 0; i < NN_MAX_DEPTH; i++) {
        nn_layer_free(&h->encoder[i]);
        nn_layer_free(&h->decoder[i]);
        nn_layer_free(&h->tencoder[i]);
        nn_layer_free(&h->tdecoder[i]);
    }
    free(h->frequency_embedding);
}

nn_network *nn_hybrid_open(nn_hybrid *h, const nn_checkpoint *c, const nn_settings *defaults,
                           void (*load)(nn_hybrid *h, nn_loader *loader), ap_error *err)
{
    nn_settings settings = *defaults;
    nn_network *n = &h->network;
    nn_loader loader;
    if (read_settings(h, c, &settings, err) && nn_loader_open(&loader, c, n->engine, err)) {
        load_hybrid(h, &loader);
        if (load && !loader.failed)
            load(h, &loader);
        if (nn_loader_finish(&loader))
            return n;
    }
    n->free(n);
    return NULL;
}

/* ---- running */

/* Mean and deviation, to be taken out and put back. */
typedef struct level {
    double mean, deviation;
} level;

static nn_tensor *standardize(nn_tensor *x, level *l)
{
    const double eps = 1e-5; /* the original's */
    *l = (level){0, 1};
    nn_moments(x, &l->mean, &l->deviation);
    double factor = 1 / (eps + l->deviation);
    return nn_scale(x, factor, -l->mean * factor);
}

/* What the decoders need from the encoders. */
typedef struct passage {
    nn_tensor *saved[NN_MAX_DEPTH], *tsaved[NN_MAX_DEPTH];
    int64_t lengths[NN_MAX_DEPTH], tlengths[NN_MAX_DEPTH];
} passage;

static nn_tensor *add_embedding(const nn_hybrid *h, nn_tensor *x)
{
    if (!h->frequency_embedding)
        return x;
    return nn_add(x, nn_tensor_new(h->engine, nn_rows(x), nn_channels(x), 1, h->frequency_embedding));
}

static void run_encoders(nn_hybrid *h, nn_tensor **x, nn_tensor **xt, passage *p)
{
    for (int i = 0; i < h->depth; i++) {
        nn_tensor *inject = NULL;
        p->lengths[i] = nn_time(*x);
        if (i < h->tdepth) {
            p->tlengths[i] = nn_time(*xt);
            *xt = nn_encode(*xt, &h->tencoder[i], NULL, false);
            if (h->tencoder[i].options.empty) {
                inject = *xt;
                *xt = NULL;
            } else {
                p->tsaved[i] = nn_keep(*xt);
            }
        }
        *x = nn_encode(*x, &h->encoder[i], inject, i < h->tdepth && h->tencoder[i].options.empty);
        if (i == 0)
            *x = add_embedding(h, *x);
        p->saved[i] = nn_keep(*x);
    }
}

static void run_decoders(nn_hybrid *h, nn_tensor **x, nn_tensor **xt, passage *p)
{
    for (int i = 0; i < h->depth; i++) {
        const int k = h->depth - 1 - i, t = i - (h->depth - h->tdepth);
        nn_tensor *pre = NULL;
        const bool splits = t >= 0 && h->tdecoder[t].options.empty;
        /* HDemucs starts from nothing but the skip connection. */
        *x = i == 0 && !h->bottom ? p->saved[k] : nn_add(*x, p->saved[k]);
        *x = nn_decode(*x, &h->decoder[i], p->lengths[k], splits ? &pre : NULL);
        if (splits)
            *xt = nn_decode(pre, &h->tdecoder[t], p->tlengths[k], NULL);
        else if (t >= 0)
            *xt = nn_decode(nn_add(*xt, p->tsaved[k]), &h->tdecoder[t], p->tlengths[k], NULL);
    }
}

nn_tensor *nn_hybrid_run(nn_hybrid *h, nn_tensor *mix)
{
    const nn_settings *s = &h->settings;
    const int64_t length = nn_time(mix);
    level spectral, waveform;
    passage p = {0};
    nn_tensor *x = standardize(nn_spectrum(nn_keep(mix), s->nfft, !s->hybrid_old), &spectral);
    nn_tensor *xt = standardize(mix, &waveform);
    run_encoders(h, &x, &xt, &p);
    if (h->bottom) {
        h->bottom(h, &x, &xt);
    } else {
        nn_drop(x);
        x = NULL;
    }
    run_decoders(h, &x, &xt, &p);
    x = nn_scale(x, spectral.deviation, spectral.mean);
    /* The padding of the spectrum, which models of before a fix forget to drop. */
    x = nn_signal(x, s->hybrid_old ? 0 : s->nfft / 8 * 3, length);
    return nn_add(nn_scale(xt, waveform.deviation, waveform.mean), x);
}
