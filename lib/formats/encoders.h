/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * encoders.h - the encoders of the file formats: pull the stream until its end and write it. The caller has
 * checked that the format holds rate, channels and options, closes the stream and commits the output. The
 * tags are those of the stream. No sample is beyond full scale, except for formats of floats. */
#ifndef AP_FORMATS_ENCODERS_H
#define AP_FORMATS_ENCODERS_H

#include "base/output.h"

typedef bool ap_encode_fn(ap_stream *s, ap_output *out, const ap_encode_options *options, ap_error *err);
ap_encode_fn ap_encode_mp3, ap_encode_flac, ap_encode_wav, ap_encode_aiff, ap_encode_ogg, ap_encode_opus,
    ap_encode_au, ap_encode_m4a, ap_encode_alac, ap_encode_raw;

/* The sample rate that MP3 has instead of this one: the next higher one, else the highest. */
uint32_t ap_mp3_rate(uint32_t rate);
/* The same of AAC. */
uint32_t ap_aac_rate(uint32_t rate);

#endif
