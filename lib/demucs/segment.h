/* SPDX-License-Identifier: GPL-3.0-or-later
 * segment.h - networks applied to a stream of any length: statistics, segments, overlap-add, shifts, bags. */
#ifndef DM_SEGMENT_H
#define DM_SEGMENT_H

#include "bag.h"
#include "network.h"

typedef struct dm_segment_options {
    double overlap;              /* of a segment, 0..0.99 */
    double segment_s;            /* 0 = the networks' own */
    unsigned shifts;             /* random shifts up to 0.5 s to average over; 0 = none */
    uint64_t seed;               /* of the shifts */
    bool wanted[DM_MAX_SOURCES]; /* the stems to give */
    bool mix;                    /* and the track itself, last */
} dm_segment_options;

/* Takes s over, of the networks' rate and channels. Reads it to its end first. Gives a stream with the
 * channels of the first wanted stem, then those of the next... weights[network][stem] are the bag's. The
 * networks stay the caller's, and have to outlive the stream. */
ap_stream *dm_separate(ap_stream *s, dm_network *const *networks, size_t count,
                       const double weights[][DM_MAX_STEMS], const dm_segment_options *options,
                       ap_error *err);

#endif
