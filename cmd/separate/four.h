/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * four.h - the four stems of a .stem.mp4 file. */
#ifndef FOUR_H
#define FOUR_H

#include "separate/asked.h"

typedef struct four {
    ap_stem_mix mixes[1 + AP_STEM_FILE_STEMS]; /* the whole first */
    char names[AP_STEM_FILE_STEMS][64];
} four;

/* Four --mix; or drums, bass, other with all the rest, vocals; or the four that there are. AP_USAGE if there
 * are none of these. */
bool four_of(four *f, const asked *all, const asked_options *options, const ap_separator *separator,
             ap_error *err);

#endif
