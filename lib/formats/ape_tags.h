/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ape_tags.h - APEv2 tags at the end of MP3, WavPack, Monkey's Audio, Musepack... */
#ifndef AP_FORMATS_APE_TAGS_H
#define AP_FORMATS_APE_TAGS_H

#include "base/bytes.h"
#include "base/input.h"

/* The place of the tag at the end of a file that begins at start, or before an ID3v1 tag there; with its
 * header, if it has one. false if there is none. The position changes. */
bool ap_ape_find(ap_input *in, uint64_t start, uint64_t *begin, uint64_t *end);
/* Adds the tags of a file that begins at start, all values. The position changes. */
void ap_ape_tags(ap_input *in, uint64_t start, ap_tags *tags);

/* Decides of one item whether it stays: alone holds what it says by itself, nothing if it is not understood.
 */
typedef bool ap_ape_stays(void *user, const ap_tags *alone);
/* Appends a tag with those items of one that stay; nothing if none does. false if the tag makes no sense or
 * out of memory. */
bool ap_ape_keep(const unsigned char *bytes, size_t size, ap_ape_stays *stays, void *user, ap_bytes *to);

#endif
