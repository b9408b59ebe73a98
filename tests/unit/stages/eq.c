/* SPDX-License-Identifier: GPL-3.0-or-later
 * The equaliser: gains where they belong, any rate and number of channels. */
#include "test.h"

static const ap_eq_band bell = {AP_EQ_PEAKING, 1000, 6, AP_EQ_Q, 1.5};

static float *equalised(const float *x, ap_format format, const ap_eq_band *bands, size_t count, size_t block,
                        size_t *n)
{
    ap_eq_options o = {bands, count, 0};
    return test_drain(ap_eq(ap_source_memory(&format, x, NULL), &o, NULL), block, n);
}

/* The gain of a band at a frequency, dB, from a sine's second half second. */
static double gain_at(ap_eq_band band, double hz, uint32_t rate)
{
    size_t n, count = rate;
    float *x = calloc(count, sizeof *x);
    for (size_t i = 0; i < count; i++)
        x[i] = (float)sin(2 * M_PI * hz * (double)i / rate);
    float *y = equalised(x, (ap_format){rate, 1, 0, count}, &band, 1, 4096, &n);
    double gain = 20 * log10(test_rms(y + count / 2, count / 2) / test_rms(x + count / 2, count / 2));
    free(x);
    free(y);
    return gain;
}

static void gains_are_where_they_belong(void)
{
    double root = sqrt(0.5);
    static const uint32_t rates[] = {8000, 44100, 192000};
    for (size_t i = 0; i < 3; i++) {
        uint32_t rate = rates[i];
        CHECK_NEAR(gain_at(bell, 1000, rate), 6, 0.01);
        CHECK_NEAR(gain_at(bell, 20, rate), 0, 0.01);
        CHECK_NEAR(gain_at((ap_eq_band){AP_EQ_HIGH_PASS, 500, 0, AP_EQ_Q, root}, 500, rate), -3.01, 0.01);
        CHECK_NEAR(gain_at((ap_eq_band){AP_EQ_LOW_PASS, 500, 0, AP_EQ_Q, root}, 500, rate), -3.01, 0.01);
        double warped =
            tan(M_PI * 60 / rate) / tan(M_PI * 1000 / rate); /* Butterworth's, after the bilinear transform */
        CHECK_NEAR(gain_at((ap_eq_band){AP_EQ_HIGH_PASS, 1000, 0, AP_EQ_Q, root}, 60, rate),
                   40 * log10(warped), 0.02);
        CHECK_NEAR(gain_at((ap_eq_band){AP_EQ_LOW_SHELF, 500, 10, AP_EQ_Q, root}, 20, rate), 10, 0.02);
        CHECK_NEAR(gain_at((ap_eq_band){AP_EQ_LOW_SHELF, 500, 10, AP_EQ_Q, root}, 500, rate), 5, 0.02);
        CHECK_NEAR(gain_at((ap_eq_band){AP_EQ_HIGH_SHELF, 500, -8, AP_EQ_SLOPE, 1}, 500, rate), -4, 0.02);
        CHECK_NEAR(gain_at((ap_eq_band){AP_EQ_HIGH_SHELF, 200, -8, AP_EQ_SLOPE, 1}, 3800, rate), -8, 0.02);
        CHECK_NEAR(gain_at((ap_eq_band){AP_EQ_BAND_PASS, 700, 0, AP_EQ_OCTAVES, 1}, 700, rate), 0, 0.01);
        CHECK(gain_at((ap_eq_band){AP_EQ_NOTCH, 700, 0, AP_EQ_Q, 2}, 700, rate) < -80);
    }
}

/* The cookbook's bandwidth: half of the dB at both of its ends. */
static void octaves_are_between_half_gains(void)
{
    ap_eq_band band = {AP_EQ_PEAKING, 1000, 12, AP_EQ_OCTAVES, 2};
    CHECK_NEAR(gain_at(band, 500, 192000), 6, 0.05);
    CHECK_NEAR(gain_at(band, 2000, 192000), 6, 0.05);
}

static void any_block_size_gives_the_same(void)
{
    ap_format format = {44100, 3, 0, 5000};
    float *x = test_noise(15000, 0.5f, 3);
    size_t n, blocks[] = {1, 37, 4095, 9000};
    ap_eq_band bands[] = {
        bell, {AP_EQ_HIGH_PASS, 40, 0, AP_EQ_Q, 0.7}, {AP_EQ_LOW_SHELF, 300, -4, AP_EQ_Q, 1}};
    float *a = equalised(x, format, bands, 3, 4096, &n);
    CHECK(a && n == 5000);
    for (int i = 0; i < 4; i++) {
        float *b = equalised(x, format, bands, 3, blocks[i], &n);
        CHECK(b && n == 5000 && memcmp(a, b, 15000 * sizeof *a) == 0);
        free(b);
    }
    free(a);
    free(x);
}

