/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stitch.h - what stitch.c asks of the libav plugin. */
#ifndef AP_STITCH_H
#define AP_STITCH_H

#include "internal.h"

typedef struct ap_stitch_job {
    ap_stream *audio; /* NULL: none. The plugin takes it over. */
    const char *const *images;
    size_t count;
    const ap_stitch_options *options; /* checked; the format is one of those there are */
} ap_stitch_job;

#define AP_STITCH_PLUGIN "av.so"
#define AP_STITCH_RUN "ap_av_stitch"
/* Writes all of the video to out, which is seekable, but does not commit it. */
typedef bool ap_stitch_run_fn(const ap_stitch_job *job, ap_output *out, ap_error *err);

#endif
