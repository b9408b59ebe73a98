/* SPDX-License-Identifier: GPL-3.0-or-later
 * demix.h - a network applied to a stream of any length in chunks, as Music-Source-Separation-Training does
 * it. */
#ifndef NN_DEMIX_H
#define NN_DEMIX_H

#include "plugins/neural/nets/network.h"

/* Takes s over, of the network's rate and channels. Reads it to its end first. Gives a stream with the
 * channels of the first wanted stem, then those of the next... The network stays the caller's, and has to
 * outlive the stream. */
ap_stream *nn_demix(ap_stream *s, nn_network *network, const ap_separate_options *options,
                    const bool wanted[AP_MAX_STEMS], ap_error *err);

#endif
