/* SPDX-License-Identifier: GPL-3.0-or-later
 * roformer.c - BS-RoFormer (Lu, Wang, Kong, Hung 2023) and Mel-Band RoFormer (Wang, Lu, Won 2023), as in
 * Music-Source-Separation-Training. */
#include "base/error.h"
#include "plugins/neural/nets/architectures.h"
#include "plugins/neural/nets/published.h"
#include "plugins/neural/nets/roformer/bands.h"
#include "plugins/neural/nets/roformer/transformer.h"

#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64
#define MAX_MASK_LAYERS 8
#define MAX_HIDDEN (1 << 20)

/* From a band of the spectrum to its token. */
typedef struct splitter {
    nn_norm *norm;
    nn_linear *linear;
} splitter;

/* From a token to a band of a mask: layers with tanh between them. */
typedef struct estimator {
    nn_linear *layers[MAX_MASK_LAYERS];
    int count;
} estimator;

typedef struct roformer {
    nn_network network;
    nn_bands bands;
    int nfft, hop, dim, depth, stem_count;
    bool mel, skip, zero_dc;
    splitter *splitters;                   /* [band] */
    estimator *estimators;                 /* [stem][band] */
    nn_rope_transformer *time, *frequency; /* [depth] */
    nn_norm *final_norm;                   /* BS */
    float *factors; /* of each bin's mask: one over the bands that it is in; 0 where it is left out */
} roformer;

/* ---- settings */

static const char *const known[] = {
    "depth",
    "dim",
    "dim_head",
    "freq_transformer_depth",
    "freqs_per_bands",
    "heads",
    "num_bands",
    "num_stems",
    "sample_rate",
    "linear_transformer_depth",
    "skip_connection",
    "stereo",
    "use_pope",
    "zero_dc",
    "stft_n_fft",
    "match_input_audio_length",
    "stft_hop_length",
    "stft_win_length",
    "mask_estimator_depth",
    "mlp_expansion_factor",
    "time_transformer_depth",
    NULL,
};

static bool read_sizes(roformer *m, nn_rope_options *time, nn_rope_options *frequency, const nn_checkpoint *c,
                       ap_error *err)
{
    int linear = 0, window, frequency_depth = 2;
    m->stem_count = m->network.outputs;
    m->nfft = 2048;
    m->hop = 512;
    *time = (nn_rope_options){.heads = 8, .dim_head = 64, .depth = 2, .norm = m->mel};
    const struct {
        const char *key;
        int lo, hi, *value;
    } integers[] = {{"dim", 1, 8192, &m->dim},
                    {"depth", 1, MAX_DEPTH, &m->depth},
                    {"num_stems", m->stem_count, m->stem_count, &m->stem_count},
                    {"heads", 1, 256, &time->heads},
                    {"dim_head", 2, 1024, &time->dim_head},
                    {"time_transformer_depth", 1, NN_MAX_LAYERS, &time->depth},
                    {"freq_transformer_depth", 1, NN_MAX_LAYERS, &frequency_depth},
                    {"linear_transformer_depth", 0, 0, &linear},
                    {"stft_n_fft", 16, 65536, &m->nfft},
                    {"stft_hop_length", 1, 65536, &m->hop}};
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++)
        if (!nn_published_integer(c, "model", integers[i].key, integers[i].lo, integers[i].hi,
                                  integers[i].value, err))
            return false;
    window = m->nfft;
    if (!nn_published_integer(c, "model", "stft_win_length", m->nfft, m->nfft, &window, err))
        return false;
    time->dim = m->dim;
    *frequency = *time;
    frequency->depth = frequency_depth;
    const char *wrong = m->nfft % 2          ? "stft_n_fft"
                        : m->hop >= m->nfft  ? "stft_hop_length"
                        : time->dim_head % 2 ? "dim_head"
                                             : NULL;
    return !wrong || nn_published_refuse(c, wrong, err);
}

