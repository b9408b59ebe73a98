/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * info.h - tags in the chunks of WAV and AIFF, as their encoders write them. */
#ifndef AP_FORMATS_INFO_H
#define AP_FORMATS_INFO_H

#include "audiopipe.h"
#include "base/bytes.h"

/* A LIST chunk of type INFO of what it has a place for, and of others (NULL: none), which are items already;
 * nothing if there is nothing to say. */
void ap_wav_info_make(ap_bytes *b, const ap_tags *tags, const ap_bytes *others);
/* Whether INFO can say it all: the first value of the keys that it knows. */
bool ap_wav_info_suffices(const ap_tags *tags);
/* Whether an item with this id is one of ours. */
bool ap_wav_info_knows(const unsigned char *id);

/* The text chunks of AIFF. Returns whether they say it all. */
bool ap_aiff_texts_make(ap_bytes *b, const ap_tags *tags);
/* Whether a chunk with this id is one of them. */
bool ap_aiff_is_text(const unsigned char *id);

#endif
