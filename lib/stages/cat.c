/* SPDX-License-Identifier: GPL-3.0-or-later
 * cat.c - streams one after the other, with silence between them or cross-faded.
 *
 * The last frames of a part wait until it is known whether another part comes, which is then added to them.
 */
#include "base/error.h"
#include "base/memory.h"
#include "dsp/curve.h"
#include "stream/chapters.h"
#include "stream/join.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_GAP_S 86400.0
#define MAX_CROSSFADE_S 600.0 /* held in memory */

typedef struct chain {
    ap_open_fn *open;
    void *user;
    size_t count, next; /* parts; the one to be opened next */
    bool convert;
    bool look_first;
    bool chapters, looked; /* a part has some; all were looked at for it */
    ap_format format;      /* of the result */
    ap_stream *part;
    uint64_t gap, silence; /* frames between parts; of them still to come */
    ap_curve curve;
    size_t overlap; /* frames of a crossfade */
    float *waiting; /* room frames: have of them, from at on, have not been given yet */
    size_t room, at, have;
    size_t own;      /* the last ones of them, which are of the part that runs */
    float *entering; /* overlap frames of the next part */
} chain;

/* ---- kernel */

/* Fades a out and b in: the result takes a's place. */
static void crossfade(float *a, const float *b, size_t frames, uint32_t channels, ap_curve curve)
{
    for (size_t i = 0; i < frames; i++) {
        double at = ((double)i + 0.5) / (double)frames;
        float out = (float)ap_curve_gain(curve, 1 - at), in = (float)ap_curve_gain(curve, at);
        for (uint32_t c = 0; c < channels; c++, a++, b++)
            *a = out * *a + in * *b;
    }
}

/* ---- parts */

static bool check_speakers(const ap_stream *s, const ap_format *first, ap_error *err)
{
    char a[128], b[128];
    return ap_same_speakers(&s->format, first) ||
           ap_fail(err, AP_FAILED, "'%s' has the speakers %s, the first input has %s", ap_stream_name(s),
                   ap_layout_name(s->format.mask, a, sizeof a), ap_layout_name(first->mask, b, sizeof b));
}

static bool check_same(const chain *c, const ap_stream *s, ap_error *err)
{
    if (s->format.rate != c->format.rate)
        return ap_fail(err, AP_FAILED, "'%s' has %u Hz, the first input has %u", ap_stream_name(s),
                       s->format.rate, c->format.rate);
    if (s->format.channels != c->format.channels)
        return ap_fail(err, AP_FAILED, "'%s' has %u channel%s, the first input has %u", ap_stream_name(s),
                       s->format.channels, s->format.channels == 1 ? "" : "s", c->format.channels);
    return check_speakers(s, &c->format, err);
}

/* Part number index, as the result has it. */
static ap_stream *open_part(const chain *c, size_t index, ap_error *err)
{
    ap_stream *s = c->open(c->user, index, err);
    if (c->convert)
        return ap_conform(s, &c->format, err);
    if (s && !check_same(c, s, err))
        ap_close(&s);
    return s;
}

