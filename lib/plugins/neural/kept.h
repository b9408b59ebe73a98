/* SPDX-License-Identifier: GPL-3.0-or-later
 * kept.h - what a network gave so far, in a file, for a separation that may be interrupted. */
#ifndef NN_KEPT_H
#define NN_KEPT_H

#include "plugins/neural/track.h"

#define NN_KEPT_TEXT 1024

typedef struct nn_kept nn_kept;

/* Opens or makes the file, whose text says what it belongs to: another text, or another process that has it
 * open, is an error. NULL on failure. */
nn_kept *nn_kept_open(const char *path, const char *text, ap_error *err);
/* Leaves the file there. Takes NULL. */
void nn_kept_close(nn_kept *k);
/* The next result, if it is there: count floats that were put under this tag. Results are taken and put in
 * the same order every time; what is broken, as by a kill, is not there. Takes NULL, which has none. */
bool nn_kept_take(nn_kept *k, uint64_t tag, float *result, size_t count);
/* Adds one after those that were taken. Does nothing for NULL. */
bool nn_kept_put(nn_kept *k, uint64_t tag, const float *result, size_t count, ap_error *err);

/* Writes what a track is to text (frames and checksum). */
bool nn_kept_describe(const nn_track *t, char *text, size_t size, ap_error *err);
/* The checksum of a file, and its size; "" if it cannot be read. */
void nn_kept_file(const char *path, char *text, size_t size);

#endif
