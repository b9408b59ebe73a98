/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * m4a.h - a stream to M4A. */
#ifndef AP_PLUGINS_AV_M4A_H
#define AP_PLUGINS_AV_M4A_H

#include "base/output.h"

/* As encode in formats/av.h. */
bool ap_av_encode(ap_stream *s, ap_output *out, const ap_encode_options *options, bool lossless,
                  ap_error *err);

#endif
