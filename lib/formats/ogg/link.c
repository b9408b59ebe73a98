/* SPDX-License-Identifier: GPL-3.0-or-later
 * link.c - packets to frames at the places that the granule positions tell: start and end are cut to
 * the frame, and silence stands for what is lost. Vorbis I, A.2; RFC 7845, section 4. */
#include "base/error.h"
#include "formats/ogg/ogg.h"

#include <stdlib.h>
#include <string.h>

/* No packet takes less than two bytes, and none of Vorbis or Opus holds more than 120 ms at 48 kHz (RFC 6716,
 * 2.1.4; Vorbis I, 4.2.2: half of 8192). */
#define MAX_FRAMES_PER_BYTE (5760 / 2)
#define MAX_DURATION 5760

typedef struct link {
    ap_ogg_pages *pages;
    const ap_ogg_decoder *ops;
    void *state;
    uint32_t channels;
    size_t next;                /* packet of the page at hand */
    long durations[256];        /* of its packets, 0 for those that make no sense */
    int64_t position;           /* granule position of the next frame */
    int64_t first;              /* of the first frame to give */
    int64_t end;                /* of the first frame not to give */
    uint64_t silence, have, at; /* frames to give: silence first */
    bool lost;                  /* the position is not known until a page tells it */
    bool damaged, ended, no_flag;
    float *frames; /* decoded; room for MAX_DURATION */
} link;

static void link_close(void *state)
{
    link *l = state;
    l->ops->close(l->state);
    ap_ogg_pages_close(l->pages);
    free(l->pages);
    free(l->frames);
    free(l);
}

const unsigned char *ap_ogg_places(uint32_t channels)
{
    static const unsigned char places[9][8] = {
        [3] = {0, 2, 1},
        [5] = {0, 2, 1, 3, 4},
        [6] = {0, 2, 1, 4, 5, 3},
        [7] = {0, 2, 1, 5, 6, 4, 3},
        [8] = {0, 2, 1, 6, 7, 4, 5, 3},
    };
    return channels < 9 && places[channels][1] ? places[channels] : NULL;
}

/* ---- places */

/* Frames that the packets of the page from next on stand for. */
static int64_t measure_page(link *l)
{
    int64_t sum = 0;
    for (size_t i = l->next; i < l->pages->count; i++) {
        long n = l->ops->duration(l->state, &l->pages->packets[i]);
        l->damaged = l->damaged || n < 0;
        l->durations[i] = n > 0 && n <= MAX_DURATION ? n : 0;
        sum += l->durations[i];
    }
    return sum;
}

/* Where the current page is. After a loss there may be a gap before it. */
static void place_page(link *l, int64_t sum)
{
    const ap_ogg_pages *p = l->pages;
    if (l->lost && p->granule >= 0) {
        int64_t start = p->granule - sum;
        if (start > l->position && p->granule <= p->track->granule) {
            l->silence = (uint64_t)(start - l->position);
            l->position = start;
        }
        l->lost = false;
    }
    l->end = p->last && p->granule >= 0 ? p->granule : INT64_MAX;
}

/* 1, 0 at the end, -1 on error. */
static int next_page(link *l, ap_error *err)
{
    int more = ap_ogg_pages_next(l->pages, err);
    if (more <= 0)
        return more;
    l->next = 0;
    if (l->pages->hole) {
        l->ops->lose(l->state);
        l->lost = l->damaged = true;
    }
    place_page(l, measure_page(l));
    return 1;
}

/* ---- frames */

static uint64_t part_before(int64_t place, int64_t from, uint64_t count)
{
    if (place <= from)
        return 0;
    uint64_t n = (uint64_t)place - (uint64_t)from;
    return n < count ? n : count;
}

/* Decodes the next packet; leaves out what is before the first frame, or after the last. */
static void take_packet(link *l)
{
    size_t i = l->next++;
    uint64_t duration = (uint64_t)l->durations[i], got = 0;
    long n = l->ops->decode(l->state, &l->pages->packets[i], l->frames, (long)duration);
    l->damaged = l->damaged || n < 0;
    got = n > 0 ? (uint64_t)n : 0;
    uint64_t skip = part_before(l->first, l->position, duration);
    uint64_t stop = part_before(l->end, l->position, duration), quiet = duration - got;
    l->position += (int64_t)duration;
    if (stop <= skip)
        return;
    l->silence = quiet > skip ? (stop < quiet ? stop : quiet) - skip : 0;
    l->at = skip > quiet ? skip - quiet : 0;
    l->have = stop > quiet ? stop - quiet - l->at : 0;
}

