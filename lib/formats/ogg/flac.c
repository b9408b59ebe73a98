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

static uint64_t length(const ap_ogg_track *t)
{
    uint64_t most = (t->end - t->begin) * MAX_FRAMES_PER_BYTE;
    return t->granule > 0 && (uint64_t)t->granule < most ? (uint64_t)t->granule : AP_UNKNOWN;
}

ap_stream *ap_ogg_flac(ap_input *in, uint64_t base, const ap_ogg_track *track, ap_error *err)
{
    source *s = calloc(1, sizeof *s);
    if (!s || !ap_ogg_pages_open(&s->pages, in, base, track)) {
        free(s);
        ap_fail_memory(err);
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
        &(ap_flac_source){source_read, source_close, s, ap_input_name(in), length(track)}, err);
    if (stream && !track->ended)
        ap_warn(stream, "'%s' does not say where it ends: it may be cut", ap_stream_name(stream));
    return stream;
}
