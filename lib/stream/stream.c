/* SPDX-License-Identifier: GPL-3.0-or-later
 * stream.c - the stream object: reading, ending, failing, warning, closing. */
#include "stream/stream.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "dsp/hot.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMELESS "stream"

uint32_t ap_default_mask(uint32_t channels)
{
    /* The orders that FLAC (RFC 9639, 9.1.3), WAV and ffmpeg agree on. */
    static const uint32_t masks[] = {0, 0x4, 0x3, 0x7, 0x33, 0x37, 0x3f, 0x70f, 0x63f};
    return channels < sizeof masks / sizeof *masks ? masks[channels] : 0;
}

uint64_t ap_frames_add(uint64_t a, uint64_t b)
{
    return a > AP_UNKNOWN - b ? AP_UNKNOWN : a + b;
}

bool ap_check_format(const char *name, const ap_format *format, ap_error *err)
{
    if (format->rate < AP_MIN_RATE || format->rate > AP_MAX_RATE)
        return ap_fail(err, AP_FAILED, "'%s' has a sample rate of %u Hz, which is out of range (%d to %d)",
                       name, format->rate, AP_MIN_RATE, AP_MAX_RATE);
    if (format->channels < 1 || format->channels > AP_MAX_CHANNELS)
        return ap_fail(err, AP_FAILED, "'%s' has %u channels, which is out of range (1 to %d)", name,
                       format->channels, AP_MAX_CHANNELS);
    return true;
}

/* Makes the stream, or closes what was meant for it. */
static ap_stream *make(ap_stream *source, const ap_stream_ops *ops, void *state, const ap_format *format,
                       const char *name, ap_error *err)
{
    bool whole = (state || !ops->close) && ap_check_format(name, format, err);
    ap_stream *s = whole ? ap_allocate(1, sizeof *s, err) : NULL;
    if (!s) {
        if (state && ops->close)
            ops->close(state);
        ap_close(&source);
        return NULL;
    }
    s->ops = ops;
    s->state = state;
    s->source = source;
    s->format = *format;
    bool discrete = s->format.mask == AP_DISCRETE && s->format.channels > 2;
    /* One channel is mono, whatever a file says: some put it to the left. */
    if (!discrete &&
        (s->format.channels == 1 || (uint32_t)__builtin_popcount(s->format.mask) != s->format.channels))
        s->format.mask = ap_default_mask(s->format.channels);
    return s;
}

ap_stream *ap_stream_new(const ap_stream_ops *ops, void *state, const ap_format *format, const char *name,
                         ap_tags *tags, ap_error *err)
{
    ap_stream *s = make(NULL, ops, state, format, name ? name : NAMELESS, err);
    return ap_stream_describe(s, name, tags, err);
}

ap_stream *ap_stream_wrap(ap_stream *source, const ap_stream_ops *ops, void *state, const ap_format *format,
                          ap_error *err)
{
    if (source)
        return make(source, ops, state, format ? format : &source->format, ap_stream_name(source), err);
    if (state && ops->close)
        ops->close(state);
    return NULL;
}

ap_stream *ap_stream_describe(ap_stream *s, const char *name, ap_tags *tags, ap_error *err)
{
    char *copy = s && name ? strdup(name) : NULL;
    if (s && name && !copy) {
        ap_fail_memory(err);
        ap_close(&s);
    }
    if (!s) {
        ap_tags_free(&tags);
        return NULL;
    }
    ap_tags_free(&s->tags);
    s->tags = tags;
    free(s->name);
    s->name = copy;
    return s;
}

const char *ap_stream_name(const ap_stream *s)
{
    while (s && !s->name)
        s = s->source;
    return s ? s->name : NAMELESS;
}

const ap_format *ap_stream_format(const ap_stream *s)
{
    return &s->format;
}

const ap_tags *ap_stream_tags(const ap_stream *s)
{
    while (s && !s->tags)
        s = s->source;
    return s ? s->tags : NULL;
}

void ap_warn(ap_stream *s, const char *format, ...)
{
    if (s->warning != AP_NO_WARNING)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(s->warning_text, sizeof s->warning_text, format, args);
    va_end(args);
    ap_text_one_line(s->warning_text);
    s->warning = AP_WARNING_NEW;
}

void ap_warn_left_out(ap_stream *s)
{
    ap_warn(s, "'%s' goes on after the end that its header tells: the rest was left out", ap_stream_name(s));
}

void ap_warn_no_end(ap_stream *s)
{
    ap_warn(s, "'%s' does not say where it ends: it may be cut", ap_stream_name(s));
}

const char *ap_stream_warning(ap_stream *s)
{
    for (; s; s = s->source) {
        if (s->warning == AP_WARNING_NEW) {
            s->warning = AP_WARNING_GIVEN;
            return s->warning_text;
        }
    }
    return NULL;
}

static ptrdiff_t stop_failed(ap_stream *s, ap_error *err)
{
    s->failed = true;
    if (err)
        *err = s->error;
    return -1;
}

static bool check_length(ap_stream *s)
{
    return s->format.frames == AP_UNKNOWN || s->position == s->format.frames ||
           ap_fail(&s->error, AP_FAILED, "'%s' is truncated: it has %llu of its %llu frames",
                   ap_stream_name(s), (unsigned long long)s->position, (unsigned long long)s->format.frames);
}

static ptrdiff_t stop_ended(ap_stream *s, ap_error *err)
{
    s->ended = true;
    if (!check_length(s) || (s->ops->end && !s->ops->end(s, &s->error)))
        return stop_failed(s, err);
    return 0;
}

