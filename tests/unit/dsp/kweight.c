/* SPDX-License-Identifier: GPL-3.0-or-later
 * K-weighting against the tables of BS.1770-4 and libebur128. */
#include "dsp/kweight.h"
#include "test.h"

#include <ebur128.h>

/* Tables 1 and 2, at 48 kHz: a shelf, then a high-pass. */
static void has_the_coefficients_of_the_standard(void)
{
    static const double shelf_b[] = {1.53512485958697, -2.69169618940638, 1.19839281085285};
    static const double shelf_a[] = {1, -1.69065929318241, 0.73248077421585};
    static const double pass_b[] = {1, -2, 1}, pass_a[] = {1, -1.99004745483398, 0.99007225036621};
    double a[5] = {0}, b[5] = {0};
    ap_kweight k;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            a[i + j] += shelf_a[i] * pass_a[j];
            b[i + j] += shelf_b[i] * pass_b[j];
        }
    ap_kweight_make(&k, 48000);
    for (int i = 0; i < 5; i++) {
        CHECK_NEAR(k.a[i], a[i], 1e-8);
        CHECK_NEAR(k.b[i], b[i], 1e-8);
    }
}

/* Mean energy as libebur128 has it over the last 0.4 s. */
static double reference(const float *x, size_t frames, unsigned channels, unsigned only, uint32_t rate)
{
    ebur128_state *meter = ebur128_init(channels, rate, EBUR128_MODE_M);
    double lufs;
    for (unsigned c = 0; c < channels; c++)
        ebur128_set_channel(meter, c, c == only ? EBUR128_LEFT : EBUR128_UNUSED);
    ebur128_add_frames_float(meter, x, frames);
    ebur128_loudness_momentary(meter, &lufs);
    ebur128_destroy(&meter);
    return pow(10, (lufs + 0.691) / 10);
}

/* Each channel of several, in pairs, after a second that is filtered in pieces. */
static void equals_libebur128(void)
{
    static const uint32_t rates[] = {8000, 44100, 96000, 192000};
    for (size_t r = 0; r < 4; r++)
        for (unsigned channels = 1; channels <= 5; channels++) {
            const size_t rate = rates[r], last = rate * 4 / 10, frames = rate + last;
            float *x = test_noise(frames * channels, 0.5f, r + 1);
            ap_kweight k;
            ap_kweight_make(&k, rates[r]);
            for (unsigned c = 0; c < channels; c += 2) {
                const unsigned width = c + 1 < channels ? 2 : 1;
                ap_kweight_memory memory = {{{0}}};
                double e[2];
                for (size_t at = 0, n = 1; at < rate; at += n, n = n * 3 < rate - at ? n * 3 : rate - at)
                    ap_kweight_energy(&k, &memory, x + at * channels + c, n < rate - at ? n : rate - at,
                                      channels, width, e);
                ap_kweight_energy(&k, &memory, x + rate * channels + c, last, channels, width, e);
                for (unsigned i = 0; i < width; i++) {
                    const double want = reference(x, frames, channels, c + i, rates[r]);
                    CHECK_NEAR(e[i] / (double)last / want, 1, 1e-6);
                }
            }
            free(x);
        }
}

/* What rings ends as nothing, not as numbers that cost a hundred cycles each. */
static void ends_in_silence(void)
{
    static const float click[2] = {1, -1}, nothing[2 * 441];
    ap_kweight k;
    ap_kweight_memory memory = {{{0}}}, silence = {{{0}}};
    double e[2];
    ap_kweight_make(&k, 44100);
    ap_kweight_energy(&k, &memory, click, 1, 2, 2, e);
    CHECK(e[0] > 1 && e[0] == e[1]);
    for (int i = 0; i < 100; i++)
        ap_kweight_energy(&k, &memory, nothing, 441, 2, 2, e);
    CHECK(e[0] == 0 && memcmp(&memory, &silence, sizeof memory) == 0);
}

TEST_MAIN(CASE(has_the_coefficients_of_the_standard), CASE(equals_libebur128), CASE(ends_in_silence))
