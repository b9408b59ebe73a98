/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode_mp3.h - MP3 to a stream. */
#ifndef AP_FORMATS_MP3_DECODE_MP3_H
#define AP_FORMATS_MP3_DECODE_MP3_H

#include "base/input.h"

/* The input stands at the first MP3 frame, after any ID3v2 tag. */
ap_stream *ap_mp3_open(ap_input *in, ap_error *err);
/* The same for MP3 inside something else: that many bytes of it, AP_UNKNOWN = all. */
ap_stream *ap_mp3_open_part(ap_input *in, uint64_t size, ap_error *err);

#endif
