/* SPDX-License-Identifier: GPL-3.0-or-later
 * chain.c - the links of an Ogg file. A link starts with the first pages of its streams, whatever their
 * serial numbers are: files of one encoder that were joined have equal ones. */
#include "base/error.h"
#include "formats/chunks.h"
#include "formats/ogg/ogg.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK 65536
#define MAX_LINKS 100000 /* a day of a station that starts a link each second */
#define MAX_TRACKS 64    /* of a link */

typedef struct scan {
    ap_input *in;
    ogg_sync_state sync;
    uint64_t start;                  /* of the first page in the input */
    uint64_t at;                     /* of the next page, from there */
    uint64_t junk;                   /* position of what is no page and comes after all others, 0 = none */
    bool damaged, heads;             /* the last page began a stream */
    ap_ogg_track tracks[MAX_TRACKS]; /* of the link at hand */
    size_t count;
    unsigned chosen; /* which audio track, from 1 */
    ap_ogg_chain *chain;
    size_t capacity, seen; /* links */
} scan;

static bool starts(const ogg_page *page, const char *with, size_t size)
{
    return page->body_len >= (long)size && memcmp(page->body, with, size) == 0;
}

static ap_ogg_codec codec_of(const ogg_page *page)
{
    if (starts(page, "\x01vorbis", 7))
        return AP_OGG_VORBIS;
    if (starts(page, "OpusHead", 8))
        return AP_OGG_OPUS;
    return starts(page,
                  "\x7f"
                  "FLAC",
                  5)
               ? AP_OGG_FLAC
               : AP_OGG_OTHER;
}

/* Of the codecs that libav finds in Ogg. */
static bool is_other_audio(const ogg_page *page)
{
    return starts(page, "Speex   ", 8) || starts(page, "PCM     ", 8) || starts(page, "CELT    ", 8) ||
           starts(page, "fLaC", 4);
}

/* Chooses the track of the link that is complete now. */
static bool end_link(scan *s, ap_error *err)
{
    ap_ogg_chain *c = s->chain;
    const ap_ogg_track *track = NULL;
    unsigned number = 0;
    for (size_t i = 0; i < s->count; i++)
        if (s->tracks[i].audio && ++number == s->chosen)
            track = &s->tracks[i];
    bool ours = track && track->codec != AP_OGG_OTHER;
    if (s->seen++ == 0)
        c->first_is_ours = ours;
    c->skipped = c->skipped || !ours;
    c->no_flag = track && !track->ended;
    s->count = 0;
    if (!ours)
        return true;
    if (c->count == MAX_LINKS)
        return ap_fail(err, AP_FAILED, "'%s' has more than %d links", ap_input_name(s->in), MAX_LINKS);
    if (c->count == s->capacity) {
        size_t capacity = 2 * s->capacity + 4;
        ap_ogg_track *links = realloc(c->links, capacity * sizeof *links);
        if (!links)
            return ap_fail_memory(err);
        c->links = links;
        s->capacity = capacity;
    }
    c->links[c->count] = *track;
    c->links[c->count++].end = s->at;
    return true;
}

static ap_ogg_track *find(scan *s, int serial)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->tracks[i].serial == serial)
            return &s->tracks[i];
    return NULL;
}

static bool take_page(scan *s, ogg_page *page, ap_error *err)
{
    bool head = ogg_page_bos(page);
    if (head && !s->heads && s->count && !end_link(s, err))
        return false;
    uint64_t begin = s->count ? s->tracks[0].begin : s->at;
    if (head && s->count < MAX_TRACKS) {
        ap_ogg_codec codec = codec_of(page);
        s->tracks[s->count++] = (ap_ogg_track){.begin = begin,
                                               .granule = -1,
                                               .serial = ogg_page_serialno(page),
                                               .codec = codec,
                                               .audio = codec != AP_OGG_OTHER || is_other_audio(page)};
    }
    s->heads = head;
    ap_ogg_track *t = find(s, ogg_page_serialno(page));
    if (!t)
        return true;
    t->last_page = s->at;
    if (ogg_page_granulepos(page) != -1)
        t->granule = ogg_page_granulepos(page);
    t->ended = ogg_page_eos(page);
    t->inside = page->header_len > 27 && page->header[page->header_len - 1] == 255;
    return true;
}

/* 1, 0 at the end, -1 on error. */
static int feed(scan *s, ap_error *err)
{
    char *buffer = ogg_sync_buffer(&s->sync, CHUNK);
    if (!buffer) {
        ap_fail_memory(err);
        return -1;
    }
    ptrdiff_t n = ap_input_read(s->in, buffer, CHUNK, err);
    if (n > 0)
        ogg_sync_wrote(&s->sync, n);
    return n < 0 ? -1 : n > 0;
}

static bool walk(scan *s, ap_error *err)
{
    ogg_page page;
    for (;;) {
        long n = ogg_sync_pageseek(&s->sync, &page);
        int more = n == 0 ? feed(s, err) : 1;
        if (more < 0 || (n > 0 && !take_page(s, &page, err)))
            return false;
        if (more == 0)
            return true;
        s->damaged = s->damaged || (n > 0 && s->junk);
        if (n < 0 && !s->junk && s->seen + s->count > 0)
            s->junk = s->at;
        s->at += (uint64_t)labs(n);
    }
}

/* Whether what is left over is the start of a page. */
static bool ends_inside_page(const scan *s)
{
    size_t left = (size_t)(s->sync.fill - s->sync.returned);
    return left && memcmp(s->sync.data + s->sync.returned, "OggS", left < 4 ? left : 4) == 0;
}

static bool finish(scan *s, ap_error *err)
{
    const ap_ogg_chain *c = s->chain;
    bool cut = ends_inside_page(s);
    if (s->count && !end_link(s, err))
        return false;
    const ap_ogg_track *last = c->count ? &c->links[c->count - 1] : NULL;
    if (cut || (last && last->inside && !last->ended))
        return ap_fail(err, AP_FAILED, "'%s' is truncated: it ends inside an Ogg page or packet",
                       ap_input_name(s->in));
    if (s->junk && !s->damaged && ap_input_seek(s->in, s->start + s->junk, NULL))
        s->damaged = ap_chunks_behind(s->in, NULL, 0) != AP_BEHIND_NOTHING;
    return true;
}

bool ap_ogg_scan(ap_input *in, unsigned track, ap_ogg_chain *chain, ap_error *err)
{
    scan *s = calloc(1, sizeof *s);
    *chain = (ap_ogg_chain){0};
    if (!s)
        return ap_fail_memory(err);
    s->in = in;
    s->start = ap_input_tell(in);
    s->chain = chain;
    s->chosen = track ? track : 1;
    ogg_sync_init(&s->sync);
    bool ok = walk(s, err) && finish(s, err) && ap_input_seek(in, s->start, err);
    chain->damaged = s->damaged;
    ogg_sync_clear(&s->sync);
    free(s);
    if (!ok) {
        free(chain->links);
        chain->links = NULL;
    }
    return ok;
}
