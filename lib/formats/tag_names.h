/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tag_names.h - the names that other formats have for the keys of Vorbis comments. */
#ifndef AP_FORMATS_TAG_NAMES_H
#define AP_FORMATS_TAG_NAMES_H

#include <stdbool.h>

/* Free-form names, which ID3v2 (TXXX), MP4 (----) and ASF share: those of MusicBrainz Picard. Any other name
 * is its own key. */
const char *ap_tag_key_of_name(const char *name);
/* The name for a key in such a place. */
const char *ap_tag_name_of_key(const char *key);

/* ID3v2 text frames: the key of an id (three letters in version 2.2), NULL if it has none. */
const char *ap_tag_key_of_id3(const char *id);
/* The id of a key, "TXXX" if there is none of its own. */
const char *ap_tag_id3_of_key(const char *key);

/* The part that somebody has in a list of people (ID3v2.4 TIPL, 2.3 IPLS): NULL if there is none. */
const char *ap_tag_key_of_role(const char *role);
const char *ap_tag_role_of_key(const char *key);

/* Keys of a number ("3") and of how many there are ("12"), which others write as "3/12". */
typedef struct ap_tag_total {
    const char *number, *total, *alias; /* alias: another key of the total */
} ap_tag_total;
/* NULL: key is no such number. */
const ap_tag_total *ap_tag_total_of(const char *key);

#endif
