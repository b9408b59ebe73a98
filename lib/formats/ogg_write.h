/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ogg_write.h - what the encoders to Ogg share. */
#ifndef AP_FORMATS_OGG_WRITE_H
#define AP_FORMATS_OGG_WRITE_H

#include "audiopipe.h"

/* For each channel of Vorbis, which one of the stream it is; NULL: the same. */
const unsigned char *ap_vorbis_order(uint32_t channels);
/* Puts so many frames into that order. */
void ap_to_vorbis_order(float *frames, size_t count, uint32_t channels);
/* The comment that holds a picture. */
#define AP_PICTURE_KEY "METADATA_BLOCK_PICTURE"
/* Its value, malloc'ed; NULL when there is none, or when out of memory. */
char *ap_picture_comment(const ap_tags *tags);
/* A number for the stream that is the same each time, and another one for other music, so that files can be
 * concatenated. */
int ap_ogg_serial(const ap_stream *s);

#endif
