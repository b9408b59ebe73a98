/* SPDX-License-Identifier: GPL-3.0-or-later
 * av.h - what the files of the libav plugin share. */
#ifndef AP_AV_H
#define AP_AV_H

#include "base/input.h"
#include "base/output.h"
#include "pictures/stitch.h"

#include <libavformat/avformat.h>

/* video.c: writes a video. */
bool ap_av_stitch(const struct ap_stitch_job *job, ap_output *out, ap_error *err);

/* stem_file.c: the tracks and the text of Stems, of a stream of ten channels, which is taken over. */
bool ap_av_write_stems(ap_stream *s, const ap_stem_file_options *options, ap_output *out, ap_error *err);

/* av_container.c: a container over an input. error is AP_OK until reading the input fails. */
typedef struct ap_av_source {
    ap_input *in;
    uint64_t base; /* where the file begins in the input */
    ap_error error;
    AVFormatContext *container;
} ap_av_source;

/* Opens the container; in is not taken over. On failure nothing is left open. */
bool ap_av_source_open(ap_av_source *source, ap_input *in, ap_error *err);
void ap_av_source_close(ap_av_source *source);
/* The audio stream to play; NULL when there is none that can be played. */
AVStream *ap_av_source_track(ap_av_source *source, unsigned track, ap_error *err);

/* Warns of WavPack's lossless half, which libav does not read, if it lies beside the file. */
void ap_av_note_correction(ap_stream *s, const AVStream *st);

/* Stops what libav prints; it has only one log, for the whole process. */
void ap_av_be_quiet(void);

/* av_details.c: what the container tells of all its tracks; st is the one that is decoded. frames:
 * AP_UNKNOWN, or its length as headers tell it, delay likewise. */
void ap_av_note(ap_stream *s, const ap_av_source *source, const AVStream *st, uint64_t frames,
                uint64_t delay);

/* av_tags.c */
ap_tags *ap_av_tags(const ap_av_source *source, const AVStream *stream);
/* ape_tags.c: adds the tags of a file that begins at start, all values. The position changes. */
void ap_ape_tags(ap_input *in, uint64_t start, ap_tags *tags);
/* matroska_tags.c: those of the whole file. */
void ap_matroska_tags(ap_input *in, uint64_t start, ap_tags *tags);
/* Adds one more value under our name for libav's. */
void ap_av_add_tag(ap_tags *tags, const char *key, const char *value);
/* libav's name of a tag of ours. */
const char *ap_av_tag_name(const char *key);

#endif
