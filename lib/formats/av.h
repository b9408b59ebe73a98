/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * av.h - what the plugin on libav offers: sound that only libav reads, and videos. */
#ifndef AP_FORMATS_AV_H
#define AP_FORMATS_AV_H

#include "base/input.h"
#include "base/output.h"
#include "base/plugin.h"

struct ap_stitch_job; /* pictures/stitch.h */
struct ap_film_job;   /* pictures/film.h */

#define AP_AV_VERSION 5

typedef struct ap_av_plugin {
    ap_plugin_head head;
    /* Takes in over. Of the options, track and drc count here. */
    ap_stream *(*open)(ap_input *in, const ap_decode_options *options, ap_error *err);
    /* Writes all of the video to out, which is seekable, but does not commit it. */
    bool (*stitch)(const struct ap_stitch_job *job, ap_output *out, ap_error *err);
    /* Writes Stems of a stream of ten channels, which is taken over, to out, but does not commit it. */
    bool (*write_stems)(ap_stream *s, const ap_stem_file_options *options, ap_output *out, ap_error *err);
    /* Writes all of s as M4A, AAC or ALAC, to out, which is seekable; no tags but chapters. Neither is
     * closed. */
    bool (*encode)(ap_stream *s, ap_output *out, const ap_encode_options *options, bool lossless,
                   ap_error *err);
    /* Writes all of the film to out, which is seekable, but does not commit it. */
    bool (*film)(const struct ap_film_job *job, ap_output *out, ap_error *err);
} ap_av_plugin;

/* NULL if it is missing. */
static inline const ap_av_plugin *ap_av_load(ap_error *err)
{
    return (const ap_av_plugin *)ap_plugin_load("av.so", AP_AV_VERSION, sizeof(ap_av_plugin), err);
}

#endif
