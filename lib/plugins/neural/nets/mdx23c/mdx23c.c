/* SPDX-License-Identifier: GPL-3.0-or-later
 * mdx23c.c - MDX23C (TFC-TDF v3; Kim, Lee, Jung 2023), as in Music-Source-Separation-Training. */
#include "base/error.h"
#include "plugins/neural/nets/architectures.h"
#include "plugins/neural/nets/mdx23c/blocks.h"
#include "plugins/neural/nets/published.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SCALES 10
#define PLANES 4 /* left and right, real and imaginary */

typedef struct mdx23c {
    nn_network network;
    int nfft, hop, bins, subbands, scales, channels, growth, bottleneck, blocks, stem_count;
    nn_act act;
    nn_linear *first, *final1, *final2;
    nn_mdx_blocks encoders[MAX_SCALES], decoders[MAX_SCALES], middle;
    nn_mdx_step down[MAX_SCALES], up[MAX_SCALES];
} mdx23c;

/* ---- settings */

static bool check_words(mdx23c *m, const nn_checkpoint *c, ap_error *err)
{
    const cJSON *model = nn_published_section(c, "model");
    const char *act = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(model, "act"));
    const char *norm = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(model, "norm")), *wrong = NULL;
    const cJSON *scale = cJSON_GetObjectItemCaseSensitive(model, "scale");
    const cJSON *a = cJSON_GetArrayItem(scale, 0), *b = cJSON_GetArrayItem(scale, 1);
    if (!norm || strcmp(norm, "InstanceNorm") != 0)
        wrong = "norm";
    else if (!act || (strcmp(act, "gelu") != 0 && strcmp(act, "relu") != 0))
        wrong = "act";
    else if (scale && (!a || !b || a->valuedouble != 2 || b->valuedouble != 2))
        wrong = "scale";
    m->act = act && strcmp(act, "relu") == 0 ? NN_RELU : NN_GELU;
    return !wrong || nn_published_refuse(c, wrong, err);
}

static bool read_integers(mdx23c *m, const nn_checkpoint *c, ap_error *err)
{
    const struct {
        const char *section, *key;
        int lo, hi, *value;
    } integers[] = {{"audio", "n_fft", 64, 65536, &m->nfft},
                    {"audio", "hop_length", 1, 65536, &m->hop},
                    {"audio", "dim_f", 1, 32769, &m->bins},
                    {"audio", "num_channels", 2, 2, &m->network.channels},
                    {"model", "num_subbands", 1, 64, &m->subbands},
                    {"model", "num_scales", 1, MAX_SCALES, &m->scales},
                    {"model", "num_channels", 1, 4096, &m->channels},
                    {"model", "growth", 0, 4096, &m->growth},
                    {"model", "bottleneck_factor", 1, 64, &m->bottleneck},
                    {"model", "num_blocks_per_scale", 1, NN_MAX_BLOCKS, &m->blocks}};
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++)
        if (!nn_published_integer(c, integers[i].section, integers[i].key, integers[i].lo, integers[i].hi,
                                  integers[i].value, err))
            return false;
    return true;
}

static bool check_sizes(const mdx23c *m, const nn_checkpoint *c, ap_error *err)
{
    const int unit = m->subbands << m->scales; /* what the frequencies are divided by */
    const int64_t chunk = m->network.segment_frames;
    const char *wrong = NULL;
    if (m->nfft % 2)
        wrong = "n_fft";
    else if (m->hop >= m->nfft)
        wrong = "hop_length";
    else if (m->bins > m->nfft / 2 + 1 || m->bins % unit)
        wrong = "dim_f";
    else if (m->bins / unit < m->bottleneck)
        wrong = "bottleneck_factor";
    else if (chunk < m->network.chunk_least || chunk % m->hop || (chunk / m->hop + 1) % (1 << m->scales))
        wrong = "chunk_size";
    return !wrong || nn_published_refuse(c, wrong, err);
}

