/* SPDX-License-Identifier: GPL-3.0-or-later
 * Silence, sections and fades: exact places, any block size, any number of channels. */
#include "test.h"

/* count frames of channels channels, silent but for one channel within [from, to). */
static float *islands(size_t count, uint32_t channels, uint32_t channel, const size_t (*spans)[2], size_t n)
{
    float *x = calloc(count * channels, sizeof *x);
    for (size_t k = 0; k < n; k++)
        for (size_t i = spans[k][0]; i < spans[k][1]; i++)
            x[i * channels + channel] = i % 2 ? 0.25f : -0.25f;
    return x;
}

static void sections_are_exact(void)
{
    static const size_t spans[][2] = {{100, 2000}, {2500, 3000}, {9000, 9001}, {20000, 21000}};
    static const uint32_t channels[] = {1, 2, 8};
    for (int c = 0; c < 3; c++) {
        uint32_t n = channels[c];
        float *x = islands(30000, n, n - 1, spans, 4);
        ap_silence_options o;
        ap_silence_defaults(&o);
        o.silence_s = 0.1;
        ap_section *list;
        size_t count, length;
        ap_stream *s = ap_source_memory(&(ap_format){10000, n, 0, 30000}, x, NULL);
        s = ap_find_sections(s, &o, &list, &count, NULL);
        CHECK(s && count == 3 && list[0].start == 100 && list[0].frames == 2900 && list[1].start == 9000 &&
              list[1].frames == 1 && list[2].start == 20000 && list[2].frames == 1000);
        free(list);
        float *y = test_drain(s, 777, &length);
        CHECK(length == 30000 && memcmp(x, y, 30000 * n * sizeof *x) == 0);
        free(y);
        o.sound_s = 0.01; /* without the click, and with some silence around */
        o.keep_s = 0.5;
        s = ap_source_memory(&(ap_format){10000, n, 0, 30000}, x, NULL);
        s = ap_find_sections(s, &o, &list, &count, NULL);
        CHECK(s && count == 2 && list[0].start == 0 && list[0].frames == 8000 && list[1].start == 15000 &&
              list[1].frames == 11000);
        free(list);
        ap_close(&s);
        free(x);
    }
}

/* Two sections share the silence between them, and never overlap. */
static void kept_silence_is_shared(void)
{
    static const size_t spans[][2] = {{1000, 2000}, {4001, 5000}};
    float *x = islands(6000, 1, 0, spans, 2);
    ap_silence_options o = {.level_dbfs = -60, .silence_s = 0.1, .keep_s = 100};
    ap_section *list;
    size_t count;
    ap_stream *s = ap_source_memory(&(ap_format){10000, 1, 0, 6000}, x, NULL);
    s = ap_find_sections(s, &o, &list, &count, NULL);
    CHECK(count == 2 && list[0].start == 0 && list[0].frames == 3000 && list[1].start == 3000 &&
          list[1].frames == 3000);
    free(list);
    ap_close(&s);
    free(x);
}

static float *trimmed(const float *x, uint64_t frames, double level, size_t block, size_t *n)
{
    ap_silence_options o;
    ap_silence_defaults(&o);
    o.level_dbfs = level;
    return test_drain(ap_trim_silence(ap_source_memory(&(ap_format){8000, 1, 0, frames}, x, NULL), &o, NULL),
                      block, n);
}

static void ends_are_exact(void)
{
    static const size_t span[][2] = {{1234, 5678}};
    float *x = islands(9000, 1, 0, span, 1);
    size_t n;
    x[7] = NAN; /* garbage is no sound */
    x[8] = INFINITY;
    for (size_t block = 1; block < 20000; block = block * 7 + 2) {
        float *y = trimmed(x, 9000, -60, block, &n);
        CHECK(n == 5678 - 1234 && memcmp(y, x + 1234, n * sizeof *x) == 0);
        free(y);
    }
    x[100] = 0.001f; /* -60 dBFS is not above -60 dBFS; 0.00101 is */
    free(trimmed(x, 9000, -60, 4096, &n));
    CHECK(n == 5678 - 1234);
    x[100] = 0.00101f;
    free(trimmed(x, 9000, -60, 4096, &n));
    CHECK(n == 5678 - 100);
    free(x);
}

static void nothing_is_left_of_silence(void)
{
    float x[5000] = {0};
    size_t n;
    float *y = trimmed(x, 5000, -60, 4096, &n);
    CHECK(y && n == 0);
    free(y);
    y = trimmed(x, 0, -60, 4096, &n);
    CHECK(y && n == 0);
    free(y);
    x[0] = 1;
    y = trimmed(x, 1, -60, 4096, &n);
    CHECK(y && n == 1);
    free(y);
}

