/* SPDX-License-Identifier: GPL-3.0-or-later
 * pages.c - the pages of one track, with the packets that end on them. */
#include "base/error.h"
#include "formats/ogg/ogg.h"

#define CHUNK 8192
#define MAX_PACKET (80L << 20) /* room for the largest picture */

bool ap_ogg_pages_open(ap_ogg_pages *p, ap_input *in, uint64_t base, const ap_ogg_track *track)
{
    *p = (ap_ogg_pages){.in = in, .track = track, .base = base, .fed = track->begin, .at = track->begin};
    ogg_sync_init(&p->sync);
    return ogg_stream_init(&p->stream, track->serial) == 0;
}

void ap_ogg_pages_close(ap_ogg_pages *p)
{
    ogg_sync_clear(&p->sync);
    ogg_stream_clear(&p->stream);
}

/* 1, 0 at the end of the link, -1 on error. Several readers share the input, so each has its own place. */
static int feed(ap_ogg_pages *p, ap_error *err)
{
    uint64_t left = p->track->end - p->fed;
    char *buffer = ogg_sync_buffer(&p->sync, CHUNK);
    if (!buffer) {
        ap_fail_memory(err);
        return -1;
    }
    if (ap_input_tell(p->in) != p->base + p->fed && !ap_input_seek(p->in, p->base + p->fed, err))
        return -1;
    ptrdiff_t n = ap_input_read(p->in, buffer, left < CHUNK ? (size_t)left : CHUNK, err);
    if (n <= 0)
        return (int)n;
    p->fed += (uint64_t)n;
    ogg_sync_wrote(&p->sync, n);
    return 1;
}

static void take_packets(ap_ogg_pages *p)
{
    int found;
    while (p->count < 255 && (found = ogg_stream_packetout(&p->stream, &p->packets[p->count])) != 0) {
        p->count += found > 0;
        p->hole = p->hole || found < 0;
    }
}

int ap_ogg_pages_next(ap_ogg_pages *p, ap_error *err)
{
    ogg_page page;
    p->count = 0;
    p->hole = p->last = false;
    p->granule = -1;
    while (p->count == 0) {
        long n = ogg_sync_pageseek(&p->sync, &page);
        int more = n == 0 ? feed(p, err) : 1;
        if (more <= 0)
            return more;
        if (n > 0 && ogg_page_serialno(&page) == p->track->serial) {
            p->last = p->at == p->track->last_page;
            ogg_stream_pagein(&p->stream, &page);
            take_packets(p);
            p->granule = ogg_page_granulepos(&page);
            if (p->stream.body_fill - p->stream.body_returned > MAX_PACKET)
                return 0;
        }
        p->at += (uint64_t)(n < 0 ? -n : n);
    }
    return 1;
}

int ap_ogg_pages_header(ap_ogg_pages *p, size_t *next, ogg_packet *packet, ap_error *err)
{
    while (*next >= p->count) {
        int more = ap_ogg_pages_next(p, err);
        if (more <= 0)
            return more;
        *next = 0;
    }
    *packet = p->packets[(*next)++];
    return 1;
}
