/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mp3.h - what the files of the MP3 encoder share: MP3 made by LAME in segments that are encoded side by
 * side and joined without a seam.
 *
 * A segment is a fixed number of MP3 frames; a fresh LAME encodes it. It starts with a few warm-up frames,
 * for the psychoacoustic model, whose bits are thrown away; an empty bit reservoir follows, then the overlap,
 * which the previous segment encodes too. Inside the overlap both encoders run into the same state, and the
 * join takes place at the last frame where the space that the one left suffices for the bits that the other
 * put ahead of its frame (main_data_begin). So no bits are lost at a join, and most frames are bit by bit
 * those of one LAME that encodes everything.
 */
#ifndef AP_MP3_H
#define AP_MP3_H

#include "audiopipe.h"

#include <lame/lame.h>

/* Stream frames (samples of one channel) in an MP3 frame: 1152 in MPEG-1, 576 in MPEG-2 and 2.5. */
#define AP_MP3_MAX_FRAME 1152
/* The largest MP3 frame: 320 kbit/s at 32 kHz, or 160 kbit/s at 16 kHz, and padding. */
#define AP_MP3_MAX_BYTES 1441

typedef struct ap_mp3_config {
    uint32_t rate, channels;
    size_t frame;       /* stream frames in an MP3 frame */
    int bitrate_kbps;   /* 0 = VBR */
    double vbr_quality; /* LAME's -V */
    int effort;         /* LAME's -q, < 0 = LAME's default */
    float scale;        /* makes up for the factor that LAME's presets put on the samples; 0 = 1 */
} ap_mp3_config;

/* ---- encode_mp3.c */

/* A new encoder. NULL on failure. tag: make a LAME tag. */
lame_t ap_mp3_lame(const ap_mp3_config *config, bool tag, ap_error *err);
/* Sets the scale. LAME multiplies the samples by what its preset for the bitrate says (presets.c,
 * apply_abr_preset: 0.95 up to 160 kbit/s) and by the scale that is set: the reciprocal keeps the level. */
bool ap_mp3_keep_level(ap_mp3_config *config, ap_error *err);
/* The legal bitrates in kbit/s of a sample rate, ascending, ended by 0; NULL when MP3 does not have the rate.
 */
const int *ap_mp3_bitrates(uint32_t rate);

/* ---- part.c: a run of MP3 frames in memory */

typedef struct ap_mp3_part {
    uint64_t first; /* number of its first MP3 frame in the whole file */
    size_t count;   /* MP3 frames */
    size_t limit;   /* of count */
    size_t *at;     /* count + 1 offsets into bytes */
    unsigned char *bytes;
    size_t size, capacity;
} ap_mp3_part;

/* Room for that many MP3 frames and what LAME wants free in addition. NULL when out of memory. */
ap_mp3_part *ap_mp3_part_new(uint64_t first, size_t frames);
void ap_mp3_part_free(ap_mp3_part *part);
/* Finds the MP3 frames in bytes; false unless there are exactly that many. */
bool ap_mp3_part_index(ap_mp3_part *part, size_t frames);
/* Chooses the MP3 frame, one of the first choices of after, with which the file changes over from before to
 * after, and moves the bits that lie ahead of it into before. Returns its number in the file. */
uint64_t ap_mp3_part_join(ap_mp3_part *before, const ap_mp3_part *after, size_t choices);
/* Offset of the main data in an MP3 frame: header and side information. */
size_t ap_mp3_main_data(const unsigned char *frame);

/* ---- pool.c: the segments and their threads */

typedef struct ap_mp3_pool ap_mp3_pool;

/* What the pool wants from its owner. */
typedef enum ap_mp3_wish {
    AP_MP3_INPUT,  /* there is room for AP_MP3_CHUNK MP3 frames' worth of samples */
    AP_MP3_OUTPUT, /* the next part is ready */
    AP_MP3_DONE,
    AP_MP3_FAILED,
} ap_mp3_wish;

/* MP3 frames of input that change hands at a time. */
#define AP_MP3_CHUNK 49
/* Frames of a part among which ap_mp3_part_join may choose. */
#define AP_MP3_CHOICES 21

/* config has to outlive the pool. NULL on failure. */
ap_mp3_pool *ap_mp3_pool_new(const ap_mp3_config *config, unsigned threads, ap_error *err);
/* Ends the threads; takes NULL. */
void ap_mp3_pool_free(ap_mp3_pool *pool);
/* Waits until there is something to do for the caller. Sets *input (where samples go, then call
 * ap_mp3_pool_put) or *output (the caller's now). */
ap_mp3_wish ap_mp3_pool_wait(ap_mp3_pool *pool, float **input, ap_mp3_part **output, ap_error *err);
/* Says that this many stream frames have been put in; fewer than a chunk = the end. */
void ap_mp3_pool_put(ap_mp3_pool *pool, size_t frames);

/* ---- lame_tag.c: the Xing, Info and LAME tag in the first MP3 frame */

/* Bytes at this many MP3 frames are remembered for the table of contents, at least half of them. */
#define AP_MP3_MARKS 1024

typedef struct ap_mp3_tag {
    unsigned char frame[2880]; /* LAME's MAXFRAMESIZE */
    size_t size;
    uint64_t frames, bytes; /* MP3 frames and bytes so far, bytes with the tag's own */
    uint16_t crc;           /* of all bytes after the tag */
    uint16_t crc_table[2][256];
    uint64_t marks[AP_MP3_MARKS], stride;
} ap_mp3_tag;

/* Makes the MP3 frame, with the right size, but nothing known yet. */
bool ap_mp3_tag_start(ap_mp3_tag *tag, const ap_mp3_config *config, ap_error *err);
/* Takes account of an MP3 frame. */
void ap_mp3_tag_add(ap_mp3_tag *tag, const unsigned char *frame, size_t size);
/* Fills in lengths, table of contents and checksums, for a stream of that many stream frames. */
void ap_mp3_tag_finish(ap_mp3_tag *tag, const ap_mp3_config *config, uint64_t frames);

#endif
