/* SPDX-License-Identifier: GPL-3.0-or-later
 * spatialize.c - rotating ("8D") audio: the stream.
 *
 *     input -> distance -> crossover -> low band ------------------> delay -> +
 *                                   \-> high band -> mid/side gains -> renderer -> output
 */
#include "base/error.h"
#include "dsp/hot.h"
#include "stages/spatial/balance.h"
#include "stages/spatial/crossover.h"
#include "stages/spatial/renderer.h"
#include "stages/spatial/speakers.h"
#include "stages/spatial/trajectory.h"
#include "stream/gain_tags.h"
#include "stream/processor.h"
#include "stream/stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PAIRS_MAX ((AP_SPEAKERS_MAX + 1) / 2)

typedef struct spatializer {
    ap_spatialize_options options;
    uint32_t rate;
    size_t block;
    uint64_t frame; /* position of the next block */
    ap_speakers speakers;
    ap_balance balance;
    ap_renderer renderer;
    ap_crossover crossover[PAIRS_MAX];
    float *plane[2 * PAIRS_MAX]; /* the channels of a block; those that turn; one spare for an odd number */
    float *low[2], *out[2];
    float *bass[2]; /* the low band, latency + block frames of it */
    float *memory;  /* all of them */
} spatializer;

void ap_spatialize_defaults(ap_spatialize_options *options)
{
    *options = (ap_spatialize_options){
        .mode = AP_SPATIAL_HRTF,
        .path = AP_PATH_CIRCLE,
        .period_s = 10,
        .clockwise = true,
        .distance_m = 1,
        .width_deg = 60,
        .bass_hz = 150,
    };
}

static bool check_options(const ap_spatialize_options *o, ap_error *err)
{
    return ap_check_range("mode", o->mode, AP_SPATIAL_HRTF, AP_SPATIAL_PAN, err) &&
           ap_check_range("path", o->path, AP_PATH_CIRCLE, AP_PATH_RANDOM, err) &&
           ap_check_range("period", o->period_s, 0.1, 100000, err) &&
           ap_check_range("start", o->start_deg, -360, 360, err) &&
           ap_check_range("elevation", o->elevation_deg, -90, 90, err) &&
           ap_check_range("distance", o->distance_m, 0.1, 100, err) &&
           ap_check_range("width", o->width_deg, 0, 360, err) &&
           ap_check_range("bass", o->bass_hz, 0, 1000, err);
}

size_t ap_spatial_block(uint32_t rate)
{
    double exponent = round(log2(rate * (512.0 / 44100)));
    return (size_t)1 << (exponent < 4 ? 4 : (unsigned)exponent);
}

static void spatializer_free(void *state)
{
    spatializer *s = state;
    if (!s)
        return;
    if (s->renderer.state)
        s->renderer.free(s->renderer.state);
    free(s->memory);
    free(s);
}

static ap_position place_at(const spatializer *s, uint64_t frame)
{
    return ap_trajectory_at(&s->options, (double)frame / s->rate);
}

/* Takes the channels apart and brings them to their distance. */
AP_HOT
static void split(const float *restrict in, size_t channels, float from, float step, float *const *plane,
                  size_t frames)
{
    if (channels == 2) { /* side by side */
        float *restrict left = plane[0], *restrict right = plane[1];
        for (int i = 0; i < (int)frames; i++) {
            float gain = from + step * (float)i;
            left[i] = in[2 * i] * gain;
            right[i] = in[2 * i + 1] * gain;
        }
        return;
    }
    for (size_t c = 0; c < channels; c++)
        for (int i = 0; i < (int)frames; i++)
            plane[c][i] = in[(size_t)i * channels + c] * (from + step * (float)i);
}

AP_HOT
static void interleave(const float *restrict left, const float *restrict right, float *restrict out,
                       size_t frames)
{
    for (size_t i = 0; i < frames; i++) {
        out[2 * i] = left[i];
        out[2 * i + 1] = right[i];
    }
}

AP_HOT
static void add_scaled(const float *restrict in, float gain, float *restrict out, size_t frames)
{
    for (size_t i = 0; i < frames; i++)
        out[i] += gain * in[i];
}

static void add_bass(spatializer *s, const float *low, const float gain[2])
{
    for (int ear = 0; ear < 2; ear++)
        if (gain[ear] != 0)
            add_scaled(low, gain[ear], s->bass[ear] + s->renderer.latency, s->block);
}

