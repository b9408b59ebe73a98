/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * behind.h - what stands behind the sound of a file that libav reads. */
#ifndef AP_AV_BEHIND_H
#define AP_AV_BEHIND_H

#include "plugins/av/av_container.h"

/* Whether another file stands behind the end that the headers of this one tell. read: where the last packet
 * ends that libav has read, in the file: it may know better. Moves the input. */
bool ap_av_goes_on(const ap_av_source *source, uint64_t read);
/* Where the first bytes of the file come again, for formats whose ends tell nothing but whose starts are long
 * enough to be no accident: NUT, WTV. 0 = they do not. Moves the input. */
uint64_t ap_av_end_at_start(ap_input *in, uint64_t start);

#endif
