/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * riff.h - WAV, RF64 and Wave64 with linear PCM or MPEG audio. */
#ifndef AP_FORMATS_RIFF_H
#define AP_FORMATS_RIFF_H

#include "base/input.h"

/* Whether the first bytes of a WAV, RF64 or Wave64 file show linear PCM or MPEG audio, which ap_riff_open
 * reads. */
bool ap_riff_is_pcm(const unsigned char *bytes, size_t size);
ap_stream *ap_riff_open(ap_input *in, ap_error *err);

#endif
