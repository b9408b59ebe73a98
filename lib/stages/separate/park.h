/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * park.h - a stream that several others read: parked in an unlinked temporary file; and several streams as
 * one.
 */
#ifndef AP_SEPARATE_PARK_H
#define AP_SEPARATE_PARK_H

#include "audiopipe.h"

typedef struct ap_parked ap_parked;

/* Reads s to its end, and closes it. Asks options->progress on the way. NULL on failure, and for NULL. */
ap_parked *ap_park(ap_stream *s, const ap_separate_options *options, ap_error *err);
/* A stream of some of its channels, from the beginning. It outlives the parked one. */
ap_stream *ap_parked_stream(ap_parked *parked, uint32_t first, uint32_t channels, ap_error *err);
/* Takes NULL. */
void ap_parked_free(ap_parked *parked);

/* The channels of all streams side by side, with name and tags of the first. They have the same length. Takes
 * them over, also on failure; a NULL among them gives NULL. */
ap_stream *ap_gather(ap_stream **streams, size_t count, ap_error *err);

#endif