static bool read_settings(mdx23c *m, const nn_checkpoint *c, ap_error *err)
{
    static const char *const known[] = {"act",
                                        "norm",
                                        "scale",
                                        "growth",
                                        "num_subbands",
                                        "num_channels",
                                        "num_scales",
                                        "bottleneck_factor",
                                        "num_blocks_per_scale",
                                        NULL};
    nn_network *n = &m->network;
    if (!nn_published_read(n, c, err) || !nn_published_check(c, known, err) || !check_words(m, c, err) ||
        !read_integers(m, c, err))
        return false;
    m->stem_count = n->outputs;
    n->chunk_multiple = m->hop << m->scales;
    n->chunk_extra = -m->hop;
    n->chunk_least = m->nfft / 2 + 1; /* so that its ends can be reflected */
    return check_sizes(m, c, err);
}

/* ---- loading */

static void load_all(nn_loader *loader, mdx23c *m)
{
    const int planes = PLANES * m->subbands;
    nn_mdx_options o = {m->channels, m->channels, m->bins / m->subbands, m->bottleneck, m->blocks, m->act};
    m->first = nn_load_linear(loader, "first_conv", planes, m->channels, false);
    for (int i = 0; i < m->scales; i++) {
        nn_mdx_blocks_load(loader, nn_name_of("encoder_blocks.%d.tfc_tdf", i).text, &o, &m->encoders[i]);
        nn_mdx_down_load(loader, nn_name_of("encoder_blocks.%d.downscale", i).text, o.out, o.out + m->growth,
                         &m->down[i]);
        o.in = o.out += m->growth;
        o.rows /= 2;
    }
    nn_mdx_blocks_load(loader, "bottleneck_block", &o, &m->middle);
    for (int i = 0; i < m->scales; i++) {
        nn_mdx_up_load(loader, nn_name_of("decoder_blocks.%d.upscale", i).text, o.out, o.out - m->growth,
                       &m->up[i]);
        o.out -= m->growth;
        o.in = 2 * o.out;
        o.rows *= 2;
        nn_mdx_blocks_load(loader, nn_name_of("decoder_blocks.%d.tfc_tdf", i).text, &o, &m->decoders[i]);
    }
    m->final1 = nn_load_linear(loader, "final_conv.0", m->channels + planes, m->channels, false);
    m->final2 = nn_load_linear(loader, "final_conv.2", m->channels, m->stem_count * planes, false);
}

static void mdx23c_free(nn_network *network)
{
    mdx23c *m = (mdx23c *)network;
    for (int i = 0; i < MAX_SCALES; i++) {
        nn_mdx_blocks_free(&m->encoders[i]);
        nn_mdx_blocks_free(&m->decoders[i]);
        nn_mdx_step_free(&m->down[i]);
        nn_mdx_step_free(&m->up[i]);
    }
    nn_mdx_blocks_free(&m->middle);
    nn_linear_free(m->first);
    nn_linear_free(m->final1);
    nn_linear_free(m->final2);
    free(m);
}

/* ---- running */

/* [bins][planes][time] -> [bins / subbands][planes * subbands][time] */
static nn_tensor *fold(const mdx23c *m, nn_tensor *x)
{
    const int64_t k = m->subbands, rows = m->bins / k, time = nn_time(x);
    const nn_permutation p = {{1, k, rows, PLANES, time}, {0, 2, 3, 1, 4}, rows, PLANES * k, time};
    return nn_permute(nn_crop(x, (nn_crop_to){.rows = m->bins}), &p);
}

/* Back, for all stems: [stems * bins][planes][time]. */
static nn_tensor *unfold(const mdx23c *m, nn_tensor *x)
{
    const int64_t k = m->subbands, rows = m->bins / k, time = nn_time(x), stems = m->stem_count;
    const nn_permutation p = {{rows, stems, PLANES, k, time}, {1, 3, 0, 2, 4}, stems * m->bins, PLANES, time};
    return nn_permute(x, &p);
}

static nn_tensor *u_net(const mdx23c *m, nn_tensor *x)
{
    nn_tensor *saved[MAX_SCALES];
    for (int i = 0; i < m->scales; i++) {
        x = nn_mdx_blocks_apply(x, &m->encoders[i]);
        saved[i] = nn_keep(x);
        x = nn_mdx_down(x, &m->down[i], m->act);
    }
    x = nn_mdx_blocks_apply(x, &m->middle);
    for (int i = 0; i < m->scales; i++) {
        x = nn_concat(nn_mdx_up(x, &m->up[i], m->act), saved[m->scales - 1 - i]);
        x = nn_mdx_blocks_apply(x, &m->decoders[i]);
    }
    return x;
}

