/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kweighting.h - libebur128 told what the channels of a stream are, for all that show loudness. */
#ifndef AP_STREAM_KWEIGHTING_H
#define AP_STREAM_KWEIGHTING_H

#include "audiopipe.h"

#include <ebur128.h>

/* mode: EBUR128_MODE_M and what else is asked. NULL when out of memory; to be freed by ebur128_destroy. */
ebur128_state *ap_kweighting_new(const ap_format *format, int mode);

#endif
