/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * av_container.h - containers that libav reads, over an input. */
#ifndef AP_AV_CONTAINER_H
#define AP_AV_CONTAINER_H

#include "base/input.h"
#include "base/picture_type.h"

#include <libavformat/avformat.h>

/* A container over an input. error is AP_OK until reading the input fails. */
typedef struct ap_av_source {
    ap_input *in;
    uint64_t base;           /* where the file begins in the input */
    uint64_t end;            /* and ends for libav, 0 = with the input */
    ap_picture_type picture; /* what it is, if it is a picture */
    ap_error error;
    bool no_length;  /* what the header has in its place is none */
    bool keep_edits; /* libav is to follow the edit lists of MP4, which edits.c reads otherwise */
    AVFormatContext *container;
} ap_av_source;

/* Opens the container; in is not taken over. On failure nothing is left open. */
bool ap_av_source_open(ap_av_source *source, ap_input *in, ap_error *err);
void ap_av_source_close(ap_av_source *source);
/* Whether libav knows the container by that name, one of several: "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm".
 */
bool ap_av_source_is(const ap_av_source *source, const char *format);
/* The audio stream to play; NULL when there is none that can be played. */
AVStream *ap_av_source_track(ap_av_source *source, unsigned track, ap_error *err);

/* Warns of WavPack's lossless half, which libav does not read, if it lies beside the file. */
void ap_av_note_correction(ap_stream *s, const AVStream *st);

/* Stops what libav prints; it has only one log, for the whole process. */
void ap_av_be_quiet(void);

#endif
