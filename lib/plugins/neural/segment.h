/* SPDX-License-Identifier: GPL-3.0-or-later
 * segment.h - networks applied to a stream of any length: statistics, segments, overlap-add, shifts, bags. */
#ifndef NN_SEGMENT_H
#define NN_SEGMENT_H

#include "plugins/neural/files/bag.h"
#include "plugins/neural/nets/network.h"

#define NN_DEFAULT_OVERLAP 0.25 /* of segments, as in the original */

/* Takes s over, of the networks' rate and channels. Reads it to its end first. Gives a stream with the
 * channels of the first wanted stem, then those of the next... weights[network][stem] are the bag's. The
 * networks stay the caller's, and have to outlive the stream. */
ap_stream *nn_separate(ap_stream *s, nn_network *const *networks, size_t count,
                       const double weights[][NN_MAX_STEMS], const ap_separate_options *options,
                       const bool wanted[AP_MAX_STEMS], ap_error *err);

#endif