static bool read_bands(roformer *m, const nn_checkpoint *c, ap_error *err)
{
    const cJSON *model = nn_published_section(c, "model");
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(model, "freqs_per_bands");
    int number = 60, rate = m->network.rate;
    if (!m->mel)
        return nn_bands_of_list(&m->bands, list, m->nfft / 2 + 1, c->path, err);
    return nn_published_integer(c, "model", "num_bands", 1, NN_MAX_BANDS, &number, err) &&
           nn_published_integer(c, "model", "sample_rate", AP_MIN_RATE, AP_MAX_RATE, &rate, err) &&
           nn_bands_of_mel(&m->bands, number, m->nfft, rate, c->path, err);
}

static bool read_settings(roformer *m, nn_rope_options *time, nn_rope_options *frequency,
                          const nn_checkpoint *c, ap_error *err)
{
    nn_network *n = &m->network;
    if (!nn_published_read(n, c, err) || !nn_published_check(c, known, err))
        return false;
    bool stereo = false, polar = false, match_length = !m->mel;
    m->zero_dc = true;
    if (!nn_published_flag(c, "model", "stereo", &stereo, err) ||
        !nn_published_flag(c, "model", "skip_connection", &m->skip, err) ||
        !nn_published_flag(c, "model", "use_pope", &polar, err) ||
        !nn_published_flag(c, "model", "zero_dc", &m->zero_dc, err) ||
        (m->mel && !nn_published_flag(c, "model", "match_input_audio_length", &match_length, err)))
        return false;
    n->channels = stereo ? 2 : 1;
    if (!read_sizes(m, time, frequency, c, err) || !read_bands(m, c, err))
        return false;
    time->polar = frequency->polar = polar;
    n->chunk_multiple = match_length ? 1 : m->hop;
    n->chunk_least = m->nfft / 2 + 1; /* so that its ends can be reflected */
    return n->segment_frames >= n->chunk_least || nn_published_refuse(c, "chunk_size", err);
}

/* ---- loading */

static bool set_factors(roformer *m)
{
    const int bins = m->nfft / 2 + 1;
    m->factors = calloc((size_t)bins, sizeof *m->factors);
    for (int b = 0; m->factors && b < m->bands.number; b++)
        for (int i = 0; i < m->bands.count[b]; i++)
            m->factors[m->bands.from[b] + i] += 1;
    for (int i = 0; m->factors && i < bins; i++)
        m->factors[i] = m->factors[i] > 0 && !(m->zero_dc && i == 0) ? 1 / m->factors[i] : 0;
    return m->factors != NULL;
}

/* How many layers there are, and how wide they are, only the tensors say. */
static void load_estimator(nn_loader *loader, const roformer *m, const char *name, int out, estimator *e)
{
    int in = m->dim;
    for (bool last = false; !last && !loader->failed;) {
        const nn_name layer = nn_name_of("%s.%d", name, 2 * e->count);
        const nn_stored *bias =
            nn_checkpoint_find(loader->checkpoint, nn_name_of("%s.bias", layer.text).text);
        last = !nn_loader_has(loader, nn_name_of("%s.%d.weight", name, 2 * e->count + 2).text);
        if (!last && !bias)
            nn_loader_fail(loader, "is missing", nn_name_of("%s.bias", layer.text).text);
        else if (e->count == MAX_MASK_LAYERS || (!last && (bias->dims != 1 || bias->size[0] > MAX_HIDDEN)))
            nn_loader_fail(loader, "has another shape", layer.text);
        if (loader->failed)
            return;
        const int width = last ? out : (int)bias->size[0];
        e->layers[e->count++] = nn_load_linear(loader, layer.text, in, width, true);
        in = width;
    }
}

static void load_bands(nn_loader *loader, roformer *m)
{
    const int parts = 2 * m->network.channels;
    for (int b = 0; b < m->bands.number && !loader->failed; b++) {
        const nn_name name = nn_name_of("band_split.to_features.%d", b);
        const int width = m->bands.count[b] * parts;
        m->splitters[b].norm = nn_load_rms(loader, nn_name_of("%s.0.gamma", name.text).text, width);
        m->splitters[b].linear =
            nn_load_linear(loader, nn_name_of("%s.1", name.text).text, width, m->dim, true);
        for (int s = 0; s < m->stem_count; s++)
            load_estimator(loader, m, nn_name_of("mask_estimators.%d.to_freqs.%d.0", s, b).text, 2 * width,
                           &m->estimators[s * m->bands.number + b]);
    }
}

