/* SPDX-License-Identifier: GPL-3.0-or-later
 * edits.c - the edit lists of MP4 and the packet tables of CAF, read here: what libav does with them differs
 * from version to version, and is exact to the packet, not to the sample. */
#include "plugins/av/edits.h"
#include "base/error.h"
#include "plugins/av/boxes.h"
#include "plugins/av/fragments.h"

#include <libavutil/intreadwrite.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BOXES 100000
#define MAX_EDITS 100000
#define MAX_STTS (UINT64_C(64) << 20)

/* The time scale of mvhd or mdhd; 0: none. */
static uint32_t time_scale(ap_input *in, ap_box outer, const char *type)
{
    ap_box b;
    size_t size;
    unsigned char *p = ap_box_find(in, outer, type, NULL, &b) ? ap_box_load(in, b, 4096, &size) : NULL;
    uint32_t scale = !p ? 0 : size >= 24 && p[0] == 1 ? AV_RB32(p + 20) : size >= 16 ? AV_RB32(p + 12) : 0;
    free(p);
    return scale;
}

/* Length of the track in units of its time scale, by stts; -1 if it has no samples there: it is fragmented.
 */
static int64_t media_length(ap_input *in, ap_box mdia)
{
    ap_box minf, stbl, stts;
    size_t size;
    int64_t sum = 0;
    if (!ap_box_find(in, mdia, "minf", NULL, &minf) || !ap_box_find(in, minf, "stbl", NULL, &stbl) ||
        !ap_box_find(in, stbl, "stts", NULL, &stts))
        return -1;
    unsigned char *p = ap_box_load(in, stts, MAX_STTS, &size);
    for (size_t i = 8; p && i + 8 <= size; i += 8)
        if (__builtin_add_overflow(sum, (int64_t)AV_RB32(p + i) * AV_RB32(p + i + 4), &sum))
            sum = INT64_MAX / 2;
    free(p);
    return sum > 0 ? sum : -1;
}

/* ---- MP4 */

typedef struct times {
    uint32_t movie, media, rate; /* units a second */
    int64_t origin; /* frame that the file begins with: a recording of fragments may begin late */
    int64_t end;    /* of the track in frames, -1: unknown */
} times;

static int64_t rescale(int64_t v, uint32_t from, uint32_t to)
{
    return av_rescale(v, to, from);
}

/* Durations are rounded to the units of the movie: an edit that ends less than one from the end of the track
 * ends there. */
static ap_av_edit make_edit(int64_t start, int64_t duration, const times *t)
{
    ap_av_edit e = {start < 0 ? -1 : rescale(start, t->media, t->rate), rescale(duration, t->movie, t->rate)};
    int64_t tick = t->movie < t->rate ? t->rate / t->movie + 1 : 0;
    if (e.start >= 0 && duration == 0)
        e.length = -1; /* of a fragmented file: all */
    if (e.start >= 0 && t->end >= 0) {
        int64_t left = t->end > e.start ? t->end - e.start : 0;
        if (e.length < 0 || e.length > left - tick)
            e.length = e.length < 0 || e.length < left + tick ? left : e.length;
        e.length = FFMIN(e.length, left);
    }
    if (e.start >= 0 && e.start < t->origin) {
        e.length = e.length < 0 ? -1 : FFMAX(e.length - (t->origin - e.start), 0);
        e.start = t->origin;
    }
    return e;
}

static bool parse_elst(const unsigned char *p, size_t size, const times *t, ap_av_edits *edits)
{
    size_t each = size > 0 && p[0] == 1 ? 20 : 12, count = size >= 8 ? AV_RB32(p + 4) : 0;
    if (size < 8 || count > (size - 8) / each || count > MAX_EDITS)
        return true; /* it makes no sense: all is heard */
    edits->list = calloc(count + 1, sizeof *edits->list);
    if (!edits->list)
        return false;
    for (size_t i = 0; i < count; i++) {
        const unsigned char *e = p + 8 + i * each;
        int64_t duration = each == 20 ? (int64_t)AV_RB64(e) : (int64_t)AV_RB32(e);
        int64_t start = each == 20 ? (int64_t)AV_RB64(e + 8) : (int32_t)AV_RB32(e + 4);
        if (duration >= 0 && duration < INT64_MAX / 1000000 && start < INT64_MAX / 1000000)
            edits->list[edits->count++] = make_edit(start, duration, t);
    }
    return true;
}