static uint64_t smallest(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Whether tags has chapters. */
static bool has_chapters(const ap_tags *tags)
{
    const char *key, *value;
    for (size_t i = 0; ap_tags_at(tags, i, &key, &value); i++)
        if (ap_is_chapter_key(key))
            return true;
    return false;
}

/* Learns whether a part from index on has chapters. */
static bool look_for_chapters(chain *c, size_t index, ap_error *err)
{
    for (size_t i = index; i < c->count && !c->chapters; i++) {
        ap_stream *s = open_part(c, i, err);
        if (!s)
            return false;
        c->chapters = has_chapters(ap_stream_tags(s));
        ap_close(&s);
    }
    c->looked = true;
    return true;
}

static bool count_frames(chain *c, size_t index, uint64_t *frames, ap_error *err)
{
    ap_stream *s = open_part(c, index, err);
    ptrdiff_t n = s ? 1 : -1;
    for (*frames = 0; n > 0; *frames += n > 0 ? (uint64_t)n : 0)
        n = ap_read(s, c->waiting, AP_BLOCK, err);
    ap_close(&s);
    return n == 0;
}

/* The length of a part, as its decoder tells it. If chapters depend on one that it does not tell, the part is
 * read for it. */
static bool length_of(chain *c, const ap_stream *s, size_t index, uint64_t *frames, ap_error *err)
{
    *frames = s->format.frames;
    if (*frames == AP_UNKNOWN && s->details)
        *frames = s->details->frames;
    if (*frames != AP_UNKNOWN || (index + 1 == c->count && !c->overlap))
        return true;
    if (!c->chapters && !c->looked && !look_for_chapters(c, index, err))
        return false;
    return !c->chapters || count_frames(c, index, frames, err);
}

/* Opens all parts but the first to learn their lengths and chapters, and whether they fit. Chapters beyond
 * what tags can hold are left out. */
static bool add_lengths(chain *c, ap_tags *tags, ap_error *err)
{
    uint64_t total = c->format.frames, at, frames;
    c->chapters = has_chapters(tags);
    if (!length_of(c, c->part, 0, &frames, err))
        return false;
    at = frames;
    for (size_t i = 1; i < c->count; i++) {
        uint64_t before = frames;
        ap_stream *s = open_part(c, i, err);
        if (!s || !length_of(c, s, i, &frames, err)) {
            ap_close(&s);
            return false;
        }
        uint64_t shared = smallest(c->overlap, before, frames);
        total = ap_frames_add(ap_frames_add(total, c->gap), s->format.frames);
        total -= total == AP_UNKNOWN ? 0 : shared;
        at = ap_frames_add(at, c->gap);
        at -= at == AP_UNKNOWN ? 0 : shared;
        (void)ap_tags_append(tags, ap_stream_tags(s), at, c->format.rate);
        at = ap_frames_add(at, frames);
        ap_close(&s);
    }
    c->format.frames = total;
    return true;
}

/* ---- stream */

/* The frames of the part itself that are kept until it is known what follows. */
static size_t to_keep(const chain *c)
{
    return c->own < c->overlap ? c->own : c->overlap;
}

static ptrdiff_t give(chain *c, float *frames, size_t max, size_t keep)
{
    size_t n = c->have - keep < max ? c->have - keep : max, channels = c->format.channels;
    memcpy(frames, c->waiting + c->at * channels, n * channels * sizeof *frames);
    c->at += n;
    c->have -= n;
    if (c->own > c->have)
        c->own = c->have;
    return (ptrdiff_t)n;
}

/* Appends up to a block of the part to what waits. */
static ptrdiff_t take(chain *c, ap_error *err)
{
    size_t channels = c->format.channels;
    if (c->at + c->have + AP_BLOCK > c->room) {
        memmove(c->waiting, c->waiting + c->at * channels, c->have * channels * sizeof *c->waiting);
        c->at = 0;
    }
    ptrdiff_t n = ap_read(c->part, c->waiting + (c->at + c->have) * channels, AP_BLOCK, err);
    if (n > 0) {
        c->have += (size_t)n;
        c->own += (size_t)n;
    }
    return n;
}

/* Changes to the next part, and adds its beginning to what waits of the one before. */
static bool open_next(ap_stream *s, chain *c, ap_error *err)
{
    const char *text = ap_stream_warning(c->part);
    if (text)
        ap_warn(s, "%s", text);
    ap_close(&c->part);
    c->part = open_part(c, c->next++, err);
    c->silence = c->gap;
    if (!c->look_first && has_chapters(ap_stream_tags(c->part)))
        ap_warn(s, "the chapters of '%s' are lost: not all inputs are files", ap_stream_name(c->part));
    ptrdiff_t n = c->part ? ap_read_full(c->part, c->entering, c->have, err) : -1;
    if (n < 0)
        return false;
    size_t channels = c->format.channels;
    float *last = c->waiting + (c->at + c->have - (size_t)n) * channels;
    ap_sanitize(last, (size_t)n * channels);
    ap_sanitize(c->entering, (size_t)n * channels);
    crossfade(last, c->entering, (size_t)n, c->format.channels, c->curve);
    c->own = (size_t)n;
    return true;
}

static ptrdiff_t give_silence(chain *c, float *frames, size_t max)
{
    size_t n = c->silence < max ? (size_t)c->silence : max;
    memset(frames, 0, n * c->format.channels * sizeof *frames);
    c->silence -= n;
    return (ptrdiff_t)n;
}

static ptrdiff_t chain_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    chain *c = s->state;
    for (;;) {
        if (c->silence)
            return give_silence(c, frames, max);
        if (c->have > to_keep(c))
            return give(c, frames, max, to_keep(c));
        ptrdiff_t n = c->overlap ? take(c, err) : ap_read(c->part, frames, max, err);
        if (n < 0 || (n > 0 && !c->overlap))
            return n;
        if (n == 0 && c->next == c->count)
            return give(c, frames, max, 0);
        if (n == 0 && !open_next(s, c, err))
            return -1;
    }
}

