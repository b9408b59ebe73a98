/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kweighting.h - how much each channel counts for loudness, here and in libebur128. */
#ifndef AP_STREAM_KWEIGHTING_H
#define AP_STREAM_KWEIGHTING_H

#include "audiopipe.h"

#include <ebur128.h>

/* weights[c]: what the energy of channel c counts for (BS.1770-4, table 3); 0 for LFE. */
void ap_kweighting_weights(const ap_format *format, double *weights);
/* mode: EBUR128_MODE_M and what else is asked. NULL when out of memory; to be freed by ebur128_destroy. */
ebur128_state *ap_kweighting_new(const ap_format *format, int mode);

#endif
