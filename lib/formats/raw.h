/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * raw.h - PCM without a header, as sox's -t raw and ffmpeg's -f s16le have it. */
#ifndef AP_FORMATS_RAW_H
#define AP_FORMATS_RAW_H

#include "formats/pcm.h"

/* The sample format of this name: u8, s16le, f32be, mulaw... Without "le" or "be" it is little-endian. */
bool ap_raw_type(const char *name, ap_pcm *type, bool *big_endian);
/* A decoder for input that is what ap_decode_options.raw says. Takes in over, also on failure. */
ap_stream *ap_raw_open(ap_input *in, const char *raw, ap_error *err);

#endif
