/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * decode_sndfile.h - files that libsndfile reads, as a stream. */
#ifndef AP_FORMATS_DECODE_SNDFILE_H
#define AP_FORMATS_DECODE_SNDFILE_H

#include "base/input.h"

/* Sets *unsupported when the file is to be tried with libav; then in is not taken over. */
ap_stream *ap_sndfile_open(ap_input *in, bool *unsupported, ap_error *err);

#endif
