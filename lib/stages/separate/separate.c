/* SPDX-License-Identifier: GPL-3.0-or-later
 * separate.c - music to stems: which method does it, and what surrounds it. */
#include "base/backlog.h"
#include "base/error.h"
#include "stages/separate/method.h"
#include "stages/separate/several.h"
#include "stream/gain_tags.h"
#include "stream/stream.h"

#include <stdlib.h>
#include <string.h>

/* The methods that need no files and no plugin; a line is all that another one needs. */
static const ap_method *(*const built_in[])(void) = {
    ap_blind_method,
    NULL,
};

struct ap_separator {
    const ap_method *method;
    ap_model *model;
    ap_model_info info;
    ap_separate_options options;
    bool stopgap; /* built in, and not asked for by name */
};

void ap_separate_defaults(ap_separate_options *options)
{
    *options = (ap_separate_options){.device = "auto", .overlap = -1};
}

/* ---- which method */

static const ap_method *load_plugin(ap_error *err)
{
    const ap_neural_plugin *neural =
        ap_plugin_load("neural.so", AP_NEURAL_VERSION, sizeof(ap_neural_plugin), err);
    return neural ? &neural->method : NULL;
}

static const ap_method *find_built_in(const char *name)
{
    for (size_t i = 0; built_in[i]; i++)
        if (!name || strcmp(built_in[i]()->best(), name) == 0)
            return built_in[i]();
    return NULL;
}

/* The best one for a user who named no model. */
static bool choose_best(ap_separator *p, ap_error *err)
{
    const ap_method *neural = load_plugin(err), *stopgap = find_built_in(NULL);
    p->method = neural;
    p->options.model = neural ? neural->best() : NULL;
    p->stopgap = !p->options.model && stopgap;
    if (p->stopgap) {
        p->method = stopgap;
        p->options.model = stopgap->best();
    } else if (!p->options.model)
        p->options.model = "htdemucs"; /* opening it says what is missing */
    return p->method != NULL;
}

static bool choose(ap_separator *p, ap_error *err)
{
    if (!p->options.model && !p->options.ensemble)
        return choose_best(p, err);
    if (ap_members_is_list(p->options.model))
        p->method = p->options.ensemble ? ap_ensemble_method() : ap_chain_method();
    else if (p->options.ensemble)
        return ap_fail(err, AP_USAGE, "an ensemble takes several models, with commas between them");
    else
        p->method = find_built_in(p->options.model);
    if (!p->method)
        p->method = load_plugin(err);
    return p->method != NULL;
}

bool ap_models_list(ap_model_visit *visit, void *user, ap_error *err)
{
    const ap_method *plugin = load_plugin(err);
    if (plugin)
        plugin->list(visit, user);
    for (size_t i = 0; built_in[i]; i++)
        built_in[i]()->list(visit, user);
    return plugin || built_in[0];
}

/* ---- a separator */

static bool check_options(const ap_separate_options *o, ap_error *err)
{
    return ap_check_range("channels", o->channels, 0, 2, err) &&
           ap_check_range("overlap", o->overlap, -1, 100, err) &&
           (o->overlap <= 0.95 || o->overlap >= 1 ||
            ap_fail(err, AP_USAGE, "overlap %g is out of range (0 to 0.95, or a number of segments)",
                    o->overlap)) &&
           ap_check_range("segment", o->segment_s, 0, 600, err) &&
           ap_check_range("chunk", o->chunk_frames, 0, 1e7, err) &&
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
    if (!choose(p, err) || !(p->model = p->method->open(&p->options, err))) {
        free(p);
        return NULL;
    }
    p->method->describe(p->model, &p->info);
    if (!p->info.parts)
        p->info.parts = p->info.stem_count;
    return p;
}

void ap_separator_close(ap_separator **separator)
{
    if (!separator || !*separator)
        return;
    (*separator)->method->close((*separator)->model);
    free(*separator);
    *separator = NULL;
}

const char *ap_separator_model(const ap_separator *separator)
{
    return separator->options.model;
}

const char *ap_separator_engine(const ap_separator *separator)
{
    return separator->info.engine;
}

size_t ap_separator_stems(const ap_separator *separator)
{
    return separator->info.stem_count;
}

const char *ap_separator_stem(const ap_separator *separator, size_t index)
{
    return index < separator->info.stem_count ? separator->info.stems[index] : NULL;
}

size_t ap_separator_parts(const ap_separator *separator)
{
    return separator->info.parts;
}

void ap_separator_rest(const ap_separator *separator, size_t stem, ap_stem_mix *rest)
{
    const ap_model_info *info = &separator->info;
    *rest = (ap_stem_mix){0};
    for (size_t i = 0; i < info->parts; i++)
        rest->stems[i] = stem < info->parts ? i != stem : i < info->inside[stem];
}

/* ---- sums of stems */

/* From the stems that were computed, and the mix, to the outputs. */
typedef struct summer {
    size_t channels, width; /* of a stem, of an output */
    size_t inputs, outputs; /* stems (without the mix), outputs */
    bool wanted[AP_MAX_STEMS];
    float gains[AP_MAX_CHANNELS][AP_MAX_STEMS + 1]; /* the last one: of the mix */
    uint64_t seen;                                  /* frames of the mix so far */
    ap_backlog *mix;                                /* those not given out yet; NULL: no output needs them */
    float *block;                                   /* [AP_BLOCK][inputs + 1][channels] */
} summer;

static void summer_free(void *state)
{
    summer *m = state;
    if (!m)
        return;
    ap_backlog_free(m->mix);
    free(m->block);
    free(m);
}

