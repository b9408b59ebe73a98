/* SPDX-License-Identifier: GPL-3.0-or-later
 * level.c - speech at one level: a gain that follows the loudness around each moment, slowly, within bounds,
 * and rests where nobody speaks. */
#include "base/error.h"
#include "base/memory.h"
#include "dsp/histogram.h"
#include "stream/gain_tags.h"
#include "stream/kweighting.h"
#include "stream/processor.h"
#include "stream/stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HOP_HZ 10 /* the gain has a new aim ten times a second */
#define REACH                                                                                                \
    15 /* hops before and behind that count: 3.1 s in all, the short-term window (EBU Tech 3341)             \
        */
#define WINDOW (2 * REACH + 1)
#define LEAST 3          /* hops with speech that are enough to judge by */
#define RELATIVE_LU 10.0 /* quieter than the mean by this: a pause (BS.1770-4, the relative gate) */
#define LOWEST_RATE 4000 /* as measure.c */

typedef struct leveller {
    ap_level_options options;
    ebur128_state *loudness;
    uint32_t channels;
    size_t hop;              /* frames */
    double energies[WINDOW]; /* ring: of the 0.4 s up to the end of each hop, K-weighted mean squares */
    size_t hops;
    float *delay; /* ring of REACH hops */
    bool known;   /* there was speech already */
    double gain_db;
} leveller;

void ap_level_defaults(ap_level_options *options)
{
    *options = (ap_level_options){.target_lufs = -20, .range_db = 12, .speed_db_s = 2, .gate_lufs = -50};
}

static void level_free(void *state)
{
    leveller *l = state;
    if (l->loudness)
        ebur128_destroy(&l->loudness);
    free(l->delay);
    free(l);
}

/* The loudness of the speech in the window; -INFINITY: too little of it. */
static double speech(const leveller *l, double gate)
{
    double sum = 0;
    int count = 0;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1)
            gate = fmax(gate, sum / count * pow(10, -RELATIVE_LU / 10));
        sum = count = 0;
        for (size_t i = 0; i < WINDOW; i++)
            if (l->energies[i] > gate) {
                sum += l->energies[i];
                count++;
            }
        if (count < LEAST)
            return -INFINITY;
    }
    return ap_loudness_of(sum / count);
}

/* Moves the gain towards what the window asks for. */
static void follow(leveller *l)
{
    const ap_level_options *o = &l->options;
    double lufs = speech(l, ap_energy_of(o->gate_lufs));
    if (!isfinite(lufs))
        return;
    double aim = fmin(fmax(o->target_lufs - lufs, -o->range_db), o->range_db), step = o->speed_db_s / HOP_HZ;
    l->gain_db = l->known ? l->gain_db + fmin(fmax(aim - l->gain_db, -step), step) : aim;
    l->known = true;
}

/* One hop: the newest enters the window, that of REACH hops ago leaves it. */
static void level_process(void *state, const float *in, float *out, size_t frames)
{
    leveller *l = state;
    size_t count = frames * l->channels;
    float *old = l->delay + l->hops % REACH * count;
    double lufs = -HUGE_VAL, before = l->gain_db;
    ebur128_add_frames_float(l->loudness, in, frames);
    ebur128_loudness_momentary(l->loudness,
                               &lufs); /* blocks of 0.4 s that overlap by 75 %, as the meters of others */
    l->energies[l->hops % WINDOW] = ap_energy_of(lufs);
    bool first = !l->known;
    follow(l);
    before = first ? l->gain_db : before;
    double from = pow(10, before / 20), to = pow(10, l->gain_db / 20);
    for (size_t i = 0; i < frames; i++) {
        float g = (float)(from + (to - from) * (double)(i + 1) / (double)frames);
        for (uint32_t c = 0; c < l->channels; c++)
            out[i * l->channels + c] = g * old[i * l->channels + c];
    }
    memcpy(old, in, count * sizeof *old);
    l->hops++;
}

static bool check(const ap_stream *s, const ap_level_options *o, ap_error *err)
{
    if (s->format.rate < LOWEST_RATE)
        return ap_fail(err, AP_FAILED, "'%s' has a sample rate of %u Hz: loudness needs %d",
                       ap_stream_name(s), s->format.rate, LOWEST_RATE);
    return ap_check_range("target", o->target_lufs, -70, 0, err) &&
           ap_check_range("range", o->range_db, 0, 40, err) &&
           ap_check_range("speed", o->speed_db_s, 0.1, 20, err) &&
           ap_check_range("gate", o->gate_lufs, -100, 0, err);
}

static leveller *make(const ap_stream *s, const ap_level_options *o, ap_error *err)
{
    leveller *l = ap_allocate(1, sizeof *l, err);
    if (!l)
        return NULL;
    *l = (leveller){.options = *o, .channels = s->format.channels, .hop = s->format.rate / HOP_HZ};
    l->loudness = ap_kweighting_new(&s->format, EBUR128_MODE_M);
    l->delay = calloc(REACH * l->hop * l->channels, sizeof *l->delay);
    if (l->loudness && l->delay)
        return l;
    level_free(l);
    ap_fail_memory(err);
    return NULL;
}

ap_stream *ap_level(ap_stream *s, const ap_level_options *options, ap_error *err)
{
    ap_level_options defaults;
    ap_level_defaults(&defaults);
    const ap_level_options *o = options ? options : &defaults;
    if (!s)
        return NULL;
    leveller *l = check(s, o, err) ? make(s, o, err) : NULL;
    if (!l) {
        ap_close(&s);
        return NULL;
    }
    const ap_processor p = {level_process, level_free, l->hop, REACH * (uint64_t)l->hop, 0};
    return ap_without_gain_tags(ap_processor_stream(s, s->format.channels, s->format.mask, &p, l, err), err);
}
