/* SPDX-License-Identifier: GPL-3.0-or-later
 * The limiter: nothing exceeds the ceiling, by samples and by libebur128's true peak. */
#include "test.h"

#include <ebur128.h>

static float *limited(const float *in, ap_format format, const ap_limit_options *o, size_t block, size_t *n)
{
    return test_drain(ap_limit(ap_source_memory(&format, in, NULL), o, NULL), block, n);
}

static double largest(const float *x, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs(x[i]));
    return most;
}

static double true_peak_db(const float *x, ap_format format)
{
    double most = 0, peak;
    ebur128_state *meter = ebur128_init(format.channels, format.rate, EBUR128_MODE_TRUE_PEAK);
    ebur128_add_frames_float(meter, x, format.frames);
    for (unsigned c = 0; c < format.channels; c++) {
        ebur128_true_peak(meter, c, &peak);
        most = fmax(most, peak);
    }
    ebur128_destroy(&meter);
    return 20 * log10(most);
}

/* Kinds of trouble: noise, single spikes, a square wave, full-band alternation, huge values, steps. */
static void make_trouble(float *x, size_t count, int kind)
{
    uint64_t seed = (uint64_t)kind + 1;
    for (size_t i = 0; i < count; i++) {
        float noise = (float)test_random(&seed) * 0x1p-31f - 1;
        float kinds[] = {4 * noise,
                         i % 5000 == 77 ? 9.0f : 0.01f * noise,
                         (i / 100) % 2 ? 2.0f : -2.0f,
                         (i / 2) % 2 ? 3.0f : -3.0f,
                         0x1p20f * noise,
                         i < count / 2 ? 0.1f : 5.0f};
        x[i] = kinds[kind];
    }
}

static void nothing_exceeds_the_ceiling(void)
{
    ap_format format = {44100, 2, 0, 40000};
    float *x = malloc(80000 * sizeof *x);
    size_t n;
    for (int kind = 0; kind < 6; kind++)
        for (int variant = 0; variant < 6; variant++) {
            ap_limit_options o;
            ap_limit_defaults(&o);
            o.true_peak = variant % 2;
            o.lookahead_s = variant < 2 ? 0.005 : variant < 4 ? 0 : 0.0001;
            make_trouble(x, 80000, kind);
            float *y = limited(x, format, &o, 4096, &n);
            CHECK(n == 40000);
            CHECK(largest(y, 80000) <= (float)pow(10, o.ceiling_dbtp / 20));
            CHECK(largest(y, 80000) > 0);
            free(y);
        }
    free(x);
}

static void true_peak_stays_below_the_ceiling(void)
{
    static const uint32_t rates[] = {44100, 48000, 96000, 192000};
    for (int r = 0; r < 4; r++) {
        ap_format format = {rates[r], 2, 0, 60000};
        float *x = test_noise(120000, 1.5f, 3);
        size_t n;
        for (size_t i = 4; i < 120000; i++) /* dull it, as music is */
            x[i] = 0.6f * x[i - 2] + 0.8f * x[i];
        float *y = limited(x, format, NULL, 4096, &n);
        CHECK(true_peak_db(x, format) > 3);
        CHECK(true_peak_db(y, format) <= -1 + 0.1);
        CHECK(true_peak_db(y, format) >= -1.5);
        free(x);
        free(y);
    }
}

static void quiet_signals_pass_unchanged(void)
{
    for (uint32_t channels = 1; channels <= 8; channels++) {
        ap_format format = {48000, channels, 0, 9999};
        float *x = test_noise(9999 * channels, 0.3f, 3);
        size_t n;
        float *y = limited(x, format, NULL, 1234, &n);
        CHECK(n == 9999 && memcmp(x, y, n * channels * sizeof *x) == 0);
        free(x);
        free(y);
    }
}

static void one_frame_and_none(void)
{
    size_t n;
    float x[] = {3, -4};
    float *y = limited(x, (ap_format){44100, 2, 0, 1}, NULL, 10, &n);
    CHECK(n == 1);
    CHECK_NEAR(y[1], -0.8912509, 1e-6); /* -1 dB */
    CHECK_NEAR(y[0], 0.75 * 0.8912509, 1e-6);
    free(y);
    y = limited(x, (ap_format){44100, 2, 0, 0}, NULL, 10, &n);
    CHECK(y && n == 0);
    free(y);
}

static void any_block_size_gives_the_same(void)
{
    ap_format format = {44100, 3, 0, 10000};
    float *x = test_noise(30000, 3, 5);
    size_t n;
    float *a = limited(x, format, NULL, 4096, &n);
    for (size_t block = 1; block < 4000; block = block * 3 + 1) {
        float *b = limited(x, format, NULL, block, &n);
        CHECK(n == 10000 && memcmp(a, b, 30000 * sizeof *a) == 0);
        free(b);
    }
    free(a);
    free(x);
}

static void gain_recovers_with_the_time_constant(void)
{
    ap_format format = {10000, 1, 0, 10000};
    float *x = calloc(10000, sizeof *x);
    size_t n;
    for (size_t i = 0; i < 10000; i++)
        x[i] = i < 5000 ? 1.0f : 0.1f; /* 10 dB gain: needs -10 dB, then nothing */
    ap_limit_options o;
    ap_limit_defaults(&o);
    o.ceiling_dbtp = 0;
    o.gain_db = 10;
    o.true_peak = false;
    o.release_s = 0.1;
    float *y = limited(x, format, &o, 512, &n);
    double full = 0.1 * pow(10, 0.5), held = pow(10, -0.5), g0 = y[5200] / full, g1 = y[6200] / full;
    CHECK(g0 > held && g0 < 1);
    CHECK_NEAR((1 - g1) / (1 - g0), exp(-1), 0.01); /* one time constant later */
    free(x);
    free(y);
}

static void channels_keep_their_balance(void)
{
    ap_format format = {44100, 2, 0, 20000};
    float *x = test_noise(40000, 2, 9);
    size_t n;
    for (size_t i = 0; i < 20000; i++)
        x[2 * i + 1] = 0.25f * x[2 * i];
    float *y = limited(x, format, NULL, 4096, &n);
    for (size_t i = 0; i < 20000; i++)
        if (fabs(0.25 * y[2 * i] - y[2 * i + 1]) > 1e-7)
            CHECK_NEAR(0.25 * y[2 * i], y[2 * i + 1], 1e-7);
    free(x);
    free(y);
}

static void bad_options_are_refused(void)
{
    double bad[] = {0.5, -61, NAN};
    for (int i = 0; i < 3; i++) {
        float x[] = {0};
        ap_error err = {0};
        ap_limit_options o;
        ap_limit_defaults(&o);
        o.ceiling_dbtp = bad[i];
        CHECK(!ap_limit(ap_source_memory(&(ap_format){44100, 1, 0, 1}, x, NULL), &o, &err));
        CHECK(err.code == AP_USAGE && strstr(err.message, "ceiling"));
    }
}

TEST_MAIN(CASE(nothing_exceeds_the_ceiling), CASE(true_peak_stays_below_the_ceiling),
          CASE(quiet_signals_pass_unchanged), CASE(one_frame_and_none), CASE(any_block_size_gives_the_same),
          CASE(gain_recovers_with_the_time_constant), CASE(channels_keep_their_balance),
          CASE(bad_options_are_refused))