/* Which stems, and whether the mix, any output needs. */
static summer *summer_new(const ap_separator *p, const ap_stem_mix *outputs, size_t count, uint32_t channels,
                          ap_error *err)
{
    summer *m = calloc(1, sizeof *m);
    bool mixed = false;
    if (!m)
        goto no_memory;
    *m = (summer){.channels = channels, .outputs = count};
    m->width = p->options.channels ? p->options.channels : channels;
    for (size_t stem = 0; stem < p->info.stem_count; stem++) {
        for (size_t i = 0; i < count; i++) {
            m->wanted[stem] |= outputs[i].stems[stem] != 0;
            m->gains[i][m->inputs] = (float)outputs[i].stems[stem];
        }
        m->inputs += m->wanted[stem];
    }
    if (m->inputs == 0) /* the mix alone */
        m->inputs = m->wanted[0] = true;
    for (size_t i = 0; i < count; i++) {
        m->gains[i][m->inputs] = (float)outputs[i].mix;
        mixed |= outputs[i].mix != 0;
    }
    m->block = malloc((size_t)AP_BLOCK * (m->inputs + 1) * channels * sizeof *m->block);
    if (!m->block)
        goto no_memory;
    if (!mixed || (m->mix = ap_backlog_new(err)))
        return m;
    summer_free(m);
    return NULL;
no_memory:
    ap_fail_memory(err);
    summer_free(m);
    return NULL;
}

/* A tap on what the method takes. */
static bool see_mix(void *user, ap_stream *s, const float *frames, size_t count, ap_error *err)
{
    (void)s;
    summer *m = user;
    m->seen += count;
    return !m->mix || ap_backlog_put(m->mix, frames, count * m->channels * sizeof *frames, err);
}

/* Channel c of an output, from a stem's frame: the same channel, the mean of all, or the only one. */
static float channel_of(const summer *m, const float *frame, size_t c)
{
    float sum = 0;
    if (m->width != 1)
        return frame[m->channels == 1 ? 0 : c];
    for (size_t i = 0; i < m->channels; i++)
        sum += frame[i];
    return sum / (float)m->channels;
}

static void sum_frame(const summer *m, const float *stems, const float *mix, float *out)
{
    for (size_t o = 0; o < m->outputs; o++)
        for (size_t c = 0; c < m->width; c++) {
            float sum = mix ? m->gains[o][m->inputs] * channel_of(m, mix, c) : 0;
            for (size_t i = 0; i < m->inputs; i++)
                if (m->gains[o][i] != 0)
                    sum += m->gains[o][i] * channel_of(m, stems + i * m->channels, c);
            *out++ = sum;
        }
}

/* What was resampled there and back is up to a frame longer than the mix: that is cut off. */
static ptrdiff_t sum_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    summer *m = s->state;
    const size_t width = m->inputs * m->channels; /* samples in a frame of all stems */
    float *mix = m->block + (size_t)AP_BLOCK * width;
    ptrdiff_t n = ap_read(s->source, m->block, max < AP_BLOCK ? max : AP_BLOCK, err);
    if (n > 0 && (uint64_t)n > m->seen - s->position)
        n = (ptrdiff_t)(m->seen - s->position);
    if (n > 0 && m->mix && !ap_backlog_take(m->mix, mix, (size_t)n * m->channels * sizeof *mix, err))
        return -1;
    for (ptrdiff_t i = 0; i < n; i++)
        sum_frame(m, m->block + (size_t)i * width, m->mix ? mix + (size_t)i * m->channels : NULL,
                  frames + (size_t)i * m->outputs * m->width);
    return n;
}

/* ---- the whole */

/* Around the method: conversion to what it takes, and back. */
static ap_stream *run_method(ap_stream *s, ap_separator *p, summer *m, const char *state, ap_error *err)
{
    ap_separate_options options = p->options;
    options.state = state;
    const uint32_t rate = s->format.rate;
    if (s->format.channels != m->channels)
        s = ap_remix(s, (uint32_t)m->channels, err);
    s = ap_tap(s, see_mix, m, err);
    if (p->info.rate)
        s = ap_resample(s, p->info.rate, err);
    s = s ? p->method->separate(p->model, s, &options, m->wanted, err) : NULL;
    return ap_resample(s, rate, err);
}

ap_stream *ap_separate(ap_stream *s, ap_separator *separator, const ap_stem_mix *outputs, size_t count,
                       ap_error *err)
{
    return ap_separate_resumable(s, separator, outputs, count, NULL, err);
}

ap_stream *ap_separate_resumable(ap_stream *s, ap_separator *separator, const ap_stem_mix *outputs,
                                 size_t count, const char *state, ap_error *err)
{
    static const ap_stream_ops ops = {.read = sum_read, .close = summer_free};
    if (!s)
        return NULL;
    const uint32_t channels = separator->info.channels ? separator->info.channels : s->format.channels;
    ap_format format = s->format;
    summer *m = NULL;
    if (count < 1 || count * channels > AP_MAX_CHANNELS)
        ap_fail(err, AP_USAGE, "%zu stems of %u channels at a time are out of range (1 to %u channels)",
                count, channels, AP_MAX_CHANNELS);
    else
        m = summer_new(separator, outputs, count, channels, err);
    if (m) {
        s = run_method(s, separator, m, state, err);
        format.channels = (uint32_t)(count * m->width);
        format.mask = 0;
    }
    if (m && s && format.frames == AP_UNKNOWN && s->format.frames != AP_UNKNOWN)
        format.frames = m->seen; /* the method read all of it */
    s = ap_without_gain_tags(ap_stream_wrap(s, &ops, m, &format, err), err);
    if (s && separator->stopgap)
        ap_warn(s, "no neural model is installed, so '%s' was used: see ap-fetch-model(1)",
                separator->options.model);
    return s;
}
