/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mirror.h - series continued by mirrors at their ends. */
#ifndef AP_DSP_MIRROR_H
#define AP_DSP_MIRROR_H

#include <stdint.h>

/* Where slot (or bin) number i is found when a series of n, n > 0, is continued by mirrors at its ends: half
 * samples, d c b a | a b c d | d c b a, as often as it takes. */
uint64_t ap_mirror(int64_t i, uint64_t n);

#endif
