/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * behind.h - what stands behind the sound of a file that libav reads. */
#ifndef AP_AV_BEHIND_H
#define AP_AV_BEHIND_H

#include "plugins/av/av_container.h"

/* Whether another file stands behind the end that the headers of this one tell. read: where the last packet
 * ends that libav has read, in the file: it may know better. Moves the input. */
bool ap_av_goes_on(const ap_av_source *source, uint64_t read);

#endif
