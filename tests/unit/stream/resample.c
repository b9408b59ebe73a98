/* SPDX-License-Identifier: GPL-3.0-or-later
 * Sample rate and channel conversion. */
#include "stream/stream.h"
#include "test.h"

static void length_is_exact(void)
{
    static const uint32_t rates[][2] = {
        {44100, 48000}, {48000, 44100}, {8000, 192000}, {192000, 8000}, {44100, 22050}};
    static const uint64_t lengths[] = {0, 1, 2, 777, 44100, 100001};
    for (size_t r = 0; r < 5; r++)
        for (size_t l = 0; l < 6; l++)
            for (int known = 0; known < 2; known++) {
                float *data;
                size_t n;
                ap_stream *s = test_noise_stream(rates[r][0], 2, lengths[l], &data);
                if (!known && lengths[l])
                    s = ap_trim(s, 0, AP_UNKNOWN, NULL), s->format.frames = AP_UNKNOWN;
                s = ap_resample(s, rates[r][1], NULL);
                float *out = test_drain(s, 1000, &n);
                CHECK(out && n == (lengths[l] * rates[r][1] + rates[r][0] - 1) / rates[r][0]);
                free(out);
                free(data);
            }
}

static void sine_stays_a_sine(void)
{
    size_t n, frames = 44100;
    float *x = malloc(frames * sizeof *x);
    for (size_t i = 0; i < frames; i++)
        x[i] = (float)sin(2 * M_PI * 1000 * (double)i / 44100);
    ap_stream *s = ap_source_memory(&(ap_format){44100, 1, 0, frames}, x, NULL);
    float *y = test_drain(ap_resample(s, 96000, NULL), 555, &n);
    double worst = 0; /* away from the ends, where the input jumps */
    for (size_t i = 9600; i < n - 9600; i++)
        worst = fmax(worst, fabs(y[i] - sin(2 * M_PI * 1000 * (double)i / 96000)));
    CHECK_NEAR(worst, 0, 1e-6); /* also: no latency */
    free(x);
    free(y);
}

static void any_block_size_gives_the_same(void)
{
    size_t n, m;
    float *data;
    float *a = test_drain(ap_resample(test_noise_stream(44100, 2, 20000, &data), 48000, NULL), 4096, &n);
    free(data);
    for (size_t block = 1; block < 4000; block = block * 5 + 2) {
        float *b = test_drain(ap_resample(test_noise_stream(44100, 2, 20000, &data), 48000, NULL), block, &m);
        CHECK(n == m && memcmp(a, b, n * 2 * sizeof *a) == 0);
        free(data);
        free(b);
    }
    free(a);
}

/* What one frame becomes. */
static void check_mix(const float *in, uint32_t from, const float *want, uint32_t to)
{
    size_t n;
    float *out =
        test_drain(ap_remix(ap_source_memory(&(ap_format){44100, from, 0, 1}, in, NULL), to, NULL), 9, &n);
    CHECK(n == 1);
    for (uint32_t c = 0; out && c < to; c++)
        CHECK_NEAR(out[c], want[c], 1e-6);
    free(out);
}

static void channels_follow_the_standard(void)
{
    const double m3 = sqrt(0.5);
    check_mix((float[]){0.5f}, 1, (float[]){0.5f, 0.5f}, 2);
    check_mix((float[]){0.5f, -0.25f}, 2, (float[]){0.125f}, 1);
    /* 5.1: L R C LFE Ls Rs */
    check_mix((float[]){1, 2, 4, 100, 8, 16}, 6,
              (float[]){(float)(1 + m3 * 4 + m3 * 8), (float)(2 + m3 * 4 + m3 * 16)}, 2);
    check_mix((float[]){1, 2, 4, 100, 8, 16}, 6, (float[]){(float)(0.5 * (3 + m3 * 8 + m3 * 24))}, 1);
    check_mix((float[]){1, 2}, 2, (float[]){1, 2, 0, 0, 0, 0}, 6);
    check_mix((float[]){3}, 1, (float[]){0, 0, 3, 0, 0, 0}, 6);
    /* 7.1 (L R C LFE Lb Rb Ls Rs) to 5.1 and back */
    check_mix((float[]){1, 2, 3, 4, 5, 6, 7, 8}, 8, (float[]){1, 2, 3, 4, 12, 14}, 6);
    check_mix((float[]){1, 2, 3, 4, 5, 6}, 6, (float[]){1, 2, 3, 4, 5, 6, 0, 0}, 8);
}

static void bad_requests_are_refused(void)
{
    float x[64] = {0};
    ap_error err = {0};
    CHECK(!ap_remix(ap_source_memory(&(ap_format){44100, 2, 0, 1}, x, NULL), 9, &err) &&
          err.code == AP_USAGE);
    CHECK(!ap_remix(ap_source_memory(&(ap_format){44100, 12, 0, 1}, x, NULL), 2, &err) &&
          err.code == AP_FAILED);
    CHECK(!ap_resample(ap_source_memory(&(ap_format){44100, 2, 0, 1}, x, NULL), 10, &err) &&
          err.code == AP_USAGE);
}

TEST_MAIN(CASE(length_is_exact), CASE(sine_stays_a_sine), CASE(any_block_size_gives_the_same),
          CASE(channels_follow_the_standard), CASE(bad_requests_are_refused))
