/* SPDX-License-Identifier: GPL-3.0-or-later
 * What channels count for loudness: BS.1770-4, table 3. */
#include "stream/kweighting.h"
#include "test.h"

#define RATE 48000

/* Loudness of noise in one channel alone, in LUFS; -HUGE_VAL if it counts for nothing. */
static double loudness(uint32_t channels, uint32_t mask, uint32_t alone)
{
    static float frames[16 * RATE];
    const ap_format format = {.rate = RATE, .channels = channels, .mask = mask};
    ebur128_state *meter = ap_kweighting_new(&format, EBUR128_MODE_I);
    uint32_t seed = 1;
    double lufs;
    if (!CHECK(meter))
        return 0;
    memset(frames, 0, sizeof frames);
    for (uint32_t i = 0; i < RATE; i++) {
        seed = seed * 1664525u + 1013904223u;
        frames[i * channels + alone] = 0.25f * ((float)(seed >> 8) / 8388608.0f - 1);
    }
    ebur128_add_frames_float(meter, frames, RATE);
    ebur128_loudness_global(meter, &lufs);
    ebur128_destroy(&meter);
    return lufs;
}

static void check_weights(uint32_t channels, uint32_t mask, const double *db)
{
    const double front = loudness(channels, mask, 0);
    for (uint32_t c = 0; c < channels; c++) {
        double lufs = loudness(channels, mask, c);
        if (db[c] < 0)
            CHECK(lufs == -HUGE_VAL);
        else
            CHECK_NEAR(lufs - front, db[c], 0.01);
    }
}

#define SIDE 1.4914 /* 10 log10 1.41 */

static void sides_count_more_and_lfe_nothing(void)
{
    const uint32_t six = AP_FRONT_LEFT | AP_FRONT_RIGHT | AP_FRONT_CENTER | AP_LOW_FREQUENCY;
    check_weights(6, six | AP_SIDE_LEFT | AP_SIDE_RIGHT, (double[]){0, 0, 0, -1, SIDE, SIDE});
    check_weights(6, six | AP_BACK_LEFT | AP_BACK_RIGHT, (double[]){0, 0, 0, -1, SIDE, SIDE});
    check_weights(8, six | AP_BACK_LEFT | AP_BACK_RIGHT | AP_SIDE_LEFT | AP_SIDE_RIGHT,
                  (double[]){0, 0, 0, -1, 0, 0, SIDE, SIDE});
    check_weights(2, 0, (double[]){0, 0});
    check_weights(3, AP_FRONT_LEFT | AP_FRONT_RIGHT | AP_LOW_FREQUENCY, (double[]){0, 0, -1});
}

static void channels_without_places_are_equal(void)
{
    check_weights(6, AP_DISCRETE, (double[]){0, 0, 0, 0, 0, 0});
}

TEST_MAIN(CASE(sides_count_more_and_lfe_nothing), CASE(channels_without_places_are_equal))
