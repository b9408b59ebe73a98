/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stitch.h - what stitch.c asks of the libav plugin. */
#ifndef AP_STITCH_H
#define AP_STITCH_H

#include "pictures/lettering.h"

typedef struct ap_stitch_job {
    ap_stream *audio; /* NULL: none. The plugin takes it over. */
    const char *const *images;
    size_t count;
    ap_letter_fn *letter;             /* NULL: there are no words */
    const ap_stitch_options *options; /* checked; the format is one of those there are */
} ap_stitch_job;

#endif
