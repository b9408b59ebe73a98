/* SPDX-License-Identifier: GPL-3.0-or-later
 * sections.c - where there is sound in a stream, and what lies between. */
#include "base/error.h"
#include "stream/replay.h"
#include "stream/stream.h"

#include <math.h>
#include <stdlib.h>

#define MAX_TIME_S 1e6 /* 11 days */
/* Sound crosses zero: what is softer than the level for no longer than this is a part of it. Half a period of
 * the lowest note of a piano, 27.5 Hz, is 18 ms. */
#define CROSSING_S 0.02

typedef struct listener {
    uint32_t channels;
    float level;       /* linear */
    uint64_t crossing; /* frames: a gap no longer than this does not end a run of loud frames */
    uint64_t silence;  /* a gap of at least this ends a section */
    uint64_t sound;    /* a run shorter than this is a click */
    uint64_t now;      /* frames heard */
    bool running;      /* in a run, or not far behind it */
    uint64_t from, to; /* the run: its first loud frame, and the one behind its last */
    ap_section *list;  /* what was found; starts and lengths */
    size_t count, room;
    bool out_of_memory;
} listener;

/* ---- kernel */

static bool is_loud(const listener *l, const float *frame)
{
    for (uint32_t c = 0; c < l->channels; c++) {
        float x = fabsf(frame[c]);
        if (x > l->level && x <= AP_SANE_MAX)
            return true;
    }
    return false;
}

static void add_section(listener *l, uint64_t from, uint64_t to)
{
    if (l->count == l->room) {
        size_t room = 2 * l->room + 16;
        ap_section *list = realloc(l->list, room * sizeof *list);
        if (!list) {
            l->out_of_memory = true;
            return;
        }
        l->list = list;
        l->room = room;
    }
    l->list[l->count++] = (ap_section){from, to - from};
}

/* The run is over: a click, a part of the section before it, or a new one. */
static void end_run(listener *l)
{
    if (!l->running)
        return;
    l->running = false;
    if (l->to - l->from < l->sound)
        return;
    ap_section *last = l->count ? &l->list[l->count - 1] : NULL;
    if (last && l->from - (last->start + last->frames) < l->silence)
        last->frames = l->to - last->start;
    else
        add_section(l, l->from, l->to);
}

static void hear(void *user, const float *frames, size_t count)
{
    listener *l = user;
    for (size_t i = 0; i < count; i++, l->now++) {
        if (!is_loud(l, frames + i * l->channels))
            continue;
        if (l->running && l->now - l->to > l->crossing)
            end_run(l);
        if (!l->running)
            l->from = l->now;
        l->running = true;
        l->to = l->now + 1;
    }
}

/* ---- stream */

static uint64_t in_frames(double seconds, uint32_t rate)
{
    return (uint64_t)llrint(seconds * rate);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Gives each section up to keep frames of the silence around it; two share what is between them. */
static void widen(listener *l, uint64_t keep)
{
    uint64_t free_before = l->count ? l->list[0].start : 0;
    for (size_t i = 0; i < l->count; i++) {
        ap_section *at = &l->list[i];
        uint64_t end = at->start + at->frames;
        uint64_t gap = i + 1 < l->count ? (at[1].start - end) / 2 : l->now - end;
        uint64_t before = smaller(keep, free_before), after = smaller(keep, gap);
        at->start -= before;
        at->frames += before + after;
        free_before = i + 1 < l->count ? at[1].start - end - gap : 0;
    }
}

static bool check_options(const ap_silence_options *o, ap_error *err)
{
    return ap_check_range("level", o->level_dbfs, -200, 0, err) &&
           ap_check_range("silence", o->silence_s, 0, MAX_TIME_S, err) &&
           ap_check_range("sound", o->sound_s, 0, MAX_TIME_S, err) &&
           ap_check_range("keep", o->keep_s, 0, MAX_TIME_S, err);
}

/* Reads s into a temporary file and listens to it. NULL on failure; else l->list is the caller's. */
static ap_stream *listen(ap_stream *s, const ap_silence_options *o, uint64_t silence, listener *l,
                         ap_error *err)
{
    uint32_t rate = s->format.rate;
    *l = (listener){.channels = s->format.channels,
                    .level = (float)pow(10, o->level_dbfs / 20),
                    .crossing = in_frames(CROSSING_S, rate),
                    .silence = silence,
                    .sound = in_frames(o->sound_s, rate)};
    s = ap_replay(s, hear, l, err);
    end_run(l);
    if (s && l->out_of_memory) {
        ap_fail_memory(err);
        ap_close(&s);
    }
    if (!s)
        free(l->list);
    return s;
}

void ap_silence_defaults(ap_silence_options *options)
{
    *options = (ap_silence_options){.level_dbfs = -60, .start = true, .end = true};
}

ap_stream *ap_find_sections(ap_stream *s, const ap_silence_options *options, ap_section **sections,
                            size_t *count, ap_error *err)
{
    ap_silence_options defaults;
    ap_silence_defaults(&defaults);
    const ap_silence_options *o = options ? options : &defaults;
    listener l;
    *sections = NULL;
    *count = 0;
    if (s && !check_options(o, err))
        ap_close(&s);
    if (!s)
        return NULL;
    uint64_t silence = in_frames(fmax(o->silence_s, CROSSING_S), s->format.rate);
    s = listen(s, o, silence, &l, err);
    if (!s)
        return NULL;
    widen(&l, in_frames(o->keep_s, s->format.rate));
    *sections = l.list;
    *count = l.count;
    return s;
}

ap_stream *ap_trim_silence(ap_stream *s, const ap_silence_options *options, ap_error *err)
{
    ap_silence_options defaults;
    ap_silence_defaults(&defaults);
    const ap_silence_options *o = options ? options : &defaults;
    listener l;
    if (s && !check_options(o, err))
        ap_close(&s);
    if (!s || !(s = listen(s, o, AP_UNKNOWN, &l, err)))
        return NULL;
    uint64_t least = in_frames(o->silence_s, s->format.rate), keep = in_frames(o->keep_s, s->format.rate);
    uint64_t from = 0, to = l.now;
    if (l.count == 0) {
        if (l.now && (o->start || o->end)) {
            ap_warn(s, "'%s' is silent: nothing is left of it", ap_stream_name(s));
            to = 0;
        }
    } else {
        uint64_t end = l.list[0].start + l.list[0].frames;
        if (o->start && l.list[0].start >= least)
            from = l.list[0].start - smaller(keep, l.list[0].start);
        if (o->end && l.now - end >= least)
            to = end + smaller(keep, l.now - end);
    }
    free(l.list);
    return ap_trim(s, from, to - from, err);
}
