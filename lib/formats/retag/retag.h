/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * retag.h - what the files that write tags into files share. Each format copies the file with other tags in
 * it; the bytes of the sound stay as they are, and so does all that is not understood here. The writers are
 * our own, because TagLib's C binding (libtagc 1.13 in Debian 12) knows seven fields only: no ReplayGain, no
 * keys of one's own, no several values, no pictures; and because TagLib writes into the file itself, which a
 * full disk or a power cut leaves in pieces. */
#ifndef AP_FORMATS_RETAG_RETAG_H
#define AP_FORMATS_RETAG_RETAG_H

#include "base/bytes.h"
#include "base/input.h"
#include "base/output.h"

typedef struct ap_retag {
    ap_input *in; /* seekable; the file is all of it */
    ap_output *out;
    const ap_tags *old, *tags; /* before and after */
    const ap_tags *behind;     /* those that an APEv2 tag keeps for itself; NULL: none */
    ap_format format;          /* of the sound */
    bool all;                  /* every key counts as changed */
    bool picture;              /* the cover changes */
    bool chapters;             /* chapters change */
} ap_retag;

/* Writes the whole file. The position of the input is 0. */
typedef bool ap_retag_fn(ap_retag *r, ap_error *err);
ap_retag_fn ap_retag_mp3, ap_retag_flac, ap_retag_ogg, ap_retag_wav, ap_retag_aiff, ap_retag_mp4, ap_retag_au;

/* Whether the values of a key, or of one that is written together with it, change. */
bool ap_retag_changes(const ap_retag *r, const char *key);
/* Copies bytes [from, to) of the input; to AP_UNKNOWN: up to its end. */
bool ap_retag_copy(ap_retag *r, uint64_t from, uint64_t to, ap_error *err);
/* Reads size bytes at a place; malloc'ed. */
unsigned char *ap_retag_load(ap_retag *r, uint64_t at, uint64_t size, ap_error *err);
/* Whether this is the cover that goes: the one that was shown so far. */
bool ap_retag_is_old_cover(const ap_retag *r, const ap_tags *found);
bool ap_retag_damaged(const ap_retag *r, ap_error *err); /* false, with err filled */

/* comments.c: a comment block (Vorbis I, section 5) with the changes in it. old may be NULL. *used gets how
 * many of its bytes were the block. pictures: the cover is a comment, too. false if old makes no sense. */
bool ap_retag_comments(const ap_retag *r, const unsigned char *old, size_t size, bool pictures, ap_bytes *to,
                       size_t *used);

/* mp3.c: an ID3v2 tag with the changes in it, NULL and 0 if there is nothing to say. old may be NULL, and is
 * scribbled over. It is malloc'ed. */
bool ap_retag_id3(const ap_retag *r, unsigned char *old, size_t old_size, unsigned char **bytes, size_t *size,
                  ap_error *err);

#endif
