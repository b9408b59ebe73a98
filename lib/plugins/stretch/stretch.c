/* SPDX-License-Identifier: GPL-3.0-or-later
 * stretch.c - time and pitch by Rubber Band's R3 engine, offline: it needs to know the length and nothing
 * else. It is a plugin because its libraries take time to load. */
#include "base/error.h"
#include "base/memory.h"
#include "base/plugin.h"
#include "stages/tempo.h"
#include "stream/stream.h"

#include <math.h>
#include <rubberband/rubberband-c.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 1024 /* frames at a time: more, and R3 places transients up to 173 samples early */

typedef struct stretcher {
    RubberBandState engine;
    float *in;          /* interleaved */
    float **from, **to; /* planes of BLOCK frames */
    uint64_t fed;       /* frames */
    int64_t shift;      /* frames of silence to give first; negative: of sound to drop */
    uint64_t left;      /* frames that the result still has */
} stretcher;

static void free_planes(float **planes)
{
    if (planes)
        free(planes[0]);
    free(planes);
}

static void stretch_close(void *state)
{
    stretcher *r = state;
    if (r->engine)
        rubberband_delete(r->engine);
    free(r->in);
    free_planes(r->from);
    free_planes(r->to);
    free(r);
}

static float **make_planes(uint32_t channels)
{
    float **planes = calloc(channels, sizeof *planes);
    float *all = planes ? calloc((size_t)channels * BLOCK, sizeof *all) : NULL;
    for (uint32_t c = 0; all && c < channels; c++)
        planes[c] = all + (size_t)c * BLOCK;
    if (!all)
        free(planes);
    return all ? planes : NULL;
}

/* How late R3 (3.1.2, 44.1 kHz, blocks of 1024) puts clicks on average: measured over 20 s with one each
 * second. The single ones are within 40 samples of it from 0.667 to 1.5. */
static double lateness(double ratio)
{
    static const double points[][2] = {{0.5, 3},    {0.667, -7}, {0.8, 13},   {0.9, 13}, {1, 0},
                                       {1.11, -23}, {1.25, -52}, {1.5, -131}, {2, -265}};
    enum { LAST = sizeof points / sizeof *points - 1 };
    if (ratio <= points[0][0])
        return points[0][1];
    for (int i = 0; i < LAST; i++)
        if (ratio <= points[i + 1][0])
            return points[i][1] + (points[i + 1][1] - points[i][1]) * (ratio - points[i][0]) /
                                      (points[i + 1][0] - points[i][0]);
    return points[LAST][1];
}

/* Gives the engine the next block. false on error. */
static bool feed(ap_stream *s, stretcher *r, ap_error *err)
{
    ptrdiff_t n = ap_read_full(s->source, r->in, BLOCK, err);
    if (n < 0)
        return false;
    ap_sanitize(r->in, (size_t)n * s->format.channels);
    for (uint32_t c = 0; c < s->format.channels; c++)
        for (ptrdiff_t i = 0; i < n; i++)
            r->from[c][i] = r->in[(size_t)i * s->format.channels + c];
    r->fed += (uint64_t)n;
    rubberband_process(r->engine, (const float *const *)r->from, (unsigned)n,
                       n < BLOCK || r->fed == s->source->format.frames);
    return true;
}

/* Takes what the engine has, up to max frames, which may be none; -1: it has come to its end. */
static ptrdiff_t take(const ap_stream *s, stretcher *r, float *frames, size_t max)
{
    int there = rubberband_available(r->engine);
    if (there <= 0)
        return there;
    size_t n = (size_t)there < max ? (size_t)there : max;
    n = rubberband_retrieve(r->engine, r->to, (unsigned)(n < BLOCK ? n : BLOCK));
    for (uint32_t c = 0; c < s->format.channels; c++)
        for (size_t i = 0; i < n; i++)
            frames[i * s->format.channels + c] = r->to[c][i];
    return (ptrdiff_t)n;
}

static size_t give_silence(const ap_stream *s, float *frames, uint64_t there, size_t max)
{
    size_t n = there < max ? (size_t)there : max;
    memset(frames, 0, n * s->format.channels * sizeof *frames);
    return n;
}

static ptrdiff_t stretch_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    stretcher *r = s->state;
    ptrdiff_t n = 0;
    max = r->left < max ? (size_t)r->left : max;
    if (r->shift > 0) {
        n = (ptrdiff_t)give_silence(s, frames, (uint64_t)r->shift, max);
        r->shift -= n;
    }
    while (n == 0 && max) {
        size_t want = r->shift < 0 && (uint64_t)-r->shift < max ? (size_t)-r->shift : max;
        n = take(s, r, frames, want);
        if (n < 0) /* the end, moved forward */
            n = (ptrdiff_t)give_silence(s, frames, r->left, max);
        else if (n == 0 && !feed(s, r, err))
            return -1;
        else if (r->shift < 0) {
            r->shift += n;
            n = 0;
        }
    }
    r->left -= (uint64_t)n;
    return n;
}

static bool start(stretcher *r, const ap_format *f, const ap_tempo_options *o, ap_error *err)
{
    double ratio = 1 / o->tempo, pitch = exp2(o->pitch_semitones / 12);
    RubberBandOptions options = RubberBandOptionEngineFiner | RubberBandOptionProcessOffline |
                                RubberBandOptionChannelsTogether |
                                (o->formants ? RubberBandOptionFormantPreserved : 0);
    rubberband_set_default_debug_level(0);
    r->engine = rubberband_new(f->rate, f->channels, options, ratio, pitch);
    r->in = calloc((size_t)BLOCK * f->channels, sizeof *r->in);
    r->from = make_planes(f->channels);
    r->to = make_planes(f->channels);
    if (!r->engine || !r->in || !r->from || !r->to)
        return ap_fail_memory(err);
    rubberband_set_max_process_size(r->engine, BLOCK);
    rubberband_set_expected_input_duration(r->engine, (unsigned)f->frames);
    r->shift = llround(-lateness(ratio * pitch) / pitch);
    r->left = ap_tempo_frames(f->frames, o->tempo);
    return true;
}

static ap_stream *stretch_open(ap_stream *s, const ap_tempo_options *o, ap_error *err)
{
    static const ap_stream_ops ops = {.read = stretch_read, .close = stretch_close};
    ap_format format = s->format;
    format.frames = ap_tempo_frames(s->format.frames, o->tempo);
    stretcher *r = ap_allocate(1, sizeof *r, err);
    if (r && !start(r, &s->format, o, err)) {
        stretch_close(r);
        r = NULL;
    }
    return ap_stream_wrap(s, &ops, r, &format, err);
}

AP_PLUGIN_EXPORT extern const ap_stretch_plugin AP_PLUGIN_TABLE;
const ap_stretch_plugin AP_PLUGIN_TABLE = {.head = {AP_STRETCH_VERSION, sizeof(ap_stretch_plugin)},
                                           .open = stretch_open};
