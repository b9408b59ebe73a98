/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode_ogg.h - Ogg Vorbis, Opus and FLAC to a stream. */
#ifndef AP_FORMATS_OGG_DECODE_OGG_H
#define AP_FORMATS_OGG_DECODE_OGG_H

#include "base/input.h"

/* Sets *unsupported when the file is to be tried with libav; then in is not taken over. */
ap_stream *ap_ogg_open(ap_input *in, unsigned track, bool *unsupported, ap_error *err);

#endif
