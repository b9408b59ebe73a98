/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * declared.h - where the sound of old formats ends by their own headers, which libsndfile does not ask. */
#ifndef AP_FORMATS_DECLARED_H
#define AP_FORMATS_DECLARED_H

#include "base/input.h"

/* Where the file that begins here ends: VOC, NIST SPHERE, 8SVX. 0: it does not tell, or it is another format.
 * Seekable input; the position does not change. */
uint64_t ap_declared_end(ap_input *in);

#endif
