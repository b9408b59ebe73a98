/* SPDX-License-Identifier: GPL-3.0-or-later
 * flac.c - a track of FLAC (RFC 9639, 10.1): its packets, without a header of nine bytes, are a FLAC file. */
#include "base/error.h"
#include "formats/decode_flac.h"
#include "formats/ogg/ogg.h"

#include <stdlib.h>
#include <string.h>

#define MAPPING_HEADER 9         /* 0x7f, "FLAC", version, count of headers */
#define MAX_FRAMES_PER_BYTE 8192 /* 65535 frames of a constant take some ten bytes */

typedef struct source {
    ap_ogg_pages pages;
    size_t next, at; /* packet, byte in it */
} source;

static void source_close(void *user)
{
    source *s = user;
    ap_ogg_pages_close(&s->pages);
    free(s);
}

static ptrdiff_t source_read(void *user, void *to, size_t size, ap_error *err)
{
    source *s = user;
    for (;;) {
        if (s->next >= s->pages.count) {
            int more = ap_ogg_pages_next(&s->pages, err);
            if (more <= 0)
                return more;
            s->next = 0;
        }
        const ogg_packet *p = &s->pages.packets[s->next];
        size_t left = (size_t)p->bytes - s->at, n = left < size ? left : size;
        memcpy(to, p->packet + s->at, n);
        s->at = n == left ? 0 : s->at + n;
        s->next += n == left;
        if (n)
            return (ptrdiff_t)n;
    }
}

/* ---- where it begins: recordings of radio, and parts that others cut out, do so in the middle */

/* Frames of a packet, by its header (RFC 9639, 9.1); 0 if it is none with sound. */
static uint32_t block_size(const ogg_packet *packet)
{
    const unsigned char *p = packet->packet;
    if (packet->bytes < 5 || p[0] != 0xff || (p[1] & 0xfe) != 0xf8)
        return 0;
    unsigned code = p[2] >> 4, number = 0; /* bytes of the coded number */
    while (number < 7 && p[4] & 0x80 >> number)
        number++;
    const unsigned char *more = p + 4 + (number ? number : 1);
    if (code == 1)
        return 192;
    if (code < 6)
        return code ? 576u << (code - 2) : 0;
    if (code > 7)
        return 256u << (code - 8);
    if (more + (code - 5) > p + packet->bytes)
        return 0;
    return 1 + (code == 6 ? more[0] : (uint32_t)more[0] << 8 | more[1]);
}

/* The granule position where the sound begins, from the first page that has some. A page that is the last as
 * well may end before its packets do. */
static bool find_start(ap_ogg_pages *pages, uint64_t *start, ap_error *err)
{
    int more = 1;
    uint64_t sum = 0;
    while (!sum && (more = ap_ogg_pages_next(pages, err)) > 0)
        for (size_t i = 0; i < pages->count; i++)
            sum += block_size(&pages->packets[i]);
    *start =
        more > 0 && pages->granule > 0 && (uint64_t)pages->granule > sum ? (uint64_t)pages->granule - sum : 0;
    return more >= 0;
}

static uint64_t length(const ap_ogg_track *t, uint64_t start)
{
    uint64_t most = (t->end - t->begin) * MAX_FRAMES_PER_BYTE;
    uint64_t n = t->granule > 0 && (uint64_t)t->granule > start ? (uint64_t)t->granule - start : 0;
    return n > 0 && n < most ? n : AP_UNKNOWN;
}

/* Opens the pages at their start, twice: to look, and to read. */
static bool open_pages(source *s, ap_input *in, uint64_t base, const ap_ogg_track *track, uint64_t *start,
                       ap_error *err)
{
    if (!ap_ogg_pages_open(&s->pages, in, base, track))
        return ap_fail_memory(err);
    bool found = find_start(&s->pages, start, err);
    ap_ogg_pages_close(&s->pages);
    return found && (ap_ogg_pages_open(&s->pages, in, base, track) || ap_fail_memory(err));
}

ap_stream *ap_ogg_flac(ap_input *in, uint64_t base, const ap_ogg_track *track, ap_error *err)
{
    source *s = calloc(1, sizeof *s);
    uint64_t start = 0;
    if (!s || !open_pages(s, in, base, track, &start, err)) {
        if (!s)
            ap_fail_memory(err);
        free(s);
        return NULL;
    }
    int more = ap_ogg_pages_next(&s->pages, err);
    if (more <= 0 || s->pages.packets[0].bytes < MAPPING_HEADER) {
        if (more >= 0)
            ap_fail(err, AP_FAILED, "'%s' is damaged: its FLAC header makes no sense", ap_input_name(in));
        source_close(s);
        return NULL;
    }
    s->at = MAPPING_HEADER;
    ap_stream *stream = ap_flac_open_source(
        &(ap_flac_source){source_read, source_close, s, ap_input_name(in), length(track, start), start > 0},
        err);
    if (stream && !track->ended)
        ap_warn_no_end(stream);
    return stream;
}
