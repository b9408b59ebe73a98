/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * chapters.h - what tags say about places in time. Chapters are the pairs CHAPTERxxx=HH:MM:SS.mmm and
 * CHAPTERxxxNAME=title, as the Vorbis comments of Ogg and FLAC have them (wiki.xiph.org, "Chapter
 * Extension"), so that they pass through every stage and pipe as any tag does. */
#ifndef AP_STREAM_CHAPTERS_H
#define AP_STREAM_CHAPTERS_H

#include "audiopipe.h"

typedef struct ap_chapter {
    uint64_t start_ms;
    const char *title; /* NULL: none. Owned by the tags */
} ap_chapter;

#define AP_MAX_CHAPTERS 1000 /* three digits */

/* Adds a chapter after those that are there. title may be NULL. false when there are too many, or when out
 * of memory. */
bool ap_chapters_add(ap_tags *tags, uint64_t start_ms, const char *title);
/* Copies all, by their start, to list, and sets *count. false when out of memory; free() the list. */
bool ap_chapters_list(const ap_tags *tags, ap_chapter **list, size_t *count);
/* Whether the key belongs to a chapter. */
bool ap_is_chapter_key(const char *key);
/* For a part of a stream, frames [start, start + count) at this rate; count AP_UNKNOWN: to the end. Keeps the
 * chapters in it, the one that is going on at start among them, and counts from start; moves the time
 * reference. */
bool ap_tags_cut(ap_tags *tags, uint64_t start, uint64_t count, uint32_t rate);
/* For a stream that begins that many frames later, with silence: moves the chapters and the time reference.
 */
bool ap_tags_delay(ap_tags *tags, uint64_t frames, uint32_t rate);
/* For what is appended at frame start of a stream with tags: adds the chapters of its own tags, NULL: none.
 * If it has none, and the stream has, it becomes one, of the name of its title. */
bool ap_tags_append(ap_tags *tags, const ap_tags *of_part, uint64_t start, uint32_t rate);

/* "frames/rate" since midnight until the stream starts, from broadcast WAV. */
#define AP_TIME_REFERENCE "BEXT_TIME_REFERENCE"
/* The same in frames at a rate. false if there is none. */
bool ap_time_reference(const ap_tags *tags, uint32_t rate, uint64_t *frames);

#endif
