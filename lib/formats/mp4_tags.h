/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mp4_tags.h - the tags of MP4: the items of moov/udta/meta/ilst. */
#ifndef AP_FORMATS_MP4_TAGS_H
#define AP_FORMATS_MP4_TAGS_H

#include "base/bytes.h"
#include "base/input.h"

/* Adds the tags of a file that begins at start, all values. The position changes. */
void ap_mp4_tags(ap_input *in, uint64_t start, ap_tags *tags);
/* Adds what one item of an ilst says, a whole atom with its header. */
void ap_mp4_item_parse(const unsigned char *item, size_t size, ap_tags *tags);
/* Appends the items of those keys that wanted picks (NULL: of all but chapters), and of the picture, if that
 * is wanted, too. */
void ap_mp4_items_make(ap_bytes *to, const ap_tags *tags, bool (*wanted)(const void *user, const char *key),
                       const void *user, bool picture);

/* Appends the header of an atom; returns its place. What follows is in it, until it is closed: its size is
 * known then. */
size_t ap_mp4_open(ap_bytes *to, const char *type);
void ap_mp4_close(ap_bytes *to, size_t at);

#endif
