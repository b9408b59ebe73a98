/* SPDX-License-Identifier: GPL-3.0-or-later
 * track.h - a whole track in a temporary file, for models that have to see all of it. */
#ifndef NN_TRACK_H
#define NN_TRACK_H

#include "audiopipe.h"

typedef struct nn_track {
    int fd; /* frames, interleaved */
    int channels;
    int64_t frames;
    double sum, squares; /* of the means of all channels */
} nn_track;

/* An empty one. false: no temporary file, and err says why. */
bool nn_track_open(nn_track *t, int channels, ap_error *err);
void nn_track_close(nn_track *t);
/* Reads the stream to its end. What is no number becomes silence. */
bool nn_track_store(nn_track *t, ap_stream *s, ap_error *err);
/* Frames from..from + count, which may lie outside of the track: there is silence. */
bool nn_track_load(const nn_track *t, int64_t from, int64_t count, float *frames, ap_error *err);

#endif
