/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * quantize.h - floats to integers. */
#ifndef AP_FORMATS_QUANTIZE_H
#define AP_FORMATS_QUANTIZE_H

#include "audiopipe.h"

typedef struct ap_quantizer ap_quantizer;

/* bits: 8..32. AP_DITHER_AUTO is about 16 bits and fewer. NULL on failure. */
ap_quantizer *ap_quantizer_new(uint32_t channels, unsigned bits, ap_dither dither, uint64_t seed,
                               ap_error *err);
void ap_quantizer_free(ap_quantizer *q);
/* The integers of that many frames, -2^(bits-1) .. 2^(bits-1)-1; what is beyond is clamped. */
void ap_quantize(ap_quantizer *q, const float *in, int32_t *out, size_t frames);

#endif