/* Each of 8 channels is what it is alone: no channel hears another, none is treated differently. */
static void channels_are_alike(void)
{
    float *x = test_noise(8 * 3000, 0.5f, 4), one[3000];
    size_t n;
    float *all = equalised(x, (ap_format){48000, 8, 0, 3000}, &bell, 1, 4096, &n);
    for (size_t c = 0; c < 8; c++) {
        for (size_t i = 0; i < 3000; i++)
            one[i] = x[8 * i + c];
        float *y = equalised(one, (ap_format){48000, 1, 0, 3000}, &bell, 1, 4096, &n);
        for (size_t i = 0; i < 3000; i++)
            one[i] = all[8 * i + c];
        CHECK(y && memcmp(y, one, sizeof one) == 0);
        free(y);
    }
    free(all);
    free(x);
}

static void silence_one_frame_and_none(void)
{
    float x[2000] = {0};
    size_t n;
    float *y = equalised(x, (ap_format){44100, 2, 0, 1000}, &bell, 1, 4096, &n);
    CHECK(n == 1000 && memcmp(x, y, sizeof x) == 0);
    free(y);
    x[0] = 0.5f;
    y = equalised(x, (ap_format){44100, 1, 0, 1}, &bell, 1, 4096, &n);
    CHECK(n == 1 && y[0] > 0.5f && y[0] < 0.6f); /* no latency */
    free(y);
    y = equalised(x, (ap_format){44100, 1, 0, 0}, &bell, 1, 4096, &n);
    CHECK(y && n == 0);
    free(y);
    y = equalised(x, (ap_format){44100, 2, 0, 1000}, NULL, 0, 4096, &n);
    CHECK(n == 1000 && memcmp(x, y, sizeof x) == 0); /* no bands */
    free(y);
}

static void garbage_counts_as_silence(void)
{
    float *x = test_noise(4000, 0.5f, 5), *clean = malloc(4000 * sizeof *clean);
    const float bad[] = {NAN, INFINITY, -INFINITY, 1e30f};
    size_t n;
    for (int i = 0; i < 4; i++)
        x[500 + 100 * i] = bad[i];
    memcpy(clean, x, 4000 * sizeof *x);
    for (int i = 0; i < 4; i++)
        clean[500 + 100 * i] = 0;
    float *y = equalised(x, (ap_format){44100, 1, 0, 4000}, &bell, 1, 4096, &n);
    float *z = equalised(clean, (ap_format){44100, 1, 0, 4000}, &bell, 1, 4096, &n);
    CHECK(memcmp(y, z, 4000 * sizeof *y) == 0);
    free(x);
    free(clean);
    free(y);
    free(z);
}

static void bad_bands_are_refused(void)
{
    static const ap_eq_band bad[] = {
        {AP_EQ_PEAKING, 0, 6, AP_EQ_Q, 1},     {AP_EQ_PEAKING, 22050, 6, AP_EQ_Q, 1},
        {AP_EQ_PEAKING, NAN, 6, AP_EQ_Q, 1},   {AP_EQ_PEAKING, 100, NAN, AP_EQ_Q, 1},
        {AP_EQ_PEAKING, 100, 61, AP_EQ_Q, 1},  {AP_EQ_PEAKING, 100, 6, AP_EQ_Q, 0},
        {AP_EQ_PEAKING, 100, 6, AP_EQ_Q, NAN}, {AP_EQ_LOW_SHELF, 100, 6, AP_EQ_SLOPE, 1.1},
        {(ap_eq_type)99, 100, 6, AP_EQ_Q, 1},  {AP_EQ_PEAKING, 100, 6, (ap_eq_width)9, 1}};
    float x[] = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ap_error err = {0};
        ap_eq_options o = {&bad[i], 1, 0};
        CHECK(!ap_eq(ap_source_memory(&(ap_format){44100, 1, 0, 1}, x, NULL), &o, &err));
        CHECK(err.code == AP_USAGE && err.message[0]);
    }
}

TEST_MAIN(CASE(gains_are_where_they_belong), CASE(octaves_are_between_half_gains),
          CASE(any_block_size_gives_the_same), CASE(channels_are_alike), CASE(silence_one_frame_and_none),
          CASE(garbage_counts_as_silence), CASE(bad_bands_are_refused))
