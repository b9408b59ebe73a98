/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tag_end.h - tags at the end of a file, and another file there. */
#ifndef AP_AV_TAG_END_H
#define AP_AV_TAG_END_H

#include "base/input.h"

/* Where the tags at the end begin (ID3v1, APEv2); the size of the input if there are none. Moves the input.
 */
uint64_t ap_av_before_tags(ap_input *in, uint64_t start);
/* Where the first bytes of the file come again, for formats whose ends tell nothing but whose starts are long
 * enough to be no accident: NUT, WTV, IRCAM... 0 = they do not. Moves the input. */
uint64_t ap_av_end_at_start(ap_input *in, uint64_t start);

/* Where a file ends, for the formats whose next header libav would take for sound, or for more packets of the
 * first one. 0: nothing has to be hidden. Moves the input. */
uint64_t ap_av_hidden_end(ap_input *in, uint64_t start);
/* Whether what libav calls its format is one of these. */
bool ap_av_hides_end(const char *format);

#endif
