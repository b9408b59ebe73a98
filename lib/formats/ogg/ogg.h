/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ogg.h - what the files that read Ogg share (RFC 3533). A file is a chain of links, each of which has one or
 * more logical streams. */
#ifndef AP_FORMATS_OGG_OGG_H
#define AP_FORMATS_OGG_OGG_H

#include "base/input.h"
#include "stream/stream.h"

#include <ogg/ogg.h>

/* ---- chain.c: what is in a file */

typedef enum ap_ogg_codec { AP_OGG_OTHER, AP_OGG_VORBIS, AP_OGG_OPUS, AP_OGG_FLAC } ap_ogg_codec;

/* One logical stream of a link. Places count from the start of the file in the input. */
typedef struct ap_ogg_track {
    uint64_t begin, end; /* of the link */
    uint64_t last_page;
    int64_t granule; /* of the last page that has one; -1: none has */
    int serial;
    ap_ogg_codec codec;
    bool audio;  /* of this or another codec */
    bool ended;  /* the last page has the flag for the end of the stream */
    bool inside; /* the last page ends inside a packet */
} ap_ogg_track;

typedef struct ap_ogg_chain {
    ap_ogg_track *links; /* the chosen track of each link that has one */
    size_t count;
    bool first_is_ours; /* the chosen track of the first link is one that is decoded here */
    bool skipped;       /* links were left out that have no such track */
    bool damaged;       /* bytes were skipped between pages */
    bool no_flag;       /* the chosen track of the last link, of any codec, does not say that it ends */
} ap_ogg_chain;

/* Looks at every page. track as in ap_decode_options. Fails when the file ends inside a page. The position of
 * the input stays. */
bool ap_ogg_scan(ap_input *in, unsigned track, ap_ogg_chain *chain, ap_error *err);

/* ---- pages.c: the packets of one track */

typedef struct ap_ogg_pages {
    ap_input *in;
    const ap_ogg_track *track;
    uint64_t base, fed, at; /* places: of the file in the input, of the next byte to read, of the next page */
    ogg_sync_state sync;
    ogg_stream_state stream;
    /* The current page. The packets are valid until the next call. */
    ogg_packet packets[256];
    size_t count;
    int64_t granule; /* -1: none */
    bool hole;       /* something is missing before the first packet */
    bool last;
} ap_ogg_pages;

/* base: the place of the file in the input. */
bool ap_ogg_pages_open(ap_ogg_pages *p, ap_input *in, uint64_t base, const ap_ogg_track *track);
void ap_ogg_pages_close(ap_ogg_pages *p);
/* The next page on which a packet ends. 1, 0 at the end, -1 on error. */
int ap_ogg_pages_next(ap_ogg_pages *p, ap_error *err);
/* The next header packet: 1, 0 if there is none. It is valid until the next call. */
int ap_ogg_pages_header(ap_ogg_pages *p, size_t *next, ogg_packet *packet, ap_error *err);

/* ---- link.c: a track to a stream */

/* A decoder of packets. */
typedef struct ap_ogg_decoder {
    /* Frames that a packet stands for, given those before it; negative if it makes no sense. */
    long (*duration)(void *state, ogg_packet *packet);
    /* Decodes into frames, which has room for the duration. Returns how many, which may be fewer after a
     * loss: the last ones. */
    long (*decode)(void *state, ogg_packet *packet, float *frames, long room);
    void (*lose)(void *state); /* packets are missing before the next duration */
    void (*close)(void *state);
} ap_ogg_decoder;

/* A stream from the pages, which are past the headers; next is the first packet of the current page that is
 * not a header. Takes pages, state and tags over, also when it fails. The length in format is filled in
 * here. skip: frames to leave out (RFC 7845, 4.2). */
ap_stream *ap_ogg_link(ap_ogg_pages *pages, size_t next, const ap_ogg_decoder *ops, void *state,
                       ap_format format, uint32_t skip, ap_tags *tags, ap_error *err);
/* From the order of Vorbis (Vorbis I, 4.3.9; RFC 7845, 5.1.1.2): where channel c belongs; NULL: where it is.
 */
const unsigned char *ap_ogg_places(uint32_t channels);

/* vorbis.c, opus.c, ../decode_flac.c: a track to a stream with its tags. */
ap_stream *ap_ogg_vorbis(ap_input *in, uint64_t base, const ap_ogg_track *track, ap_error *err);
ap_stream *ap_ogg_opus(ap_input *in, uint64_t base, const ap_ogg_track *track, ap_error *err);
ap_stream *ap_ogg_flac(ap_input *in, uint64_t base, const ap_ogg_track *track, ap_error *err);

#endif
