/* SPDX-License-Identifier: GPL-3.0-or-later
 * ogg.c - tags in Ogg Vorbis and Opus: the comment header is made again, the pages after it get other
 * numbers and checksums (RFC 3533, 6), the packets stay. In a chain the first link is changed: its tags are
 * the ones that are shown. */
#include "base/error.h"
#include "formats/retag/retag.h"

#include <ogg/ogg.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 65536

typedef struct state {
    ap_retag *r;
    ogg_sync_state sync;
    ogg_stream_state in, out;
    bool found, done, ended; /* our stream; its headers are written; its last page is */
    bool vorbis;
    int headers; /* packets seen */
    long shift;  /* what numbers of pages change by */
    long pages;  /* of the old headers behind the first page */
    ap_bytes comments, setup;
} state;

static bool write_page(const state *s, const ogg_page *page, ap_error *err)
{
    return ap_output_write(s->r->out, page->header, (size_t)page->header_len, err) &&
           ap_output_write(s->r->out, page->body, (size_t)page->body_len, err);
}

/* The next page: 1, 0 at the end, -1 on error or where there is something else. */
static int next_page(state *s, ogg_page *page, ap_error *err)
{
    int result;
    while ((result = ogg_sync_pageout(&s->sync, page)) == 0) {
        char *room = ogg_sync_buffer(&s->sync, CHUNK);
        ptrdiff_t n = room ? ap_input_read(s->r->in, room, CHUNK, err) : -1;
        if (!room)
            ap_fail_memory(err);
        if (n < 0)
            return -1;
        if (n == 0)
            return s->sync.fill == s->sync.returned ? 0 : (ap_retag_damaged(s->r, err), -1);
        ogg_sync_wrote(&s->sync, (long)n);
    }
    if (result < 0)
        ap_retag_damaged(s->r, err);
    return result;
}

/* Whether the page starts a stream that is ours. */
static bool is_ours(state *s, const ogg_page *page)
{
    s->vorbis = page->body_len >= 7 && memcmp(page->body, "\x01vorbis", 7) == 0;
    bool opus = page->body_len >= 8 && memcmp(page->body, "OpusHead", 8) == 0;
    return ogg_page_bos(page) && (s->vorbis || opus);
}

static bool make_comments(state *s, const ogg_packet *packet, ap_error *err)
{
    const char *magic = s->vorbis ? "\x03vorbis" : "OpusTags";
    size_t skip = strlen(magic), used = 0, size = (size_t)packet->bytes;
    if (size < skip || memcmp(packet->packet, magic, skip) != 0)
        return ap_retag_damaged(s->r, err);
    ap_bytes_text(&s->comments, magic);
    if (!ap_retag_comments(s->r, packet->packet + skip, size - skip, true, &s->comments, &used))
        return ap_retag_damaged(s->r, err);
    if (s->vorbis)
        ap_bytes_big(&s->comments, 1, 1);                           /* the framing bit */
    else if (size - skip > used && packet->packet[skip + used] & 1) /* binary data (RFC 7845, 5.2) */
        ap_bytes_add(&s->comments, packet->packet + skip + used, size - skip - used);
    return !s->comments.failed || ap_fail_memory(err);
}

static void put_packet(state *s, const ap_bytes *b, int number)
{
    ogg_packet p = {.packet = b->data, .bytes = (long)b->size, .packetno = number};
    ogg_stream_packetin(&s->out, &p);
}

/* Both headers are there: they are written, on pages of their own. */
static bool write_headers(state *s, ap_error *err)
{
    ogg_page page;
    s->out.b_o_s = 1; /* the first page is not one of these */
    s->out.pageno = 1;
    put_packet(s, &s->comments, 1);
    if (s->vorbis)
        put_packet(s, &s->setup, 2);
    while (ogg_stream_flush(&s->out, &page))
        if (!write_page(s, &page, err))
            return false;
    s->shift = s->out.pageno - 1 - s->pages;
    s->done = true;
    return true;
}

/* A page of our stream after its first, up to the end of the headers. */
static bool take_header_page(state *s, ogg_page *page, ap_error *err)
{
    ogg_packet packet;
    s->pages++;
    if (ogg_stream_pagein(&s->in, page) != 0)
        return ap_retag_damaged(s->r, err);
    while (ogg_stream_packetout(&s->in, &packet) > 0) {
        if (s->done) /* sound on the page of a header, which neither format allows */
            return ap_retag_damaged(s->r, err);
        s->headers++;
        if (s->headers == 1 && !make_comments(s, &packet, err))
            return false;
        if (s->headers == 2)
            ap_bytes_add(&s->setup, packet.packet, (size_t)packet.bytes);
        if (s->setup.failed)
            return ap_fail_memory(err);
        if (s->headers == (s->vorbis ? 2 : 1) && !write_headers(s, err))
            return false;
    }
    return true;
}

static bool start(state *s, ogg_page *page, ap_error *err)
{
    ogg_packet first;
    int serial = ogg_page_serialno(page);
    s->found = true;
    if (ogg_stream_init(&s->in, serial) != 0 || ogg_stream_init(&s->out, serial) != 0)
        return ap_fail_memory(err);
    if (ogg_stream_pagein(&s->in, page) != 0 || ogg_stream_packetout(&s->in, &first) != 1)
        return ap_retag_damaged(s->r, err);
    return write_page(s, page, err);
}

static bool pass_page(state *s, ogg_page *page, ap_error *err)
{
    if (!s->found && is_ours(s, page))
        return start(s, page, err);
    bool ours = s->found && !s->ended && ogg_page_serialno(page) == s->in.serialno;
    if (ours && !s->done)
        return take_header_page(s, page, err);
    if (ours && s->shift) {
        ap_put_little(page->header + 18, (uint64_t)(ogg_page_pageno(page) + s->shift) & UINT32_MAX, 4);
        ogg_page_checksum_set(page);
    }
    s->ended = s->ended || (ours && ogg_page_eos(page));
    return write_page(s, page, err);
}

bool ap_retag_ogg(ap_retag *r, ap_error *err)
{
    state s = {.r = r};
    ogg_page page;
    int more = 1;
    bool ok = true;
    ogg_sync_init(&s.sync);
    while (ok && (more = next_page(&s, &page, err)) > 0)
        ok = pass_page(&s, &page, err);
    ok = ok && more == 0;
    if (ok && !s.found)
        ok = ap_fail(err, AP_FAILED, "cannot write tags into '%s': this Ogg is neither Vorbis nor Opus",
                     ap_input_name(r->in));
    else if (ok && !s.done)
        ok = ap_retag_damaged(r, err);
    ogg_stream_clear(&s.in);
    ogg_stream_clear(&s.out);
    ogg_sync_clear(&s.sync);
    free(s.comments.data);
    free(s.setup.data);
    return ok;
}
