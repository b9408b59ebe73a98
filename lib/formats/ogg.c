/* SPDX-License-Identifier: GPL-3.0-or-later
 * ogg.c - the pages of an Ogg file (RFC 3533): the comments at its begin, and whether its end is there. */
#include "formats/ogg.h"
#include "base/error.h"
#include "formats/vorbiscomment.h"

#include <ogg/ogg.h>
#include <string.h>

#define PAGE_HEADER 27
#define MAX_PAGE 65307          /* 27 + 255 + 255 * 255, RFC 3533, section 6 */
#define MAX_HEADERS (80L << 20) /* bytes before the audio; pictures are there */
enum { END_OF_STREAM = 4 };     /* header_type */

/* ---- the end */

/* Size of the page that is whole at p, 0 if there is none. */
static size_t page_size(const unsigned char *p, size_t size)
{
    if (size < PAGE_HEADER || memcmp(p, "OggS\0", 5) != 0 || size < PAGE_HEADER + (size_t)p[26])
        return 0;
    size_t n = PAGE_HEADER + (size_t)p[26];
    for (size_t i = 0; i < p[26]; i++)
        n += p[PAGE_HEADER + i];
    return n <= size ? n : 0;
}

/* Looks for the last page. false unless it ends its stream. */
static bool check_end(ap_input *in, uint32_t *serial, ap_error *err)
{
    uint64_t start = ap_input_tell(in), left = ap_input_left(in);
    size_t size = left < MAX_PAGE ? (size_t)left : MAX_PAGE;
    const unsigned char *p;
    if (!ap_input_seek(in, start + left - size, err))
        return false;
    ptrdiff_t n = ap_input_peek(in, &p, size, err);
    if (n < 0)
        return false;
    for (size_t at = (size_t)n; at-- > 0;) {
        if (!page_size(p + at, (size_t)n - at))
            continue;
        memcpy(serial, p + at + 14, 4);
        if (p[at + 5] & END_OF_STREAM)
            return ap_input_seek(in, start, err);
        break;
    }
    return ap_fail(err, AP_FAILED, "'%s' is truncated: its last Ogg page does not end the stream",
                   ap_input_name(in));
}

/* ---- the begin */

/* The packets of the stream whose page comes first. */
typedef struct reader {
    ap_input *in;
    ogg_sync_state sync;
    ogg_stream_state stream;
    bool started, several;
    long fed;
    uint32_t serial; /* as in the file */
} reader;

static bool feed(reader *r)
{
    char *buffer = ogg_sync_buffer(&r->sync, 8192);
    ptrdiff_t n = buffer && r->fed < MAX_HEADERS ? ap_input_read(r->in, buffer, 8192, NULL) : 0;
    if (n <= 0)
        return false;
    r->fed += n;
    return ogg_sync_wrote(&r->sync, n) == 0;
}

static bool next_page(reader *r)
{
    ogg_page page;
    int found;
    while ((found = ogg_sync_pageout(&r->sync, &page)) != 1)
        if (found == 0 && !feed(r))
            return false;
    int serial = ogg_page_serialno(&page);
    if (!r->started) {
        r->started = ogg_stream_init(&r->stream, serial) == 0;
        memcpy(&r->serial, page.header + 14, 4);
    }
    if (r->started && serial != r->stream.serialno)
        r->several = true;
    else if (r->started)
        ogg_stream_pagein(&r->stream, &page);
    return r->started;
}

static bool next_packet(reader *r, ogg_packet *packet)
{
    int found = 0;
    while (!r->started || (found = ogg_stream_packetout(&r->stream, packet)) != 1)
        if (found == 0 && !next_page(r))
            return false;
    return true;
}

static bool begins(const ogg_packet *packet, const char *with, size_t size)
{
    return packet->bytes >= (long)size && memcmp(packet->packet, with, size) == 0;
}

/* A malformed comment is no reason not to play the file. */
static void read_headers(reader *r, ap_tags *tags, ap_ogg *ogg)
{
    ogg_packet packet;
    if (!next_packet(r, &packet))
        return;
    bool vorbis = begins(&packet, "\x01vorbis", 7), opus = begins(&packet, "OpusHead", 8);
    ogg->vorbis_order = vorbis || (opus && packet.bytes > 18 && packet.packet[18] == 1); /* mapping family */
    if ((!vorbis && !opus) || !next_packet(r, &packet))
        return;
    size_t skip = begins(&packet, "\x03vorbis", 7) ? 7 : begins(&packet, "OpusTags", 8) ? 8 : 0;
    if (skip)
        (void)ap_vorbiscomment_parse(packet.packet + skip, (size_t)packet.bytes - skip, tags);
}

bool ap_ogg_inspect(ap_input *in, ap_tags *tags, ap_ogg *ogg, ap_error *err)
{
    uint64_t start = ap_input_tell(in);
    uint32_t last = 0;
    if (!check_end(in, &last, err))
        return false;
    reader r = {.in = in};
    ogg_sync_init(&r.sync);
    read_headers(&r, tags, ogg);
    ogg->several = r.several || (r.started && r.serial != last);
    if (r.started)
        ogg_stream_clear(&r.stream);
    ogg_sync_clear(&r.sync);
    return ap_input_seek(in, start, err);
}
