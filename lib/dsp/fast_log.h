/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fast_log.h - logarithms and powers of two for loops over spectra: plain arithmetic that compilers
 * vectorize, and the same bits on every machine, where libm's are exact but neither. */
#ifndef AP_DSP_FAST_LOG_H
#define AP_DSP_FAST_LOG_H

#include <stdint.h>
#include <string.h>

/* log2(x) for normal x > 0, within 0.0002. The mantissa's part is the polynomial that is exact at 1 and 2 and
 * nearest in between. */
static inline float ap_fast_log2(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    float exponent = (float)((int32_t)(bits >> 23) - 127), m;
    bits = (bits & 0x007fffffu) | 0x3f800000u;
    memcpy(&m, &bits, sizeof m);
    m -= 1;
    return exponent + m * (1.4387253f + m * (-0.6777820f + m * (0.3211860f - m * 0.0821293f)));
}

/* 2^x within 0.02 %, for x from -126 to 126. */
static inline float ap_fast_exp2(float x)
{
    int32_t whole = (int32_t)(x + 127) - 127; /* x + 127 is positive: rounded down */
    float f = x - (float)whole, scale;
    uint32_t bits = (uint32_t)(whole + 127) << 23;
    memcpy(&scale, &bits, sizeof scale);
    return scale * (1 + f * (0.6954243f + f * (0.2263077f + f * 0.0782680f)));
}

#endif