static int refill(link *l, ap_error *err)
{
    while (!l->silence && !l->have) {
        if (l->next < l->pages->count) {
            take_packet(l);
            continue;
        }
        int more = l->ended ? 0 : next_page(l, err);
        l->ended = more == 0;
        if (more <= 0)
            return more;
    }
    return 1;
}

static void warn(ap_stream *s, const link *l)
{
    if (l->damaged)
        ap_warn(s, "'%s' is damaged: some of it could not be decoded", ap_stream_name(s));
    if (l->ended && l->no_flag)
        ap_warn_no_end(s);
}

static ptrdiff_t fill_up(ap_stream *s, float *frames, size_t max)
{
    if (s->format.frames == AP_UNKNOWN)
        return 0;
    ap_warn(s, "'%s' is damaged: the end was filled up with silence", ap_stream_name(s));
    memset(frames, 0, max * s->format.channels * sizeof *frames);
    return (ptrdiff_t)max;
}

static ptrdiff_t link_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    link *l = s->state;
    int more = refill(l, err);
    warn(s, l);
    if (more <= 0)
        return more < 0 ? -1 : fill_up(s, frames, max);
    uint64_t there = l->silence ? l->silence : l->have;
    size_t n = there < max ? (size_t)there : max, count = n * l->channels;
    if (l->silence) {
        memset(frames, 0, count * sizeof *frames);
        l->silence -= n;
    } else {
        memcpy(frames, l->frames + l->at * l->channels, count * sizeof *frames);
        l->at += n;
        l->have -= n;
    }
    if (ap_sanitize(frames, count))
        ap_warn(s, "'%s' has samples that are not finite, taken as silence", ap_stream_name(s));
    if (s->position + n == s->format.frames && l->no_flag)
        l->ended = true;
    warn(s, l);
    return (ptrdiff_t)n;
}

/* ---- opening */

/* The position of the first frame, from the first page with audio. A page that is the last as well may end
 * before its packets do. */
static int find_start(link *l, ap_error *err)
{
    const ap_ogg_pages *p = l->pages;
    if (l->next >= p->count) {
        int more = ap_ogg_pages_next(l->pages, err);
        l->next = 0;
        l->ended = more == 0;
        if (more <= 0)
            return more;
    }
    int64_t sum = measure_page(l);
    l->position = p->granule >= 0 ? p->granule - sum : 0;
    if (p->last && l->position < 0)
        l->position = 0;
    place_page(l, sum);
    return 1;
}

static uint64_t length(const link *l)
{
    const ap_ogg_track *t = l->pages->track;
    uint64_t most = (t->end - t->begin) * MAX_FRAMES_PER_BYTE;
    if (l->ended && l->pages->count == 0)
        return 0; /* headers only */
    if (t->granule < 0)
        return AP_UNKNOWN;
    uint64_t n = t->granule > l->first ? (uint64_t)t->granule - (uint64_t)l->first : 0;
    return n < most ? n : AP_UNKNOWN;
}

ap_stream *ap_ogg_link(ap_ogg_pages *pages, size_t next, const ap_ogg_decoder *ops, void *state,
                       ap_format format, uint32_t skip, ap_tags *tags, ap_error *err)
{
    static const ap_stream_ops stream_ops = {link_read, link_close};
    link *l = calloc(1, sizeof *l);
    float *samples = malloc(sizeof *samples * MAX_DURATION * format.channels);
    if (!l || !samples) {
        ap_fail_memory(err);
        free(l);
        free(samples);
        ops->close(state);
        ap_ogg_pages_close(pages);
        free(pages);
        ap_tags_free(&tags);
        return NULL;
    }
    *l = (link){.pages = pages,
                .ops = ops,
                .state = state,
                .channels = format.channels,
                .next = next,
                .frames = samples,
                .no_flag = !pages->track->ended};
    if (!ap_check_format(ap_input_name(pages->in), &format, err) || find_start(l, err) < 0) {
        ap_tags_free(&tags);
        link_close(l);
        return NULL;
    }
    l->first = (l->position > 0 ? l->position : 0) + skip;
    format.frames = length(l);
    return ap_stream_new(&stream_ops, l, &format, ap_input_name(pages->in), tags, err);
}
