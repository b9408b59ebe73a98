/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * av_details.h - what a container tells of itself and its tracks. */
#ifndef AP_AV_DETAILS_H
#define AP_AV_DETAILS_H

#include "plugins/av/av_container.h"

/* Notes it in the details of s. st is the track that is decoded, frames its length as headers tell it, delay
 * what they tell to skip of it; AP_UNKNOWN for either. */
void ap_av_note(ap_stream *s, const ap_av_source *source, const AVStream *st, uint64_t frames,
                uint64_t delay);

#endif
