/* SPDX-License-Identifier: GPL-3.0-or-later
 * half.h - IEEE 754 binary16. */
#ifndef NN_HALF_H
#define NN_HALF_H

#include <stdint.h>
#include <string.h>

/* Of a finite number: its fields moved to binary32, and the exponent's bias corrected (127 - 15 = 112). */
static inline __attribute__((always_inline)) float nn_of_half(uint32_t h)
{
    uint32_t bits = (h & 0x7fff) << 13;
    float f;
    memcpy(&f, &bits, sizeof f);
    f *= 0x1p112f;
    memcpy(&bits, &f, sizeof bits);
    bits |= (h & 0x8000) << 16;
    memcpy(&f, &bits, sizeof f);
    return f;
}

#endif
