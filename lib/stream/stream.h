/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stream.h - what stages are made of. */
#ifndef AP_STREAM_STREAM_H
#define AP_STREAM_STREAM_H

#include "audiopipe.h"
#include "stream/details.h"

/* Frames that a stage asks its source for at a time: big enough to amortise calls, small enough for the
 * cache. */
#define AP_BLOCK 4096

/* Samples beyond this are garbage, like NaN and Inf: no recording is 240 dB above full scale. */
#define AP_SANE_MAX 0x1p40f

/* What a stage implements. read has the contract of ap_read, but it is never called again after it returned
 * 0 or -1, and need not check the length: ap_read holds the stream to format.frames. */
typedef struct ap_stream_ops {
    ptrdiff_t (*read)(ap_stream *s, float *frames, size_t max, ap_error *err);
    void (*close)(void *state);               /* frees state, not the source; may be NULL */
    bool (*end)(ap_stream *s, ap_error *err); /* told once that the stream has ended; may be NULL */
} ap_stream_ops;

struct ap_stream {
    const ap_stream_ops *ops;
    void *state;
    ap_stream *source; /* NULL for a decoder */
    ap_format format;
    ap_tags *tags;       /* NULL: the source's */
    char *name;          /* subject of messages; NULL: the source's */
    ap_details *details; /* of a decoder, may be NULL */
    uint64_t position;   /* frames read so far */
    bool ended;
    bool failed;
    ap_error error;
    enum { AP_NO_WARNING, AP_WARNING_NEW, AP_WARNING_GIVEN } warning;
    char warning_text[512];
};

/* The constructors, these and those of processor.h and stft.h, take over what they are given, also when they
 * fail: then it is closed, once, and they return NULL. A source or a state that could not be made may be
 * passed as it is, as NULL (a state, if ops->close says that there is one): that is a failure whose err is
 * filled already. So a stage ends with
 *     return ap_stream_wrap(s, &ops, make_state(...), NULL, err);
 * The format is copied and checked. */

/* A stream without a source, like a decoder's. name (NULL: none) is the subject of messages and is copied;
 * tags (NULL: none) are taken over. */
ap_stream *ap_stream_new(const ap_stream_ops *ops, void *state, const ap_format *format, const char *name,
                         ap_tags *tags, ap_error *err);
/* A stage on a source. format NULL: the source's. */
ap_stream *ap_stream_wrap(ap_stream *source, const ap_stream_ops *ops, void *state, const ap_format *format,
                          ap_error *err);
/* Gives a stream a name and tags, as above, instead of those that it has. Returns s; on failure, and for
 * NULL, NULL. */
ap_stream *ap_stream_describe(ap_stream *s, const char *name, ap_tags *tags, ap_error *err);
const char *ap_stream_name(const ap_stream *s);
/* Keeps the first warning of a stage, later ones are dropped. */
void ap_warn(ap_stream *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The warning of decoders whose file goes on after the end that its header tells. */
void ap_warn_left_out(ap_stream *s);
/* That of those whose file should tell where it ends, and does not. */
void ap_warn_no_end(ap_stream *s);
/* Fills exactly max frames unless the stream ends before. Returns how many, -1 on error. */
ptrdiff_t ap_read_full(ap_stream *s, float *frames, size_t max, ap_error *err);
/* Replaces NaN, Inf and samples beyond AP_SANE_MAX by 0; returns how many. */
size_t ap_sanitize(float *samples, size_t count);
/* The speaker on the other side (bits of a mask); a centre's is itself, and so is the LFE's. */
uint32_t ap_speaker_mirror(uint32_t speaker);
/* The number of the channel that belongs to a speaker of the mask. */
uint32_t ap_speaker_channel(uint32_t mask, uint32_t speaker);
/* The mask, with the only pair of surrounds at the back instead of the sides; the same, if channels would
 * change their places by it. */
uint32_t ap_back_mask(uint32_t mask);
/* Whether channels of the same number in both are of the same speakers; a pair of surrounds is the same at
 * the sides and at the back. */
bool ap_same_speakers(const ap_format *a, const ap_format *b);
/* As ap_remix, to any speakers that a mask names. */
ap_stream *ap_remix_to(ap_stream *s, uint32_t mask, ap_error *err);
/* a + b: AP_UNKNOWN if either is, or the sum is too large. */
uint64_t ap_frames_add(uint64_t a, uint64_t b);
/* Checks the rate and the number of channels; the message names whose they are. */
bool ap_check_format(const char *name, const ap_format *format, ap_error *err);

/* The name of a layout, as ap_layout_mask takes it: its own, or a list of speakers written to to. */
const char *ap_layout_name(uint32_t mask, char *to, size_t size);
/* Always the list: "FL+FR". Returns to. */
const char *ap_layout_list(uint32_t mask, char *to, size_t size);

/* ---- details */

/* For decoders: gives s details of which these are known. NULL, and no reason to fail, when out of memory or
 * s is NULL. */
ap_details *ap_stream_note(ap_stream *s, const char *format, const char *codec, unsigned bits);
/* Those of the decoder that s reads in the end; NULL: it noted none. They live as long as s does. */
const ap_details *ap_stream_details(const ap_stream *s);

#endif
