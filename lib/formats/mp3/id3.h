/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * id3.h - the tags of MP3. */
#ifndef AP_FORMATS_MP3_ID3_H
#define AP_FORMATS_MP3_ID3_H

#include "audiopipe.h"
#include "base/bytes.h"

/* Owner of the identifiers of recordings in UFID frames, as MusicBrainz Picard writes it. */
#define AP_ID3_MUSICBRAINZ "http://musicbrainz.org"

/* Bytes: room for the largest picture; a longer tag is skipped. */
#define AP_ID3_MAX ((size_t)80 << 20)
/* Bytes of zeros after the frames: room to edit the tag in place, as mutagen leaves it. exiftool looks for a
 * frame after each one, and takes a large last frame without 10 bytes after it for a wrong size. */
#define AP_ID3_PADDING 1024

/* Bytes of the ID3v2 tag that begins here, by its header of 10 bytes; 0 if there is none. */
size_t ap_id3_size(const unsigned char *bytes, size_t size);
/* Sizes of tags, and of frames of version 2.4, in four bytes of 7 bits (6.2: synchsafe). */
size_t ap_id3_get_size(const unsigned char *p);
void ap_id3_put_size(unsigned char *p, size_t size);
/* Parses an ID3v2 tag, and scribbles over it. false if it is malformed; what was good is kept. */
bool ap_id3_parse(unsigned char *bytes, size_t size, ap_tags *tags);
/* Decides whether a frame stays. alone: what the frame says by itself, empty if it is not understood;
 * chapter: it is a chapter, or their table. */
typedef bool ap_id3_stays(void *user, const ap_tags *alone, bool chapter);
/* Appends the frames of an ID3v2 tag that stay, as those of version 2.4, to frames, and scribbles over the
 * tag. Frames of version 2.2 that are not understood have no place there and are left out. false if a frame
 * cannot be kept: it is compressed or encrypted in version 2.3. */
bool ap_id3_keep(unsigned char *bytes, size_t size, ap_id3_stays *stays, void *user, ap_bytes *frames);
/* The 128 bytes of an ID3v1 tag; false if they are none. */
bool ap_id3v1_parse(const unsigned char *bytes, ap_tags *tags);
/* The name of a numbered genre, or NULL. */
const char *ap_genre_name(unsigned number);

/* An ID3v2.4 tag; size 0 when there is nothing to say. *bytes is the caller's to free. format tells the end
 * of the last chapter; it may be NULL. */
bool ap_id3_make(const ap_tags *tags, const ap_format *format, unsigned char **bytes, size_t *size,
                 ap_error *err);

#endif
