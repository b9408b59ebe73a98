/* SPDX-License-Identifier: GPL-3.0-or-later
 * mix.c - the sum of streams, each with a gain and a delay.
 *
 * The sum is a chain of stages that each add one stream to those before it, so that the first stream gives it
 * name and tags, and the warnings of all of them come through. */
#include "base/error.h"
#include "base/memory.h"
#include "stream/chapters.h"
#include "stream/gain_tags.h"
#include "stream/stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_GAIN 1e6    /* 120 dB */
#define MAX_DELAY_S 1e6 /* 11 days */

typedef struct adder {
    ap_stream *other;
    float gain;
    bool shortest;
    bool first_ended, other_ended;
    float block[]; /* AP_BLOCK frames of other */
} adder;

/* ---- the sum */

static void add(float *to, const float *from, float gain, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] += gain * from[i];
}

/* Adds other to the n frames there are; those that other has beyond them, if any, are not read. With
 * shortest, returns how many both have. */
static ptrdiff_t add_other(ap_stream *s, adder *a, float *frames, size_t n, ap_error *err)
{
    ptrdiff_t m = ap_read_full(a->other, a->block, n, err);
    if (m < 0)
        return -1;
    add(frames, a->block, a->gain, (size_t)m * s->format.channels);
    a->other_ended = (size_t)m < n;
    return a->shortest ? m : (ptrdiff_t)n;
}

/* What other has after the end of the first. */
static ptrdiff_t other_alone(ap_stream *s, adder *a, float *frames, size_t max, ap_error *err)
{
    ptrdiff_t n = ap_read(a->other, frames, max, err);
    for (size_t i = 0; n > 0 && i < (size_t)n * s->format.channels; i++)
        frames[i] *= a->gain;
    return n;
}

static ptrdiff_t adder_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    adder *a = s->state;
    ptrdiff_t n = 0;
    if (a->shortest && a->other_ended)
        return 0;
    if (max > AP_BLOCK)
        max = AP_BLOCK;
    if (!a->first_ended) {
        n = ap_read(s->source, frames, max, err);
        a->first_ended = n == 0;
    }
    if (n > 0 && !a->other_ended)
        n = add_other(s, a, frames, (size_t)n, err);
    else if (n == 0 && !a->other_ended && !a->shortest)
        n = other_alone(s, a, frames, max, err);
    return n;
}

/* A stream of known length has been read up to it, but not beyond, where it looks at its end. */
static bool adder_end(ap_stream *s, ap_error *err)
{
    adder *a = s->state;
    if (!a->shortest && (ap_read(s->source, a->block, 1, err) < 0 || ap_read(a->other, a->block, 1, err) < 0))
        return false;
    const char *warning = ap_stream_warning(a->other);
    if (warning)
        ap_warn(s, "%s", warning);
    return true;
}

static void adder_close(void *state)
{
    adder *a = state;
    ap_close(&a->other);
    free(a);
}

static uint64_t length_of(uint64_t a, uint64_t b, bool shortest)
{
    if (a == AP_UNKNOWN || b == AP_UNKNOWN)
        return AP_UNKNOWN;
    return shortest == (a < b) ? a : b;
}

/* s + factor * other. Takes both over. */
static ap_stream *add_stream(ap_stream *s, ap_stream *other, double factor, bool shortest, ap_error *err)
{
    static const ap_stream_ops ops = {.read = adder_read, .close = adder_close, .end = adder_end};
    ap_format format = s->format;
    format.frames = length_of(s->format.frames, other->format.frames, shortest);
    adder *a = ap_allocate(1, sizeof *a + AP_BLOCK * s->format.channels * sizeof *a->block, err);
    if (a)
        *a = (adder){.other = other, .gain = (float)factor, .shortest = shortest};
    else
        ap_close(&other);
    return ap_stream_wrap(s, &ops, a, &format, err);
}

/* ---- delay */

static ptrdiff_t delay_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    uint64_t *left = s->state;
    if (*left == 0)
        return ap_read(s->source, frames, max, err);
    if (max > *left)
        max = (size_t)*left;
    memset(frames, 0, max * s->format.channels * sizeof *frames);
    *left -= max;
    return (ptrdiff_t)max;
}

/* Its tags as they are true of a stream that begins later. */
static ap_tags *late_tags(const ap_stream *s, uint64_t silence, ap_error *err)
{
    ap_tags *tags = ap_tags_new();
    const ap_tags *from = ap_stream_tags(s);
    if (tags && (!from || ap_tags_merge(tags, from)) && ap_tags_delay(tags, silence, s->format.rate))
        return tags;
    ap_tags_free(&tags);
    ap_fail_memory(err);
    return NULL;
}

