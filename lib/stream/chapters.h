/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * chapters.h - chapters among the tags. They are the pairs CHAPTERxxx=HH:MM:SS.mmm and CHAPTERxxxNAME=title,
 * as the Vorbis comments of Ogg and FLAC have them (wiki.xiph.org, "Chapter Extension"), so that they pass
 * through every stage and pipe as any tag does. */
#ifndef AP_STREAM_CHAPTERS_H
#define AP_STREAM_CHAPTERS_H

#include "audiopipe.h"

typedef struct ap_chapter {
    uint64_t start_ms;
    const char *title; /* NULL: none. Owned by the tags */
} ap_chapter;

#define AP_MAX_CHAPTERS 1000 /* three digits */

/* Adds a chapter behind those that are there. title may be NULL. false when there are too many, or when out
 * of memory. */
bool ap_chapters_add(ap_tags *tags, uint64_t start_ms, const char *title);
/* Copies all, by their start, to list, and sets *count. false when out of memory; free() the list. */
bool ap_chapters_list(const ap_tags *tags, ap_chapter **list, size_t *count);
/* Whether the key belongs to a chapter. */
bool ap_is_chapter_key(const char *key);
/* Keeps what lies within [start, start + length) ms of the stream and counts from start; the chapter that is
 * going on at start begins there. length AP_UNKNOWN: to the end. */
bool ap_chapters_cut(ap_tags *tags, uint64_t start_ms, uint64_t length_ms);

#endif
