/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tally.h - what measurements of several streams add up to. */
#ifndef AP_STAGES_TALLY_H
#define AP_STAGES_TALLY_H

#include "audiopipe.h"
#include "dsp/histogram.h"

typedef struct ap_tally {
    ap_histogram blocks, windows; /* of 0.4 s, for the integrated loudness; of 3 s, for the range */
    double square_sum;
    uint64_t samples;
    ap_measurement result; /* all but what follows from the above */
} ap_tally;

/* The result, with what follows from the sums. */
ap_measurement ap_tally_complete(const ap_tally *t);
/* Adds what was played after it. */
void ap_tally_join(ap_tally *t, const ap_tally *more);
/* As bytes for another process on this machine, malloc'ed. NULL when out of memory. */
unsigned char *ap_tally_pack(const ap_tally *t, size_t *size);
/* false if these are no such bytes. */
bool ap_tally_unpack(ap_tally *t, const unsigned char *bytes, size_t size);

#endif
