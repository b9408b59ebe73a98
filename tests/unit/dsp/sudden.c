/* SPDX-License-Identifier: GPL-3.0-or-later
 * How sudden a sound is, against the spectra of sounds whose envelopes are known. */
#include "dsp/sudden.h"
#include "dsp/fft.h"
#include "test.h"

enum { WINDOW = 1024, BINS = WINDOW / 2 + 1, LAG = 4 };

/* The spectrum of an instant, by the definition of the transform. */
static void add_instant(float *spectrum, double at, double level)
{
    for (size_t b = 0; b < BINS; b++) {
        spectrum[2 * b] += (float)(level * cos(2 * M_PI * (double)b * at / WINDOW));
        spectrum[2 * b + 1] -= (float)(level * sin(2 * M_PI * (double)b * at / WINDOW));
    }
}

static float sudden(const float *spectrum)
{
    return ap_sudden(spectrum, spectrum, 100, 500, LAG);
}

static void an_instant_is_one(void)
{
    for (int at = 0; at < WINDOW; at += 100) {
        float x[2 * BINS] = {0};
        add_instant(x, at, 3);
        CHECK_NEAR(sudden(x), 1, 1e-4);
    }
}

/* Two instants whose distance is half a turn of the envelope cancel, and a whole turn does not. */
static void instants_that_are_apart_count_by_their_distance(void)
{
    for (int apart = 0; apart <= WINDOW / LAG; apart += WINDOW / LAG / 8) {
        float x[2 * BINS] = {0};
        add_instant(x, 200, 1);
        add_instant(x, 200 + apart, 1);
        CHECK_NEAR(sudden(x), apart ? fabs(cos(M_PI * LAG * apart / WINDOW)) : 1, 0.03);
    }
}

static void what_lasts_is_about_zero(void)
{
    float x[2 * BINS] = {0}, *level = test_noise(WINDOW, 1, 5);
    for (int at = 0; at < WINDOW; at++)
        add_instant(x, at, (double)level[at]);
    CHECK(sudden(x) < 0.15f);
    free(level);
}

static void channels_count_by_their_power(void)
{
    float x[2 * BINS] = {0}, y[2 * BINS] = {0};
    add_instant(x, 0, 3);
    add_instant(y, WINDOW / LAG / 2, 1);
    CHECK_NEAR(ap_sudden(x, y, 100, 500, LAG), (9 - 1) / 10.0, 1e-4);
    CHECK_NEAR(ap_sudden(y, x, 100, 500, LAG), (9 - 1) / 10.0, 1e-4);
}

static void nothing_is_zero(void)
{
    float x[2 * BINS] = {0};
    CHECK(sudden(x) == 0);
    add_instant(x, 0, 1);
    CHECK(ap_sudden(x, x, 100, 100, LAG) == 0 && ap_sudden(x, x, 100, 90, LAG) == 0);
    CHECK(ap_sudden(x, x, 100, 107, LAG) == 0);
}

TEST_MAIN(CASE(an_instant_is_one), CASE(instants_that_are_apart_count_by_their_distance),
          CASE(what_lasts_is_about_zero), CASE(channels_count_by_their_power), CASE(nothing_is_zero))