static nn_tensor *mdx23c_run(nn_network *network, nn_tensor *mix)
{
    const mdx23c *m = (const mdx23c *)network;
    const int64_t length = nn_time(mix);
    nn_tensor *planes = fold(m, nn_stft(mix, m->nfft, m->hop)), *out = NULL;
    nn_tensor *first = nn_apply_linear(nn_keep(planes), m->first, NN_LINEAR);
    nn_tensor *x = nn_multiply(u_net(m, nn_keep(first)), first);
    x = nn_apply_linear(nn_concat(planes, x), m->final1, m->act);
    x = unfold(m, nn_apply_linear(x, m->final2, NN_LINEAR));
    for (int s = 0; x && s < m->stem_count; s++) {
        nn_tensor *spectrum = nn_zeros(m->network.engine, m->nfft / 2 + 1, PLANES, nn_time(x));
        nn_tensor *stem =
            nn_crop(nn_keep(x), (nn_crop_to){.from_row = (int64_t)s * m->bins, .rows = m->bins});
        stem = nn_istft(nn_put_rows(spectrum, stem, 0, false), m->hop, length);
        out = s ? nn_concat(out, stem) : stem;
    }
    nn_drop(x);
    return out;
}

/* How often the spectrum was halved at the layer of a tensor. */
static int scale_of(const mdx23c *m, const char *name)
{
    int i = 0;
    if (sscanf(name, "encoder_blocks.%d", &i) == 1)
        return i + (strstr(name, "downscale") != NULL);
    if (sscanf(name, "decoder_blocks.%d", &i) == 1)
        return m->scales - 1 - i + (strstr(name, "upscale") != NULL);
    return strncmp(name, "bottleneck", 10) == 0 ? m->scales : 0;
}

/* Of a chunk: convolutions at every place, matrices along frequency for every channel and moment. */
static double cost_of(const mdx23c *m, const nn_checkpoint *c)
{
    const double frames = (double)m->network.segment_frames / m->hop + 1, rows = m->bins / m->subbands;
    double sum = 0;
    for (size_t i = 0; i < c->count; i++) {
        const nn_stored *t = &c->tensors[i];
        const int scale = scale_of(m, t->name), half = 1 << (scale > 0 && scale <= m->scales ? scale : 0);
        if (t->dims == 4)
            sum += 2 * (double)nn_stored_count(t) * (rows / half) * (frames / half);
        else if (t->dims == 2)
            sum += 2 * (double)nn_stored_count(t) * (m->channels + scale * m->growth) * (frames / half);
    }
    return sum;
}

static double mdx23c_describe(const nn_checkpoint *c, nn_network *n, ap_error *err)
{
    mdx23c *m = calloc(1, sizeof *m);
    if (!m)
        return ap_fail_memory(err), -1;
    const double cost = read_settings(m, c, err) ? cost_of(m, c) : -1;
    *n = m->network;
    free(m);
    return cost;
}

static nn_network *mdx23c_open(const nn_checkpoint *c, nn_engine *engine, ap_error *err)
{
    nn_loader loader;
    mdx23c *m = calloc(1, sizeof *m);
    if (!m) {
        ap_fail_memory(err);
        return NULL;
    }
    m->network = (nn_network){.engine = engine, .run = mdx23c_run, .free = mdx23c_free};
    if (read_settings(m, c, err) && nn_loader_open(&loader, c, engine, err)) {
        load_all(&loader, m);
        if (nn_loader_finish(&loader))
            return &m->network;
    }
    mdx23c_free(&m->network);
    return NULL;
}

static bool is_mdx23c(const nn_checkpoint *c)
{
    return !*c->klass && nn_checkpoint_find(c, "first_conv.weight") &&
           nn_checkpoint_find(c, "final_conv.2.weight");
}

const nn_architecture nn_mdx23c = {"MDX23C", is_mdx23c, mdx23c_open, mdx23c_describe};
