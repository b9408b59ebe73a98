/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bext.h - the bext chunk of broadcast WAV (EBU Tech 3285) as tags BEXT_*. */
#ifndef AP_FORMATS_BEXT_H
#define AP_FORMATS_BEXT_H

#include "audiopipe.h"
#include "base/bytes.h"

/* The body of a chunk, of a file with this rate. */
void ap_bext_parse(const unsigned char *bytes, size_t size, uint32_t rate, ap_tags *tags);
/* Appends the body of a chunk, of even size; nothing if no tag is for it. */
void ap_bext_make(ap_bytes *b, const ap_tags *tags, uint32_t rate);
/* Whether the chunk has a place for the key. */
bool ap_is_bext_key(const char *key);

#endif