static float *faded(const float *x, ap_format format, ap_fade_options o, size_t block, size_t *n)
{
    return test_drain(ap_fade(ap_source_memory(&format, x, NULL), &o, NULL), block, n);
}

static void fades_are_exact(void)
{
    float x[2000];
    size_t n;
    for (int i = 0; i < 2000; i++)
        x[i] = 1;
    float *y =
        faded(x, (ap_format){1000, 2, 0, 1000}, (ap_fade_options){0.1, 0.2, AP_CURVE_LINEAR}, 4096, &n);
    CHECK(n == 1000 && y[0] == 0 && y[2 * 999] == 0);
    for (size_t i = 0; i < 1000; i++) {
        double want = i < 100 ? (double)i / 100 : i >= 800 ? (double)(999 - i) / 200 : 1;
        CHECK_NEAR(y[2 * i], want, 1e-6);
        CHECK(y[2 * i] == y[2 * i + 1]);
    }
    for (size_t block = 1; block < 3000; block = block * 13) {
        float *z =
            faded(x, (ap_format){1000, 2, 0, 1000}, (ap_fade_options){0.1, 0.2, AP_CURVE_LINEAR}, block, &n);
        CHECK(n == 1000 && memcmp(y, z, sizeof x) == 0);
        free(z);
    }
    free(y);
}

/* The power of two sounds that cross by the quarter of a sine is even; the amplitude by the others. */
static void curves_cross(void)
{
    static const ap_curve curves[] = {AP_CURVE_LINEAR, AP_CURVE_HALF, AP_CURVE_QUARTER};
    float x[1001];
    size_t n;
    for (int i = 0; i < 1001; i++)
        x[i] = 1;
    for (int c = 0; c < 3; c++) {
        float *y = faded(x, (ap_format){1000, 1, 0, 1001}, (ap_fade_options){1, 0, curves[c]}, 4096, &n);
        for (size_t i = 0; i <= 1000; i++)
            CHECK_NEAR(c == 2 ? y[i] * y[i] + y[1000 - i] * y[1000 - i] : y[i] + y[1000 - i], 1, 1e-6);
        free(y);
    }
}

static void garbage_and_short_streams(void)
{
    float x[] = {NAN, 0.5f, INFINITY};
    size_t n;
    float *y = faded(x, (ap_format){1000, 1, 0, 3}, (ap_fade_options){1, 1, AP_CURVE_LINEAR}, 4096, &n);
    CHECK(n == 3 && y[0] == 0 && y[2] == 0 && y[1] > 0 && y[1] < 1e-5f);
    free(y);
    y = faded(x, (ap_format){1000, 1, 0, 0}, (ap_fade_options){1, 1, AP_CURVE_LINEAR}, 4096, &n);
    CHECK(y && n == 0);
    free(y);
    y = faded(x + 1, (ap_format){1000, 1, 0, 1}, (ap_fade_options){0, 0, AP_CURVE_LOG}, 4096, &n);
    CHECK(n == 1 && y[0] == 0.5f);
    free(y);
}

static void bad_options_are_refused(void)
{
    float x[] = {0};
    ap_error err = {0};
    ap_format one = {44100, 1, 0, 1};
    CHECK(!ap_fade(ap_source_memory(&one, x, NULL), &(ap_fade_options){.in_s = -1}, &err));
    CHECK(err.code == AP_USAGE && strstr(err.message, "fade-in"));
    CHECK(!ap_fade(ap_source_memory(&one, x, NULL), &(ap_fade_options){.out_s = NAN}, &err));
    CHECK(!ap_fade(ap_source_memory(&one, x, NULL), &(ap_fade_options){.curve = (ap_curve)9}, &err));
    CHECK(!ap_trim_silence(ap_source_memory(&one, x, NULL), &(ap_silence_options){.level_dbfs = 1}, &err));
    CHECK(err.code == AP_USAGE && strstr(err.message, "level"));
    CHECK(!ap_trim_silence(ap_source_memory(&one, x, NULL), &(ap_silence_options){.keep_s = NAN}, &err));
}

TEST_MAIN(CASE(sections_are_exact), CASE(kept_silence_is_shared), CASE(ends_are_exact),
          CASE(nothing_is_left_of_silence), CASE(fades_are_exact), CASE(curves_cross),
          CASE(garbage_and_short_streams), CASE(bad_options_are_refused))
