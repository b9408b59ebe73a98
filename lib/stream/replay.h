/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * replay.h - frames parked in an unlinked temporary file, for stages that must see everything first. */
#ifndef AP_STREAM_REPLAY_H
#define AP_STREAM_REPLAY_H

#include "audiopipe.h"

/* Reads the whole of s, closes it, and returns an equal stream that starts from the beginning, of known
 * length. visit, if not NULL, sees each block on the way. */
typedef void ap_visit_fn(void *user, const float *frames, size_t count);
ap_stream *ap_replay(ap_stream *s, ap_visit_fn *visit, void *user, ap_error *err);
/* Makes a stream that ap_replay returned start from the beginning again. */
bool ap_replay_rewind(ap_stream *replay, ap_error *err);

#endif
