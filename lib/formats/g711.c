/* SPDX-License-Identifier: GPL-3.0-or-later
 * g711.c - ITU-T G.711 (11/88): eight segments, each with steps twice as wide as those of the one before. A
 * code is a sign, three bits of segment and four of step; tables 1 and 2 of the Recommendation. */
#include "formats/g711.h"

#define MULAW_BIAS 0x84 /* 33, in 14 bits, which makes all segments alike */
#define MULAW_MAX 32635 /* the largest that the bias leaves within 16 bits */

/* The number of the highest bit. */
static int highest(unsigned x)
{
    return 31 - __builtin_clz(x);
}

int16_t ap_mulaw_decode(unsigned char code)
{
    unsigned c = code ^ 0xffu, segment = c >> 4 & 7; /* all bits are sent inverted */
    int magnitude = (int)(((c & 15) << 3 | MULAW_BIAS) << segment) - MULAW_BIAS;
    return (int16_t)(c & 0x80 ? -magnitude : magnitude);
}

unsigned char ap_mulaw_encode(int16_t sample)
{
    int magnitude = sample < 0 ? -(int)sample : sample;
    unsigned biased = (unsigned)(magnitude > MULAW_MAX ? MULAW_MAX : magnitude) + MULAW_BIAS;
    int segment = highest(biased) - 7;
    unsigned code = (sample < 0 ? 0x80u : 0) | (unsigned)segment << 4 | (biased >> (segment + 3) & 15);
    return (unsigned char)(code ^ 0xff);
}

int16_t ap_alaw_decode(unsigned char code)
{
    unsigned c = code ^ 0x55u, segment = c >> 4 & 7; /* the even bits are sent inverted */
    int magnitude = (int)((c & 15) << 4 | 8);
    if (segment)
        magnitude = (magnitude + 0x100) << (segment - 1);
    return (int16_t)(c & 0x80 ? magnitude : -magnitude);
}

unsigned char ap_alaw_encode(int16_t sample)
{
    unsigned magnitude =
        (unsigned)(sample < 0 ? ~(int)sample : sample); /* the steps lie on both sides alike */
    int segment = magnitude < 0x100 ? 0 : highest(magnitude) - 7;
    unsigned step = magnitude >> (segment ? segment + 3 : 4) & 15;
    unsigned code = (sample < 0 ? 0 : 0x80u) | (unsigned)segment << 4 | step;
    return (unsigned char)(code ^ 0x55);
}
