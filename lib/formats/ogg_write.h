/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ogg_write.h - what the encoders to Ogg share. */
#ifndef AP_FORMATS_OGG_WRITE_H
#define AP_FORMATS_OGG_WRITE_H

#include "audiopipe.h"

/* For each channel of Vorbis, up to 8, which one of the stream it is. false: Vorbis, and Opus with it, has no
 * such layout. */
bool ap_vorbis_order(const ap_format *format, unsigned char *order);
/* Puts that many frames into that order; leaves them if there is none. */
void ap_to_vorbis_order(float *frames, size_t count, const ap_format *format);
/* The comment that holds a picture. */
#define AP_PICTURE_KEY "METADATA_BLOCK_PICTURE"
/* Its value, malloc'ed; NULL when there is none, or when out of memory. */
char *ap_picture_comment(const ap_tags *tags);
/* A serial number of a stream: the same each time, so that equal input gives equal bytes, and another one for
 * other music (its name, length, tags and first frames), because files can be joined to a chain, and readers
 * tell its links apart by it (RFC 3533, 4). */
int ap_ogg_serial(const ap_stream *s, const float *frames, size_t count);

#endif
