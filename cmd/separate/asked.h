/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * asked.h - what can be asked of a separator: its stems, no_STEM for each, and mixes of them. */
#ifndef ASKED_H
#define ASKED_H

#include <audiopipe.h>

#define MAX_MIXES 16

typedef struct asked_options {
    const char *two_stems; /* only this one and its rest; NULL: all */
    bool rest_minus;       /* no_STEM is the mix without STEM, not the sum of the others */
    bool residual;         /* what no part has belongs to 'other' */
    const char *mixes[MAX_MIXES];
    size_t mix_count;
} asked_options;

/* In this order: the stems that are the mix taken apart, then the mixes: these are written into folders;
 * then the other stems, and no_STEM of each. */
typedef struct asked {
    size_t count, in_folder;
    struct {
        char name[160];
        ap_stem_mix mix;
    } list[2 * AP_MAX_STEMS + MAX_MIXES];
} asked;

bool asked_of(asked *a, const ap_separator *separator, const asked_options *options, ap_error *err);

#endif