/* Where fragments begin, by the first sound or picture of the file, in frames of the track. */
static int64_t origin_of(const ap_av_source *s, const AVStream *st, uint32_t rate)
{
    const AVRational samples = {1, (int)rate};
    int64_t whole = s->container->start_time, own = st->start_time;
    if (whole == AV_NOPTS_VALUE || own == AV_NOPTS_VALUE)
        return 0;
    int64_t first = av_rescale_q(whole, AV_TIME_BASE_Q, samples);
    own = av_rescale_q(own, st->time_base, samples);
    return FFMAX(llabs(first - own) <= 1 ? own : first, 0); /* whole is rounded */
}

static bool read_mp4(const ap_av_source *s, ap_box file, const AVStream *st, uint32_t rate,
                     ap_av_edits *edits)
{
    ap_input *in = s->in;
    ap_box moov, trak, mdia, edts, elst;
    size_t size;
    if (!ap_box_find(in, file, "moov", NULL, &moov) || !ap_box_track(in, moov, (uint32_t)st->id, &trak) ||
        !ap_box_find(in, trak, "mdia", NULL, &mdia))
        return true;
    times t = {time_scale(in, moov, "mvhd"), time_scale(in, mdia, "mdhd"), rate, 0, -1};
    if (t.movie == 0 || t.media == 0)
        return true;
    int64_t length = media_length(in, mdia);
    if (length < 0) {
        length = ap_av_fragments_end(in, file, moov, (uint32_t)st->id);
        t.origin = origin_of(s, st, rate);
    }
    t.end = length < 0 ? -1 : rescale(length, t.media, rate);
    bool found = ap_box_find(in, trak, "edts", NULL, &edts) && ap_box_find(in, edts, "elst", NULL, &elst);
    unsigned char *p = found ? ap_box_load(in, elst, 8 + 20 * MAX_EDITS, &size) : NULL;
    bool ok = !p || parse_elst(p, size, &t, edits);
    free(p);
    edits->listed = edits->count > 0;
    if (ok && edits->count == 0 && t.end >= 0) {
        free(edits->list);
        edits->list = calloc(1, sizeof *edits->list);
        if (edits->list)
            edits->list[edits->count++] = (ap_av_edit){t.origin, t.end - t.origin};
        ok = edits->list;
    }
    return ok;
}

/* ---- CAF */

/* The packet table: valid frames, and those before and after them (CAF specification, "Packet Table Chunk").
 */
static bool read_caf(ap_input *in, ap_box file, ap_av_edits *edits)
{
    unsigned char h[24];
    uint64_t at = file.begin + 8;
    for (int i = 0; i < MAX_BOXES && at + 12 <= file.end; i++) {
        if (!ap_input_seek(in, at, NULL) || ap_input_read(in, h, 12, NULL) != 12)
            return true;
        uint64_t size = AV_RB64(h + 4);
        if (memcmp(h, "pakt", 4) == 0 && size >= 24 && ap_input_read(in, h, 24, NULL) == 24) {
            int64_t valid = (int64_t)AV_RB64(h + 8), priming = (int32_t)AV_RB32(h + 16);
            if (valid <= 0 || valid > INT64_MAX / 2 || priming < 0)
                return true;
            edits->list = calloc(1, sizeof *edits->list);
            if (edits->list)
                edits->list[edits->count++] = (ap_av_edit){priming, valid};
            return edits->list;
        }
        if (size > file.end - at - 12)
            return true;
        at += 12 + size;
    }
    return true;
}

/* " 00000000 00000840 000001CA 00000000003F31F6 ...": delay, padding and frames of the music. */
bool ap_av_edits_itunes(const ap_av_source *s, ap_av_edit *edit)
{
    unsigned delay, padding;
    unsigned long long frames;
    const AVDictionaryEntry *e = av_dict_get(s->container->metadata, "iTunSMPB", NULL, 0);
    if (!e || sscanf(e->value, "%*x %x %x %llx", &delay, &padding, &frames) != 3 || !frames ||
        frames > INT64_MAX / 2)
        return false;
    *edit = (ap_av_edit){delay, (int64_t)frames};
    return true;
}

bool ap_av_edits_known(const ap_av_source *s)
{
    return ap_av_source_is(s, "mp4") || ap_av_source_is(s, "caf");
}

bool ap_av_edits_read(const ap_av_source *s, const AVStream *st, uint32_t rate, ap_av_edits *edits,
                      ap_error *err)
{
    uint64_t place = ap_input_tell(s->in);
    ap_box file = {s->base, ap_input_size(s->in)};
    bool ok = true;
    edits->known = ap_av_edits_known(s);
    if (edits->known)
        ok = ap_av_source_is(s, "mp4") ? read_mp4(s, file, st, rate, edits) : read_caf(s->in, file, edits);
    return (ok || ap_fail_memory(err)) && ap_input_seek(s->in, place, err);
}
