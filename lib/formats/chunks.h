/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * chunks.h - the chunks of files, checked before a library reads them; and what comes after the sound. */
#ifndef AP_FORMATS_CHUNKS_H
#define AP_FORMATS_CHUNKS_H

#include "base/input.h"

/* How a format arranges its chunks. */
typedef struct ap_chunk_layout ap_chunk_layout;
/* Of the file that starts with these 8 bytes; NULL: it has no chunks. */
const ap_chunk_layout *ap_chunk_layout_of(const unsigned char *magic);

/* Whether programs that do not know a size write this one, of 32 bits. */
bool ap_chunk_size_unknown(uint64_t size);

/* What comes after the sound. */
typedef enum ap_behind {
    AP_BEHIND_NOTHING, /* the end, padding, chunks, or a tag */
    AP_BEHIND_FILE,    /* another file */
    AP_BEHIND_SOUND    /* none of these: so it is sound, too */
} ap_behind;
/* Looks at what comes after that many bytes (at most 8). layout may be NULL. */
ap_behind ap_chunks_behind(ap_input *in, const ap_chunk_layout *layout, unsigned pad);
/* The size of sound that is here and goes to the end of the file, less the chunks that may stand there: known
 * ones that go on to the very end. Seekable input; the position does not change. */
uint64_t ap_chunks_rest(ap_input *in, const ap_chunk_layout *layout);
/* The same in a pipe, as far as it can be told: how many of the next bytes are sound of a size that is not
 * known and that began at start. They are here already, unless a chunk begins that may be the first of the
 * last 64 KiB, which are waited for then. 0 at the end, -1 on error. */
ptrdiff_t ap_chunks_sound_ahead(ap_input *in, const ap_chunk_layout *layout, uint64_t start, ap_error *err);
/* The size of sound that is here and declared to have that many bytes of a known rest: more, if it goes on
 * behind them. wraps: only the low 32 bits of the size are known. Seekable input; the position does not
 * change. */
uint64_t ap_chunks_true_size(ap_input *in, const ap_chunk_layout *layout, uint64_t declared, bool wraps);

/* Bytes of a file that a library has to see changed: sizes that were not known when they were written. */
typedef struct ap_chunk_patch {
    uint64_t at; /* position in the input */
    size_t size;
    unsigned char bytes[8];
} ap_chunk_patch;

typedef struct ap_chunks {
    ap_chunk_patch patches[2];
    size_t patch_count;
    bool longer;      /* than the headers say, which is worth a warning */
    uint64_t another; /* position of another file behind this one, 0 = none */
    /* Where libsndfile wrote to a pipe, the header is repeated before and behind the sound: position of the
     * second, which counts; 0 = it is not repeated. */
    uint64_t again;
    uint64_t frames;        /* from a fact chunk, AP_UNKNOWN if there is none */
    uint64_t data_start;    /* position of the sound, 0 if it was not found */
    uint64_t data_size;     /* the true one */
    bool too_long;          /* the library cannot be told: its sizes have 32 bits */
    unsigned char comm[22]; /* what AIFF says of its samples: a COMM chunk */
    size_t comm_size;
} ap_chunks;
/* Fails when the samples that the headers of an AIFF, CAF, W64, WAV or AU file declare are not all there.
 * Collects ID3 tags in chunks. The position does not change. */
bool ap_chunks_check(ap_input *in, ap_chunks *found, ap_tags *tags, ap_error *err);

#endif
