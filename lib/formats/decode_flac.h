/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode_flac.h - FLAC, also in Ogg, to a stream. */
#ifndef AP_FORMATS_DECODE_FLAC_H
#define AP_FORMATS_DECODE_FLAC_H

#include "base/input.h"

/* Takes in over, also on failure. */
ap_stream *ap_flac_open(ap_input *in, bool ogg, ap_error *err);

#endif