static void load(nn_loader *loader, roformer *m, const nn_rope_options *time,
                 const nn_rope_options *frequency)
{
    const size_t bands = (size_t)m->bands.number, depth = (size_t)m->depth;
    m->splitters = calloc(bands, sizeof *m->splitters);
    m->estimators = calloc(bands * (size_t)m->stem_count, sizeof *m->estimators);
    m->time = calloc(depth, sizeof *m->time);
    m->frequency = calloc(depth, sizeof *m->frequency);
    if (!m->splitters || !m->estimators || !m->time || !m->frequency || !set_factors(m)) {
        nn_loader_no_memory(loader);
        return;
    }
    load_bands(loader, m);
    for (int i = 0; i < m->depth && !loader->failed; i++) {
        nn_rope_load(loader, nn_name_of("layers.%d.0", i).text, time, &m->time[i]);
        nn_rope_load(loader, nn_name_of("layers.%d.1", i).text, frequency, &m->frequency[i]);
    }
    if (!m->mel)
        m->final_norm = nn_load_rms(loader, "final_norm.gamma", m->dim);
}

static void roformer_free(nn_network *network)
{
    roformer *m = (roformer *)network;
    for (int b = 0; m->splitters && b < m->bands.number; b++) {
        nn_norm_free(m->splitters[b].norm);
        nn_linear_free(m->splitters[b].linear);
    }
    for (int i = 0; m->estimators && i < m->bands.number * m->stem_count; i++)
        for (int j = 0; j < m->estimators[i].count; j++)
            nn_linear_free(m->estimators[i].layers[j]);
    for (int i = 0; m->time && m->frequency && i < m->depth; i++) {
        nn_rope_free(&m->time[i]);
        nn_rope_free(&m->frequency[i]);
    }
    nn_norm_free(m->final_norm);
    free(m->splitters);
    free(m->estimators);
    free(m->time);
    free(m->frequency);
    free(m->factors);
    free(m);
}

/* ---- running */

/* [bins][2 channels][time] -> [bands][dim][time] */
static nn_tensor *split(const roformer *m, nn_tensor *spectrum)
{
    nn_tensor *x = nn_zeros(m->network.engine, m->bands.number, m->dim, nn_time(spectrum));
    for (int b = 0; b < m->bands.number; b++) {
        const nn_crop_to band = {.from_row = m->bands.from[b], .rows = m->bands.count[b]};
        nn_tensor *v = nn_crop(nn_keep(spectrum), band);
        v = nn_reshape(v, 1, nn_rows(v) * nn_channels(v), nn_time(v));
        v = nn_apply_normalized(v, m->splitters[b].norm, m->splitters[b].linear, NN_LINEAR);
        x = nn_put_rows(x, v, b, false);
    }
    nn_drop(spectrum);
    return x;
}

static nn_tensor *transform(const roformer *m, nn_tensor *x)
{
    nn_tensor *before = NULL; /* the sum of the outputs of all blocks so far */
    for (int i = 0; i < m->depth; i++) {
        if (before)
            x = nn_add(x, nn_keep(before));
        x = nn_rope_apply(x, &m->time[i], false);
        x = nn_rope_apply(x, &m->frequency[i], true);
        if (m->skip)
            before = before ? nn_add(before, nn_keep(x)) : nn_keep(x);
    }
    nn_drop(before);
    return m->final_norm ? nn_normalize(x, m->final_norm, NN_LINEAR) : x;
}

static nn_tensor *estimate(const estimator *e, nn_tensor *x)
{
    for (int i = 0; i < e->count; i++)
        x = nn_apply_linear(x, e->layers[i], i + 1 < e->count ? NN_TANH : NN_LINEAR);
    return nn_activate(x, NN_GLU);
}

/* The sum of what all bands say of each bin. */
static nn_tensor *mask_of(const roformer *m, const estimator *estimators, nn_tensor *x)
{
    const int parts = 2 * m->network.channels;
    nn_tensor *mask = nn_zeros(m->network.engine, m->nfft / 2 + 1, parts, nn_time(x));
    for (int b = 0; b < m->bands.number; b++) {
        nn_tensor *token = nn_crop(nn_keep(x), (nn_crop_to){.from_row = b, .rows = 1});
        nn_tensor *y = nn_reshape(estimate(&estimators[b], token), m->bands.count[b], parts, nn_time(x));
        mask = nn_put_rows(mask, y, m->bands.from[b], true);
    }
    return mask;
}

