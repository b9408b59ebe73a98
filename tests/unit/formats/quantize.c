/* SPDX-License-Identifier: GPL-3.0-or-later
 * Floats to integers: exactness, rounding, clamping, the statistics of the dither. */
#include "formats/quantize.h"
#include "test.h"

static int32_t *quantized(const float *x, size_t frames, uint32_t channels, ap_bits bits, ap_dither dither,
                          uint64_t seed, size_t block)
{
    int32_t *out = malloc((frames * channels + 1) * sizeof *out);
    ap_quantizer *q = ap_quantizer_new(channels, bits, dither, seed, NULL);
    for (size_t i = 0; i < frames; i += block)
        ap_quantize(q, x + i * channels, out + i * channels, frames - i < block ? frames - i : block);
    ap_quantizer_free(q);
    return out;
}

static double decibels(double power)
{
    return 10 * log10(power);
}

static void sixteen_bits_pass_unchanged(void)
{
    float x[65536];
    for (int i = 0; i < 65536; i++)
        x[i] = (float)(i - 32768) / 32768;
    int32_t *out = quantized(x, 65536, 1, AP_BITS_16, AP_DITHER_AUTO, 1, 1000);
    int wrong = 0;
    for (int i = 0; i < 65536; i++)
        wrong += out[i] != i - 32768;
    CHECK(wrong == 0);
    free(out);
}

static void dither_starts_with_the_first_lost_bit(void)
{
    static float x[40000];
    x[20001] = 0.1f; /* frame 10000 */
    int32_t *out = quantized(x, 20000, 2, AP_BITS_16, AP_DITHER_AUTO, 1, 4096);
    int before = 0, after = 0;
    for (int i = 0; i < 20000; i++)
        before += out[i] != 0;
    for (int i = 20002; i < 40000; i++)
        after += out[i] != 0;
    CHECK(before == 0);
    CHECK(after > 4000 && after < 6000); /* a quarter rounds away from 0 */
    free(out);
}

static void dithered_silence_reads_minus_96(void)
{
    size_t n = 1 << 19;
    float *x = calloc(2 * n, sizeof *x);
    int32_t *out = quantized(x, n, 2, AP_BITS_16, AP_DITHER_ON, 42, 4096);
    double power = 0, both = 0, mean = 0;
    int32_t most = 0;
    for (size_t i = 0; i < 2 * n; i++) {
        power += (double)out[i] * out[i];
        mean += out[i];
        most = abs(out[i]) > most ? abs(out[i]) : most;
    }
    for (size_t i = 0; i < n; i++)
        both += (double)out[2 * i] * out[2 * i + 1];
    CHECK_NEAR(decibels(power / (double)(2 * n) / (32768.0 * 32768.0)), -96.33, 0.02);
    CHECK_NEAR(mean / (double)(2 * n), 0, 0.003);
    CHECK_NEAR(both / (double)n, 0, 0.002); /* the channels are independent */
    CHECK(most == 1);
    free(out);
    free(x);
}

/* With triangular dither the mean of the output is the input, and the power of the error is 1/4 LSB^2. */
static void error_does_not_depend_on_the_signal(void)
{
    for (int k = 0; k < 5; k++) {
        size_t n = 1 << 18;
        float *x = malloc(n * sizeof *x), value = (100 + 0.21f * (float)k) / 32768;
        for (size_t i = 0; i < n; i++)
            x[i] = value;
        int32_t *out = quantized(x, n, 1, AP_BITS_16, AP_DITHER_AUTO, (uint64_t)k, 999);
        double mean = 0, power = 0;
        for (size_t i = 0; i < n; i++) {
            double e = out[i] - (double)value * 32768;
            mean += e;
            power += e * e;
        }
        if (k > 0) { /* 100 itself needs no dither */
            CHECK_NEAR(mean / (double)n, 0, 0.004);
            CHECK_NEAR(power / (double)n, 0.25, 0.003);
        }
        free(out);
        free(x);
    }
}

static void any_block_size_gives_the_same(void)
{
    size_t n = 30000;
    float *x = test_noise(3 * n, 0.7f, 5);
    memset(x, 0, 3 * 10000 * sizeof *x);
    int32_t *whole = quantized(x, n, 3, AP_BITS_16, AP_DITHER_AUTO, 9, n);
    static const size_t blocks[] = {1, 7, 4096};
    for (int i = 0; i < 3; i++) {
        int32_t *out = quantized(x, n, 3, AP_BITS_16, AP_DITHER_AUTO, 9, blocks[i]);
        CHECK(memcmp(out, whole, 3 * n * sizeof *out) == 0);
        free(out);
    }
    int32_t *other = quantized(x, n, 3, AP_BITS_16, AP_DITHER_AUTO, 10, n);
    CHECK(memcmp(other, whole, 3 * n * sizeof *other) != 0);
    free(other);
    free(whole);
    free(x);
}

static void rounds_and_clamps(void)
{
    float x[] = {0.4f / 32768, 0.6f / 32768, -0.6f / 32768, 1, -1, 0.99999f, -0.99999f};
    static const int32_t want[] = {0, 1, -1, 32767, -32768, 32767, -32768};
    int32_t *out = quantized(x, 7, 1, AP_BITS_16, AP_DITHER_OFF, 0, 7);
    CHECK(memcmp(out, want, sizeof want) == 0);
    free(out);
    out = quantized(x, 7, 1, AP_BITS_24, AP_DITHER_AUTO, 0, 7);
    CHECK(out[3] == 8388607 && out[4] == -8388608);
    free(out);
    out = quantized(x, 7, 1, AP_BITS_32, AP_DITHER_AUTO, 0, 7);
    CHECK(out[3] == INT32_MAX && out[4] == INT32_MIN && out[5] == (int32_t)(0.99999f * 0x1p31f));
    free(out);
    out = quantized(x, 7, 1, AP_BITS_32, AP_DITHER_ON, 0, 7);
    CHECK(out[3] == INT32_MAX && out[4] <= INT32_MIN + 1);
    free(out);
}

TEST_MAIN(CASE(sixteen_bits_pass_unchanged), CASE(dither_starts_with_the_first_lost_bit),
          CASE(dithered_silence_reads_minus_96), CASE(error_does_not_depend_on_the_signal),
          CASE(any_block_size_gives_the_same), CASE(rounds_and_clamps))
