/* SPDX-License-Identifier: GPL-3.0-or-later
 * Peaks between samples against plain interpolation in double precision, against libebur128, and against
 * sines whose peaks are known. */
#include "dsp/truepeak.h"
#include "test.h"

#include <ebur128.h>

enum { N = 1000 };

static const uint32_t rates[] = {8000, 44100, 95999, 96000, 176400, 191999};
#define RATES (sizeof rates / sizeof *rates)

static float *padded(uint64_t seed)
{
    float *x = test_noise(AP_TRUEPEAK_HISTORY + N, 0.5f, seed);
    memset(x, 0, AP_TRUEPEAK_HISTORY * sizeof *x);
    return x;
}

/* The largest |value| between frames i - taps / 2 and the next: a sinc of 48 taps under a Hann window. */
static double between(const float *x, size_t i, unsigned phases)
{
    double most = 0;
    for (unsigned p = 1; p < phases; p++) {
        double sum = 0;
        for (unsigned k = 0; k < 48 / phases; k++) {
            const double j = k * phases + p, at = M_PI * (j - 24) / phases;
            sum += sin(at) / at * 0.5 * (1 - cos(2 * M_PI * j / 48)) * x[(ptrdiff_t)i - (ptrdiff_t)k];
        }
        most = fmax(most, fabs(sum));
    }
    return most;
}

static void equals_plain_interpolation(void)
{
    for (size_t r = 0; r < RATES; r++) {
        ap_truepeak t;
        float *all = padded(r), *x = all + AP_TRUEPEAK_HISTORY, y[N] = {0};
        double most = 0;
        ap_truepeak_make(&t, true, rates[r]);
        CHECK(t.phases == (rates[r] < 96000 ? 4 : 2) && t.taps * t.phases == 48);
        ap_truepeak_between(&t, x, y, N, 0);
        for (size_t i = 0; i < N; i++) {
            CHECK_NEAR(y[i], between(x, i, t.phases), 1e-6);
            most = fmax(most, between(x, i, t.phases));
        }
        CHECK_NEAR(ap_truepeak_most(&t, x, N, 0), most, 1e-6);
        free(all);
    }
}

/* Only what is above the floor has to be found, and what is in y already stays if it is larger. */
static void the_floor_hides_what_is_below(void)
{
    ap_truepeak t;
    float *all = padded(5), *x = all + AP_TRUEPEAK_HISTORY, y[N];
    ap_truepeak_make(&t, true, 44100);
    for (size_t i = 0; i < N; i++) {
        x[i] *= i / 250 % 2 ? 0.1f : 1;
        y[i] = 0.3f;
    }
    ap_truepeak_between(&t, x, y, N, 0.3f);
    for (size_t i = 0; i < N; i++)
        CHECK_NEAR(y[i], fmax(0.3, between(x, i, 4)), 1e-6);
    CHECK(ap_truepeak_most(&t, x, N, 2) == 2);
    CHECK(ap_truepeak_most(&t, x, 0, 0.25f) == 0.25f);
    free(all);
}

static void high_rates_and_sample_peaks_need_none(void)
{
    static const uint32_t high[] = {192000, 384000};
    float x[AP_TRUEPEAK_HISTORY + 4] = {[AP_TRUEPEAK_HISTORY] = 1, -1, 1, -1}, y[4] = {0};
    for (int i = 0; i < 3; i++) {
        ap_truepeak t;
        ap_truepeak_make(&t, i < 2, i < 2 ? high[i] : 44100);
        CHECK(t.phases == 1);
        ap_truepeak_between(&t, x + AP_TRUEPEAK_HISTORY, y, 4, 0);
        CHECK(y[0] == 0 && y[3] == 0 && ap_truepeak_most(&t, x + AP_TRUEPEAK_HISTORY, 4, 0.5f) == 0.5f);
    }
}

/* A sine of a quarter of the rate, sampled at 45 degrees: 3 dB above its samples. */
static void finds_the_peak_of_a_sine(void)
{
    ap_truepeak t;
    float x[AP_TRUEPEAK_HISTORY + N];
    ap_truepeak_make(&t, true, 48000);
    for (size_t i = 0; i < AP_TRUEPEAK_HISTORY + N; i++)
        x[i] = (float)sin(M_PI / 2 * (double)i + M_PI / 4);
    CHECK_NEAR(ap_truepeak_most(&t, x + AP_TRUEPEAK_HISTORY, N, 0), 1, 0.01);
}

static void equals_libebur128(void)
{
    for (size_t r = 0; r < RATES; r++) {
        ap_truepeak t;
        float *all = padded(20 + r), *x = all + AP_TRUEPEAK_HISTORY, sample = 0;
        double peak = 0;
        ebur128_state *e = ebur128_init(1, rates[r], EBUR128_MODE_TRUE_PEAK);
        ebur128_add_frames_float(e, x, N);
        ebur128_true_peak(e, 0, &peak);
        ap_truepeak_make(&t, true, rates[r]);
        for (size_t i = 0; i < N; i++)
            sample = fmaxf(sample, fabsf(x[i]));
        CHECK_NEAR(fmaxf(sample, ap_truepeak_most(&t, x, N, 0)), peak, 1e-5);
        ebur128_destroy(&e);
        free(all);
    }
}

TEST_MAIN(CASE(equals_plain_interpolation), CASE(the_floor_hides_what_is_below),
          CASE(high_rates_and_sample_peaks_need_none), CASE(finds_the_peak_of_a_sine),
          CASE(equals_libebur128))
