/* SPDX-License-Identifier: GPL-3.0-or-later
 * separate.c - music to stems: what surrounds the networks, which are in the plugin demucs.so. */
#include "demucs/demucs.h"
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define PLUGIN "demucs.so"

struct ap_separator {
    const ap_demucs_plugin *plugin;
    ap_demucs *model;
    ap_demucs_info info;
    ap_separate_options options;
};

void ap_separate_defaults(ap_separate_options *options)
{
    *options = (ap_separate_options){.model = "htdemucs", .device = "auto", .overlap = 0.25};
}

static const ap_demucs_plugin *load_plugin(ap_error *err)
{
    void *symbol = ap_plugin(PLUGIN, "ap_demucs_plugin_get", err);
    const ap_demucs_plugin *(*get)(void);
    if (!symbol)
        return NULL;
    memcpy(&get, &symbol, sizeof get); /* ISO C has no cast from an object to a function */
    if (get()->version == AP_DEMUCS_VERSION)
        return get();
    ap_fail(err, AP_FAILED, "the plugin '%s' is of another version", PLUGIN);
    return NULL;
}

bool ap_models_list(ap_model_visit *visit, void *user, ap_error *err)
{
    const ap_demucs_plugin *plugin = load_plugin(err);
    if (plugin)
        plugin->list(visit, user);
    return plugin != NULL;
}

static bool check_options(const ap_separate_options *o, ap_error *err)
{
    return ap_check_range("overlap", o->overlap, 0, 0.95, err) &&
           ap_check_range("segment", o->segment_s, 0, 600, err) &&
           ap_check_range("shifts", o->shifts, 0, 100, err);
}

ap_separator *ap_separator_open(const ap_separate_options *options, ap_error *err)
{
    ap_separate_options o;
    ap_separate_defaults(&o);
    if (options)
        o = *options;
    if (!check_options(&o, err))
        return NULL;
    ap_separator *p = calloc(1, sizeof *p);
    if (!p) {
        ap_fail_memory(err);
        return NULL;
    }
    p->options = o;
    p->plugin = load_plugin(err);
    if (!p->plugin || !(p->model = p->plugin->open(o.model, o.device, o.threads, err))) {
        free(p);
        return NULL;
    }
    p->plugin->describe(p->model, &p->info);
    return p;
}

void ap_separator_close(ap_separator **separator)
{
    if (!separator || !*separator)
        return;
    (*separator)->plugin->close((*separator)->model);
    free(*separator);
    *separator = NULL;
}

size_t ap_separator_stems(const ap_separator *separator)
{
    return separator->info.stem_count;
}

const char *ap_separator_stem(const ap_separator *separator, size_t index)
{
    return index < separator->info.stem_count ? separator->info.stems[index] : NULL;
}

/* ---- sums of stems */

/* From the stems that were computed, and the mix after them, to the outputs. */
typedef struct summer {
    size_t channels, inputs, outputs; /* inputs, outputs: groups of channels */
    float gains[AP_MAX_CHANNELS][AP_MAX_STEMS + 1];
    float block[]; /* [AP_BLOCK][inputs * channels] */
} summer;

static void sum_frame(const summer *m, const float *in, float *out)
{
    for (size_t o = 0; o < m->outputs; o++)
        for (size_t c = 0; c < m->channels; c++) {
            float sum = 0;
            for (size_t i = 0; i < m->inputs; i++)
                sum += m->gains[o][i] * in[i * m->channels + c];
            out[o * m->channels + c] = sum;
        }
}

static ptrdiff_t sum_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    summer *m = s->state;
    ptrdiff_t n = ap_read(s->source, m->block, max < AP_BLOCK ? max : AP_BLOCK, err);
    for (ptrdiff_t i = 0; i < n; i++)
        sum_frame(m, m->block + (size_t)i * m->inputs * m->channels,
                  frames + (size_t)i * m->outputs * m->channels);
    return n;
}

/* Which stems, and whether the mix, any output needs. */
static void find_needed(const ap_separator *p, const ap_stem_mix *outputs, size_t count, ap_demucs_options *o)
{
    const ap_separate_options *from = &p->options;
    *o = (ap_demucs_options){from->overlap, from->segment_s, from->shifts, from->seed, {0}, false};
    for (size_t i = 0; i < count; i++) {
        for (size_t stem = 0; stem < p->info.stem_count; stem++)
            o->wanted[stem] |= outputs[i].stems[stem] != 0;
        o->mix |= outputs[i].mix != 0;
    }
}

static ap_stream *sum_stems(ap_stream *s, const ap_separator *p, const ap_demucs_options *needed,
                            const ap_stem_mix *outputs, size_t count, ap_error *err)
{
    static const ap_stage stage = {.read = sum_read, .close = free};
    if (!s)
        return NULL;
    summer *m = calloc(1, sizeof *m + (size_t)AP_BLOCK * s->format.channels * sizeof *m->block);
    if (!m) {
        ap_close(&s);
        ap_fail_memory(err);
        return NULL;
    }
    m->channels = p->info.channels;
    m->outputs = count;
    for (size_t stem = 0; stem < p->info.stem_count; stem++) {
        for (size_t i = 0; needed->wanted[stem] && i < count; i++)
            m->gains[i][m->inputs] = (float)outputs[i].stems[stem];
        m->inputs += needed->wanted[stem];
    }
    for (size_t i = 0; needed->mix && i < count; i++)
        m->gains[i][m->inputs] = (float)outputs[i].mix;
    m->inputs += needed->mix;
    ap_format format = s->format;
    format.channels = (uint32_t)(count * m->channels);
    format.mask = 0;
    return ap_stream_new(&stage, m, s, &format, err);
}

/* ---- the whole */

static bool count_frames(void *user, ap_stream *s, const float *frames, size_t count, ap_error *err)
{
    (void)s;
    (void)frames;
    (void)err;
    *(uint64_t *)user += count;
    return true;
}

ap_stream *ap_separate(ap_stream *s, ap_separator *separator, const ap_stem_mix *outputs, size_t count,
                       ap_error *err)
{
    if (!s)
        return NULL;
    ap_demucs_options needed;
    find_needed(separator, outputs, count, &needed);
    if (count < 1 || count * separator->info.channels > AP_MAX_CHANNELS) {
        ap_fail(err, AP_USAGE, "%zu stems at a time are out of range (1 to %u)", count,
                AP_MAX_CHANNELS / separator->info.channels);
        ap_close(&s);
        return NULL;
    }
    const uint32_t rate = s->format.rate;
    uint64_t frames = 0;
    s = ap_tap(s, count_frames, &frames, err); /* the tap sees nothing after separate has read all */
    if (s && s->format.channels != separator->info.channels)
        s = ap_remix(s, separator->info.channels, err);
    if (s && rate != separator->info.rate)
        s = ap_resample(s, separator->info.rate, err);
    s = s ? separator->plugin->separate(separator->model, s, &needed, err) : NULL;
    s = sum_stems(s, separator, &needed, outputs, count, err);
    if (!s || rate == s->format.rate)
        return s;
    return ap_trim(ap_resample(s, rate, err), 0, frames, err); /* both ways round up */
}
