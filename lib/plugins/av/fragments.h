/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fragments.h - fragmented MP4. */
#ifndef AP_AV_FRAGMENTS_H
#define AP_AV_FRAGMENTS_H

#include "plugins/av/boxes.h"

/* Where the track with this number ends, in units of its time scale; -1 when there are no fragments. libav
 * does not tell: it makes up the duration of the last sample. The position of the input changes. */
int64_t ap_av_fragments_end(ap_input *in, ap_box file, ap_box moov, uint32_t id);

#endif
