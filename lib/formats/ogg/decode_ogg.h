/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode_ogg.h - Ogg Vorbis, Opus and FLAC to a stream. */
#ifndef AP_FORMATS_OGG_DECODE_OGG_H
#define AP_FORMATS_OGG_DECODE_OGG_H

#include "base/input.h"

/* Sets *unsupported when the file is to be tried with libav; then in is not taken over, and *no_flag is
 * whether the end of the file does not say that it is one. */
ap_stream *ap_ogg_open(ap_input *in, unsigned track, bool *unsupported, bool *no_flag, ap_error *err);

#endif