/* Silence before the stream. */
static ap_stream *delay(ap_stream *s, double delay_s, ap_error *err)
{
    static const ap_stream_ops ops = {.read = delay_read, .close = free};
    uint64_t silence = (uint64_t)(delay_s * s->format.rate + 0.5), *left = ap_allocate(1, sizeof *left, err);
    if (left)
        *left = silence;
    ap_format format = s->format;
    format.frames = ap_frames_add(format.frames, silence);
    s = ap_stream_wrap(s, &ops, left, &format, err);
    if (s && !(s->tags = late_tags(s->source, silence, err)))
        ap_close(&s);
    return s;
}

/* ---- the inputs */

static bool check_same(const ap_stream *first, const ap_stream *s, ap_error *err)
{
    const char *a = ap_stream_name(first), *b = ap_stream_name(s);
    if (s->format.rate != first->format.rate)
        return ap_fail(err, AP_FAILED, "cannot mix '%s', which has %u Hz, with '%s', which has %u Hz", b,
                       s->format.rate, a, first->format.rate);
    if (s->format.channels != first->format.channels)
        return ap_fail(err, AP_FAILED, "cannot mix '%s', which has %u channel%s, with '%s', which has %u", b,
                       s->format.channels, s->format.channels == 1 ? "" : "s", a, first->format.channels);
    char of_a[128], of_b[128];
    return ap_same_speakers(&s->format, &first->format) ||
           ap_fail(err, AP_FAILED, "cannot mix '%s', which has the speakers %s, with '%s', which has %s", b,
                   ap_layout_name(s->format.mask, of_b, sizeof of_b), a,
                   ap_layout_name(first->format.mask, of_a, sizeof of_a));
}

/* Rate and speakers of the first, the fewer channels before the resampling. */
static ap_stream *convert(ap_stream *s, const ap_format *to, ap_error *err)
{
    if (to->channels < s->format.channels)
        s = ap_remix_to(s, to->mask, err);
    if (s && s->format.rate != to->rate)
        s = ap_resample(s, to->rate, err);
    if (s && !ap_same_speakers(&s->format, to))
        s = ap_remix_to(s, to->mask, err);
    return s;
}

/* Source number i as it goes into the sum, except for its gain. Takes it over. */
static ap_stream *prepare(ap_stream *s, const ap_stream *first, const ap_mix_input *input, bool converts,
                          ap_error *err)
{
    if (converts)
        s = convert(s, &first->format, err);
    else if (!check_same(first, s, err))
        ap_close(&s);
    return s && input->delay_s > 0 ? delay(s, input->delay_s, err) : s;
}

static bool check_arguments(ap_stream *const *sources, const ap_mix_input *inputs, size_t count,
                            ap_error *err)
{
    if (count == 0)
        return ap_fail(err, AP_USAGE, "nothing to mix");
    for (size_t i = 0; i < count; i++)
        if (!sources[i])
            return false; /* whoever failed to make it has filled err */
    for (size_t i = 0; inputs && i < count; i++)
        if (!ap_check_range("gain", inputs[i].gain, -MAX_GAIN, MAX_GAIN, err) ||
            !ap_check_range("delay", inputs[i].delay_s, 0, MAX_DELAY_S, err))
            return false;
    return true;
}

void ap_mix_defaults(ap_mix_options *options)
{
    *options = (ap_mix_options){0};
}

ap_stream *ap_mix(ap_stream **sources, const ap_mix_input *inputs, size_t count,
                  const ap_mix_options *options, ap_error *err)
{
    static const ap_mix_input unchanged = {1, 0};
    static const ap_mix_options defaults = {0};
    const ap_mix_options *o = options ? options : &defaults;
    ap_stream *sum = NULL;
    bool ok = check_arguments(sources, inputs, count, err);
    for (size_t i = 0; ok && i < count; i++) {
        const ap_mix_input *input = inputs ? &inputs[i] : &unchanged;
        double gain = o->remove && i > 0 ? -input->gain : input->gain;
        ap_stream *s = prepare(sources[i], i ? sum : sources[0], input, o->convert, err);
        sources[i] = NULL;
        if (i == 0)
            sum = gain == 1 ? s : ap_gain(s, gain, err);
        else if (s)
            sum = add_stream(sum, s, gain, o->shortest, err);
        ok = s && sum;
        if (!s)
            ap_close(&sum);
    }
    for (size_t i = 0; i < count; i++)
        ap_close(&sources[i]);
    return ap_without_gain_tags(sum, err);
}
