/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode_flac.h - FLAC to a stream. */
#ifndef AP_FORMATS_DECODE_FLAC_H
#define AP_FORMATS_DECODE_FLAC_H

#include "base/input.h"

/* Where the bytes of a FLAC file come from. */
typedef struct ap_flac_source {
    ptrdiff_t (*read)(void *user, void *to, size_t size, ap_error *err); /* as ap_input_read_some */
    void (*close)(void *user);
    void *user;
    const char *name; /* valid until close */
    uint64_t frames;  /* length, if the header does not tell it; AP_UNKNOWN */
    bool part;        /* of a longer one: frames counts, not the header, and the first number is any */
} ap_flac_source;

/* Take in or the source over, also on failure. */
ap_stream *ap_flac_open(ap_input *in, ap_error *err);
ap_stream *ap_flac_open_source(const ap_flac_source *source, ap_error *err);

#endif