/* The last part has been read up to its length, but not to its end. */
static bool chain_end(ap_stream *s, ap_error *err)
{
    chain *c = s->state;
    float frame[AP_MAX_CHANNELS];
    if (ap_read(c->part, frame, 1, err) < 0)
        return false;
    const char *text = ap_stream_warning(c->part);
    if (text)
        ap_warn(s, "%s", text);
    return true;
}

static void chain_close(void *state)
{
    chain *c = state;
    ap_close(&c->part);
    free(c->waiting);
    free(c->entering);
    free(c);
}

/* Opens the first part. */
static bool start(chain *c, const ap_cat_options *o, ap_error *err)
{
    c->part = c->open(c->user, 0, err);
    if (!c->part)
        return false;
    c->format = c->part->format;
    c->gap = (uint64_t)llrint(o->gap_s * c->format.rate);
    c->overlap = (size_t)llrint(o->crossfade_s * c->format.rate);
    c->room = 2 * (c->overlap + AP_BLOCK);
    c->waiting = ap_allocate(c->room * c->format.channels, sizeof *c->waiting, err);
    c->entering = ap_allocate((c->overlap + 1) * c->format.channels, sizeof *c->entering, err);
    if (!c->waiting || !c->entering)
        return false;
    if (c->count > 1 && !o->look_first)
        c->format.frames = AP_UNKNOWN;
    return true;
}

static bool check_options(const ap_cat_options *o, size_t count, ap_error *err)
{
    if (count == 0)
        return ap_fail(err, AP_USAGE, "nothing to join");
    if (o->gap_s > 0 && o->crossfade_s > 0)
        return ap_fail(err, AP_USAGE, "a gap and a crossfade exclude each other");
    if ((unsigned)o->curve > AP_CURVE_PARABOLA)
        return ap_fail(err, AP_USAGE, "there is no such curve");
    return ap_check_range("gap", o->gap_s, 0, MAX_GAP_S, err) &&
           ap_check_range("crossfade", o->crossfade_s, 0, MAX_CROSSFADE_S, err);
}

void ap_cat_defaults(ap_cat_options *options)
{
    *options = (ap_cat_options){.curve = AP_CURVE_QUARTER};
}

/* The tags of the first part that are true of the whole. */
static ap_tags *tags_of(const ap_stream *first, ap_error *err)
{
    ap_tags *tags = ap_tags_new();
    const ap_tags *from = ap_stream_tags(first);
    if (!tags || (from && !ap_tags_merge(tags, from))) {
        ap_tags_free(&tags);
        ap_fail_memory(err);
    } else {
        ap_tags_drop_gain(tags);
    }
    return tags;
}

ap_stream *ap_cat(ap_open_fn *open, void *user, size_t count, const ap_cat_options *options, ap_error *err)
{
    static const ap_stream_ops ops = {.read = chain_read, .close = chain_close, .end = chain_end};
    ap_cat_options defaults;
    ap_cat_defaults(&defaults);
    const ap_cat_options *o = options ? options : &defaults;
    if (!check_options(o, count, err))
        return NULL;
    chain *c = ap_allocate(1, sizeof *c, err);
    if (!c)
        return NULL;
    *c = (chain){.open = open,
                 .user = user,
                 .count = count,
                 .next = 1,
                 .convert = o->convert,
                 .look_first = o->look_first,
                 .curve = o->curve};
    ap_tags *tags = start(c, o, err) ? tags_of(c->part, err) : NULL;
    if (tags && (!c->look_first || add_lengths(c, tags, err)))
        return ap_stream_new(&ops, c, &c->format, ap_stream_name(c->part), tags, err);
    ap_tags_free(&tags);
    chain_close(c);
    return NULL;
}
