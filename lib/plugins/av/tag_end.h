/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tag_end.h - tags at the end of a file. */
#ifndef AP_AV_TAG_END_H
#define AP_AV_TAG_END_H

#include "base/input.h"

/* Where the tags at the end begin (ID3v1, APEv2); the size of the input if there are none. Moves the input.
 */
uint64_t ap_av_before_tags(ap_input *in, uint64_t start);
/* Where the first bytes of the file come again, for formats whose ends tell nothing but whose starts are long
 * enough to be no accident: NUT, WTV. 0 = they do not. Moves the input. */
uint64_t ap_av_end_at_start(ap_input *in, uint64_t start);

#endif
