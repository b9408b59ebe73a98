/* SPDX-License-Identifier: GPL-3.0-or-later
 * SplitMix64 against what its authors' code prints (prng.di.unimi.it/splitmix64.c). */
#include "dsp/random.h"
#include "test.h"

static void published_numbers(void)
{
    uint64_t state = 0;
    CHECK(ap_random(&state) == 0xe220a8397b1dcdafu);
    CHECK(ap_random(&state) == 0x6e789e6aa1b965f4u);
    CHECK(ap_random(&state) == 0x06c45d188009454fu);
}

static void bits_are_fair(void)
{
    enum { COUNT = 4096 };
    int ones[64] = {0};
    for (uint64_t seed = 0; seed < COUNT; seed++) {
        uint64_t state = seed, number = ap_random(&state);
        for (int bit = 0; bit < 64; bit++)
            ones[bit] += number >> bit & 1;
    }
    for (int bit = 0; bit < 64; bit++)
        CHECK_NEAR(ones[bit], COUNT / 2, 5 * sqrt(COUNT) / 2); /* five standard deviations */
}

TEST_MAIN(CASE(published_numbers), CASE(bits_are_fair))
