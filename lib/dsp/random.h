/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * random.h - numbers that look random, the same on every machine. */
#ifndef AP_DSP_RANDOM_H
#define AP_DSP_RANDOM_H

#include <stdint.h>

/* SplitMix64 (Steele, Lea, Flood 2014): the next number of a sequence. Any state is good, sequences from
 * different ones are independent; so one number from each is a good hash of them. */
#define AP_RANDOM_STEP 0x9e3779b97f4a7c15u

/* The number that belongs to a state that has made its step. */
static inline uint64_t ap_random_at(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline uint64_t ap_random(uint64_t *state)
{
    return ap_random_at(*state += AP_RANDOM_STEP);
}

#endif