/* Leaves the high band in the planes. What does not turn goes where the low band goes. */
static void take_bass(spatializer *s)
{
    for (size_t c = 0; c < s->speakers.count; c += 2) {
        ap_crossover_run(&s->crossover[c / 2], s->plane + c, s->low, s->plane + c, s->block);
        for (size_t k = c; k < c + 2 && k < s->speakers.count; k++) {
            add_bass(s, s->low[k - c], s->speakers.bass[k]);
            if (!s->speakers.turns[k])
                add_bass(s, s->plane[k], s->speakers.bass[k]);
        }
    }
}

/* The speakers that turn, side by side. */
static size_t gather(const spatializer *s, double *angle, float **plane)
{
    size_t n = 0;
    for (size_t c = 0; c < s->speakers.count; c++) {
        if (!s->speakers.turns[c])
            continue;
        angle[n] = s->speakers.angle[c];
        plane[n++] = s->plane[c];
    }
    return n;
}

static void spatialize(void *state, const float *in, float *out, size_t frames)
{
    spatializer *s = state;
    ap_position ends[2] = {place_at(s, s->frame), place_at(s, s->frame + frames)};
    double angle[AP_SPEAKERS_MAX];
    float *plane[AP_SPEAKERS_MAX], from = (float)(1 / ends[0].distance);
    s->frame += frames;
    for (int ear = 0; ear < 2; ear++) {
        memmove(s->bass[ear], s->bass[ear] + frames, s->renderer.latency * sizeof *s->bass[ear]);
        memset(s->bass[ear] + s->renderer.latency, 0, frames * sizeof *s->bass[ear]);
    }
    split(in, s->speakers.count, from, ((float)(1 / ends[1].distance) - from) / (float)frames, s->plane,
          frames);
    take_bass(s);
    ap_balance_run(&s->balance, s->plane, frames);
    for (int ear = 0; ear < 2; ear++)
        memcpy(s->out[ear], s->bass[ear], frames * sizeof *out);
    s->renderer.render(s->renderer.state, ends, angle, plane, gather(s, angle, plane), s->out);
    interleave(s->out[0], s->out[1], out, frames);
}

/* Gives each array its part of one piece of memory. */
static bool allocate(spatializer *s)
{
    size_t plane = s->block, bass = s->block + s->renderer.latency,
           planes = sizeof s->plane / sizeof *s->plane;
    float *next = s->memory = calloc((planes + 4) * plane + 2 * bass, sizeof *next);
    for (size_t i = 0; next && i < planes; i++, next += plane)
        s->plane[i] = next;
    for (size_t ear = 0; next && ear < 2; ear++, next += 2 * plane + bass) {
        s->low[ear] = next;
        s->out[ear] = next + plane;
        s->bass[ear] = next + 2 * plane;
    }
    return next != NULL;
}

static spatializer *spatializer_new(const ap_format *format, const ap_spatialize_options *o, ap_error *err)
{
    spatializer *s = calloc(1, sizeof *s);
    if (!s)
        goto memory;
    *s = (spatializer){.options = *o, .rate = format->rate, .block = ap_spatial_block(format->rate)};
    if (!ap_speakers_place(&s->speakers, format, o->width_deg, err))
        goto fail;
    if (o->mode == AP_SPATIAL_PAN)
        s->renderer = ap_pan_renderer(s->block, err);
    else
        s->renderer = ap_binaural_renderer(o->sofa, o->set, format->rate, s->block, s->speakers.count, err);
    if (!s->renderer.state)
        goto fail;
    if (!allocate(s))
        goto memory;
    for (size_t i = 0; i < PAIRS_MAX; i++)
        ap_crossover_init(&s->crossover[i], o->bass_hz, format->rate);
    ap_balance_init(&s->balance, &s->speakers, o, &s->renderer, format->rate);
    s->options.sofa = NULL; /* the caller's, and not needed any more */
    s->options.set = NULL;
    return s;
memory:
    ap_fail_memory(err);
fail:
    spatializer_free(s);
    return NULL;
}

ap_stream *ap_spatialize(ap_stream *source, const ap_spatialize_options *options, ap_error *err)
{
    ap_spatialize_options defaults;
    ap_spatialize_defaults(&defaults);
    const ap_spatialize_options *o = options ? options : &defaults;
    if (!source)
        return NULL;
    spatializer *s = check_options(o, err) ? spatializer_new(&source->format, o, err) : NULL;
    ap_processor processor = {.process = spatialize, .free = spatializer_free};
    if (s) {
        processor.block = s->block;
        processor.latency = s->renderer.latency;
        processor.tail = s->renderer.tail;
    }
    source = ap_processor_stream(source, 2, AP_FRONT_LEFT | AP_FRONT_RIGHT, &processor, s, err);
    return ap_without_gain_tags(source, err);
}