ptrdiff_t ap_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    if (s->failed)
        return stop_failed(s, err);
    if (s->ended || max == 0)
        return 0;
    if (s->format.frames != AP_UNKNOWN && max > s->format.frames - s->position)
        max = (size_t)(s->format.frames - s->position);
    if (max == 0)
        return stop_ended(s, err);
    ptrdiff_t n = s->ops->read(s, frames, max, &s->error);
    if (n < 0)
        return stop_failed(s, err);
    if (n == 0)
        return stop_ended(s, err);
    s->position += (uint64_t)n;
    return n;
}

ptrdiff_t ap_read_full(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    size_t have = 0;
    while (have < max) {
        ptrdiff_t n = ap_read(s, frames + have * s->format.channels, max - have, err);
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        have += (size_t)n;
    }
    return (ptrdiff_t)have;
}

/* How many are not sane. Most often none: found without a branch. */
AP_HOT
static uint32_t count_insane(const float *samples, size_t count)
{
    uint32_t bad = 0;
    for (size_t i = 0; i < count; i++)
        bad += fabsf(samples[i]) <= AP_SANE_MAX ? 0 : 1;
    return bad;
}

size_t ap_sanitize(float *samples, size_t count)
{
    size_t bad = count_insane(samples, count);
    for (size_t i = 0; bad && i < count; i++)
        if (!(fabsf(samples[i]) <= AP_SANE_MAX))
            samples[i] = 0;
    return bad;
}

void ap_close(ap_stream **sp)
{
    if (!sp)
        return;
    ap_stream *s = *sp;
    *sp = NULL;
    while (s) {
        ap_stream *source = s->source;
        if (s->ops->close)
            s->ops->close(s->state);
        ap_tags_free(&s->tags);
        free(s->name);
        ap_details_free(s->details);
        free(s);
        s = source;
    }
}

/* ---- streams over the caller's function or memory */

typedef struct caller {
    ap_pull_fn *pull;
    void (*close)(void *user);
    void *user;
} caller;

static ptrdiff_t caller_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    const caller *c = s->state;
    return c->pull(c->user, frames, max, err);
}

static void caller_close(void *state)
{
    caller *c = state;
    if (c->close)
        c->close(c->user);
    free(c);
}

ap_stream *ap_source(const ap_format *format, ap_pull_fn *pull, void (*close)(void *user), void *user,
                     ap_error *err)
{
    static const ap_stream_ops ops = {.read = caller_read, .close = caller_close};
    caller *c = ap_allocate(1, sizeof *c, err);
    if (c)
        *c = (caller){pull, close, user};
    else if (close)
        close(user);
    return ap_stream_new(&ops, c, format, NULL, NULL, err);
}

static ptrdiff_t memory_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    (void)err;
    const float *data = s->state;
    memcpy(frames, data + s->position * s->format.channels, max * s->format.channels * sizeof *frames);
    return (ptrdiff_t)max;
}

ap_stream *ap_source_memory(const ap_format *format, const float *frames, ap_error *err)
{
    static const ap_stream_ops ops = {.read = memory_read};
    if (format->frames == AP_UNKNOWN) {
        ap_fail(err, AP_USAGE, "a stream in memory needs its length");
        return NULL;
    }
    return ap_stream_new(&ops, (void *)(uintptr_t)frames, format, NULL, NULL, err);
}

/* ---- a look at what passes */

typedef struct tap {
    ap_tap_fn *see;
    void *user;
    bool ended;
} tap;

/* Ends the source, too: a tap below would not be told otherwise. */
static bool tap_end(ap_stream *s, ap_error *err)
{
    tap *t = s->state;
    float frame[AP_MAX_CHANNELS];
    if (t->ended)
        return true;
    t->ended = true;
    return ap_read(s->source, frame, 1, err) >= 0 && t->see(t->user, s->source, NULL, 0, err);
}

/* A reader of a stream of known length stops after its last frame, so the end is told with that frame. */
static ptrdiff_t tap_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    const tap *t = s->state;
    ptrdiff_t n = ap_read(s->source, frames, max, err);
    if (n > 0 && !t->see(t->user, s->source, frames, (size_t)n, err))
        return -1;
    return n > 0 && s->source->position == s->source->format.frames && !tap_end(s, err) ? -1 : n;
}

ap_stream *ap_tap(ap_stream *s, ap_tap_fn *see, void *user, ap_error *err)
{
    static const ap_stream_ops ops = {.read = tap_read, .close = free, .end = tap_end};
    if (!s)
        return NULL;
    tap *t = ap_allocate(1, sizeof *t, err);
    if (t)
        *t = (tap){.see = see, .user = user};
    return ap_stream_wrap(s, &ops, t, NULL, err);
}

/* ---- details */

ap_details *ap_stream_note(ap_stream *s, const char *format, const char *codec, unsigned bits)
{
    if (s && !s->details)
        s->details = calloc(1, sizeof *s->details);
    if (!s || !s->details)
        return NULL;
    ap_details *d = s->details;
    snprintf(d->format, sizeof d->format, "%s", format);
    snprintf(d->codec, sizeof d->codec, "%s", codec);
    d->bits = bits;
    d->delay = d->padding = d->frames = AP_UNKNOWN;
    return d;
}

const ap_details *ap_stream_details(const ap_stream *s)
{
    while (s && s->source)
        s = s->source;
    return s ? s->details : NULL;
}
