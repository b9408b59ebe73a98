/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * vorbiscomment.h - the tags and pictures of FLAC, Ogg Vorbis and Opus. */
#ifndef AP_FORMATS_VORBISCOMMENT_H
#define AP_FORMATS_VORBISCOMMENT_H

#include "formats/tag_names.h"

#include "audiopipe.h"

#define AP_FRONT_COVER 3 /* picture type of FLAC and ID3: RFC 9639, table 13 */

/* A comment block: vendor, count, entries (METADATA_BLOCK_PICTURE among them). false if malformed; what was
 * good is kept. */
bool ap_vorbiscomment_parse(const unsigned char *bytes, size_t size, ap_tags *tags);
/* One KEY=value of it. */
bool ap_vorbiscomment_add(const unsigned char *bytes, size_t size, ap_tags *tags);
/* Adds "3/12" as number and total, or "3" as the number. */
void ap_tags_add_position(ap_tags *tags, const ap_tag_total *names, const char *value);
/* The speakers, as flac notes unusual ones; AP_DISCRETE = none, 0 = does not say. The tag goes: it would be
 * wrong after a remix.
 */
uint32_t ap_vorbiscomment_take_mask(ap_tags *tags);
/* The body of a FLAC PICTURE block. */
bool ap_flac_picture_parse(const unsigned char *bytes, size_t size, ap_tags *tags);
/* The same made of a picture, as a front cover; malloc'ed. NULL when out of memory. */
unsigned char *ap_flac_picture_make(const ap_picture *picture, size_t *size);
/* Sets the picture, unless there is one already and this is not a front cover. false if it is not
 * an image. */
bool ap_picture_add(ap_tags *tags, unsigned type, const char *mime, const unsigned char *data, size_t size);

#endif
