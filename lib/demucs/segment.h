/* SPDX-License-Identifier: GPL-3.0-or-later
 * segment.h - networks applied to a stream of any length: statistics, segments, overlap-add, shifts, bags. */
#ifndef DM_SEGMENT_H
#define DM_SEGMENT_H

#include "bag.h"
#include "network.h"

/* Takes s over, of the networks' rate and channels. Reads it to its end first. Gives a stream with the
 * channels of the first wanted stem, then those of the next... weights[network][stem] are the bag's. The
 * networks stay the caller's, and have to outlive the stream. */
ap_stream *dm_separate(ap_stream *s, dm_network *const *networks, size_t count,
                       const double weights[][DM_MAX_STEMS], const ap_separate_options *options,
                       const bool wanted[AP_MAX_STEMS], ap_error *err);

#endif
