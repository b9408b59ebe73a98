/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * combine.h - several signals side by side in the channels of one stream: with C channels each, stem i has
 * the channels i * C to i * C + C - 1. */
#ifndef AP_STEMS_H
#define AP_STEMS_H

#include "audiopipe.h"

/* A stream of count stems, each a sum of the stems of s: gains[count][stems of s]. Stems have channels
 * channels of the given mask, which the result has if count is 1. */
ap_stream *ap_combine(ap_stream *s, uint32_t channels, uint32_t mask, const float *gains, uint32_t count,
                      ap_error *err);

#endif