static nn_tensor *roformer_run(nn_network *network, nn_tensor *mix)
{
    const roformer *m = (const roformer *)network;
    const int64_t length = nn_time(mix);
    nn_tensor *spectrum = nn_stft(mix, m->nfft, m->hop), *out = NULL;
    nn_tensor *x = transform(m, split(m, nn_keep(spectrum)));
    for (int s = 0; x && s < m->stem_count; s++) {
        nn_tensor *mask = mask_of(m, m->estimators + s * m->bands.number, x);
        nn_tensor *stem = nn_istft(nn_multiply_complex(mask, nn_keep(spectrum), m->factors), m->hop, length);
        out = s ? nn_concat(out, stem) : stem;
    }
    nn_drop(x);
    nn_drop(spectrum);
    return out;
}

/* Of a chunk: matrices on every token, attention along time and along the bands, and what is done once a
 * moment. */
static double cost_of(const roformer *m, const nn_rope_options *time, const nn_rope_options *frequency,
                      const nn_checkpoint *c)
{
    const double moments = (double)m->network.segment_frames / m->hop + 1, bands = m->bands.number;
    const double inner = time->heads * time->dim_head;
    double sum = m->depth * 4 * inner * moments * bands * (time->depth * moments + frequency->depth * bands);
    for (size_t i = 0; i < c->count; i++)
        if (c->tensors[i].dims == 2)
            sum += 2 * (double)nn_stored_count(&c->tensors[i]) * moments *
                   (strncmp(c->tensors[i].name, "layers.", 7) == 0 ? bands : 1);
    return sum;
}

static double describe(const nn_checkpoint *c, nn_network *n, bool mel, ap_error *err)
{
    nn_rope_options time, frequency;
    roformer *m = calloc(1, sizeof *m);
    if (!m)
        return ap_fail_memory(err), -1;
    m->mel = mel;
    const double cost = read_settings(m, &time, &frequency, c, err) ? cost_of(m, &time, &frequency, c) : -1;
    *n = m->network;
    free(m);
    return cost;
}

static double bs_describe(const nn_checkpoint *c, nn_network *n, ap_error *err)
{
    return describe(c, n, false, err);
}

static double mel_describe(const nn_checkpoint *c, nn_network *n, ap_error *err)
{
    return describe(c, n, true, err);
}

static nn_network *roformer_open(const nn_checkpoint *c, nn_engine *engine, bool mel, ap_error *err)
{
    nn_rope_options time, frequency;
    nn_loader loader;
    roformer *m = calloc(1, sizeof *m);
    if (!m) {
        ap_fail_memory(err);
        return NULL;
    }
    m->network = (nn_network){.engine = engine, .run = roformer_run, .free = roformer_free};
    m->mel = mel;
    if (read_settings(m, &time, &frequency, c, err) && nn_loader_open(&loader, c, engine, err)) {
        load(&loader, m, &time, &frequency);
        if (nn_loader_finish(&loader))
            return &m->network;
    }
    roformer_free(&m->network);
    return NULL;
}

static nn_network *bs_open(const nn_checkpoint *c, nn_engine *engine, ap_error *err)
{
    return roformer_open(c, engine, false, err);
}

static nn_network *mel_open(const nn_checkpoint *c, nn_engine *engine, ap_error *err)
{
    return roformer_open(c, engine, true, err);
}

static bool has_bands(const nn_checkpoint *c)
{
    return !*c->klass && nn_checkpoint_find(c, "band_split.to_features.0.0.gamma");
}

static bool is_bs(const nn_checkpoint *c)
{
    return has_bands(c) && nn_checkpoint_find(c, "final_norm.gamma");
}

static bool is_mel(const nn_checkpoint *c)
{
    return has_bands(c) && nn_checkpoint_find(c, "layers.0.0.norm.gamma");
}

const nn_architecture nn_bs_roformer = {"BS-RoFormer", is_bs, bs_open, bs_describe};
const nn_architecture nn_mel_roformer = {"Mel-Band RoFormer", is_mel, mel_open, mel_describe};
