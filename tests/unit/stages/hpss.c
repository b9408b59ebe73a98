/* SPDX-License-Identifier: GPL-3.0-or-later
 * Harmonic-percussive separation against the same algorithm in numpy and scipy, and by its properties. */
#include "stream/stream.h"
#include "test.h"

#include <unistd.h>

#define ALL (AP_HARMONIC | AP_PERCUSSIVE | AP_RESIDUAL)

static ap_hpss_options with_parts(unsigned parts)
{
    ap_hpss_options o;
    ap_hpss_defaults(&o);
    o.parts = parts;
    return o;
}

static float *parts_of(const float *x, ap_format format, const ap_hpss_options *o, size_t block, size_t *n)
{
    return test_drain(ap_hpss(ap_source_memory(&format, x, NULL), o, NULL), block, n);
}

/* Tones, clicks and noise: something for every part. */
static float *make_music(size_t frames, uint32_t channels, uint32_t rate)
{
    float *x = test_noise(frames * channels, 0.02f, 7);
    for (size_t i = 0; i < frames; i++)
        for (uint32_t c = 0; c < channels; c++) {
            double t = (double)i / rate;
            x[i * channels + c] += (float)(0.3 * sin(2 * M_PI * 440 * t + c) / (1 + c) +
                                           0.2 * sin(2 * M_PI * 1234.5 * t * (1 + 0.01 * t)));
            if (i % 9001 < 40)
                x[i * channels + c] += 0.4f * (float)(c + 1) / (float)channels * (i % 2 ? 1.0f : -1.0f);
        }
    return x;
}

static bool save(const char *path, const float *x, size_t count)
{
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(x, sizeof *x, count, f) == count;
    return f && fclose(f) == 0 && ok;
}

static bool load(const char *path, float *x, size_t count)
{
    FILE *f = fopen(path, "rb");
    bool ok = f && fread(x, sizeof *x, count, f) == count;
    if (f)
        fclose(f);
    return ok;
}

/* Harmonic, percussive and residual as tests/data/hpss.py finds them. */
static float *reference(const float *x, size_t frames, uint32_t channels, const ap_hpss_options *o)
{
    char in[64], out[64], command[512];
    snprintf(in, sizeof in, "/tmp/ap-hpss-%ld.in", (long)getpid());
    snprintf(out, sizeof out, "/tmp/ap-hpss-%ld.out", (long)getpid());
    snprintf(command, sizeof command, "/usr/bin/python3 tests/data/hpss.py %s %s %u %u %u %u %u %g %g %g", in,
             out, channels, o->window, o->hop ? o->hop : o->window / 4, o->kernel_harmonic,
             o->kernel_percussive, o->margin_harmonic, o->margin_percussive, o->power);
    float *y = malloc(3 * frames * channels * sizeof *y);
    CHECK(save(in, x, frames * channels) && system(command) == 0 && load(out, y, 3 * frames * channels));
    unlink(in);
    unlink(out);
    return y;
}

static void check_reference(size_t frames, uint32_t channels, ap_hpss_options o, double tolerance)
{
    size_t n;
    o.parts = ALL;
    o.compat = true;
    float *x = make_music(frames, channels, 44100), *want = reference(x, frames, channels, &o);
    float *got = parts_of(x, (ap_format){44100, channels, 0, frames}, &o, 4096, &n);
    CHECK(got && n == frames);
    if (got && n == frames)
        CHECK_NEAR(test_max_difference(got, want, 3 * frames * channels), 0, tolerance);
    free(x);
    free(want);
    free(got);
}

static void equals_librosa(void)
{
    check_reference(60000, 2, with_parts(ALL), 1e-6);
}

static void equals_librosa_when_short(void)
{
    static const size_t lengths[] = {1, 2, 511, 512, 513, 1024, 5000, 7680, 15872, 16384};
    for (int i = 0; i < 10; i++)
        check_reference(lengths[i], 1, with_parts(ALL), 1e-6);
}

static void equals_librosa_with_options(void)
{
    ap_hpss_options o = with_parts(ALL);
    o.margin_harmonic = 2;
    o.margin_percussive = 3.5;
    check_reference(30000, 2, o, 1e-6);
    o.power = 1;
    o.kernel_harmonic = 12;
    o.kernel_percussive = 57;
    check_reference(30000, 1, o, 1e-6);
    o.window = 1000;
    o.hop = 111;
    o.kernel_harmonic = 1;
    o.kernel_percussive = 8;
    o.power = 2;
    check_reference(20000, 1, o, 1e-6);
    o.window = 64;
    o.hop = 16;
    o.kernel_harmonic = 255;
    o.kernel_percussive = 255;
    check_reference(9000, 1, o, 1e-6);
}

static void equals_librosa_all_or_nothing(void)
{
    ap_hpss_options o = with_parts(ALL);
    o.power = INFINITY;
    check_reference(30000, 1, o, 1e-4); /* a tie may go another way by rounding */
}

/* Independent of the implementation's sums: what comes out is added up here. */
static void parts_add_up_to_the_input(void)
{
    for (int variant = 0; variant < 4; variant++)
        for (uint32_t channels = 1; channels <= 8; channels++) {
            ap_hpss_options o = with_parts(ALL);
            o.margin_harmonic = variant & 1 ? 2 : 1;
            o.compat = variant & 2;
            size_t frames = 20000, n, worst = 0;
            float *x = make_music(frames, channels, 44100);
            float *y = parts_of(x, (ap_format){44100, channels, 0, frames}, &o, 4096, &n);
            CHECK(n == frames);
            for (size_t i = 0; i < n * channels; i++) {
                const float *p = y + i / channels * 3 * channels + i % channels;
                worst += !(fabsf(p[0] + p[channels] + p[2 * channels] - x[i]) <= 1e-6f);
            }
            CHECK(worst == 0);
            free(x);
            free(y);
        }
}

static void each_part_is_what_it_is_among_all(void)
{
    for (int margins = 0; margins < 2; margins++) {
        size_t frames = 20000, n;
        float *x = make_music(frames, 2, 44100);
        ap_format format = {44100, 2, 0, frames};
        ap_hpss_options o = with_parts(ALL);
        o.margin_harmonic = margins ? 3 : 1;
        float *all = parts_of(x, format, &o, 4096, &n);
        for (unsigned part = 0; part < 3; part++) {
            o.parts = 1u << part;
            float *one = parts_of(x, format, &o, 1000, &n);
            size_t different = 0;
            for (size_t i = 0; i < 2 * n; i++)
                different += one[i] != all[i / 2 * 6 + 2 * part + i % 2];
            CHECK(n == frames && different == 0);
            free(one);
        }
        free(all);
        free(x);
    }
}

static void any_block_size_gives_the_same(void)
{
    ap_format format = {44100, 3, 0, 12000};
    ap_hpss_options o = with_parts(ALL);
    float *x = make_music(12000, 3, 44100);
    size_t n;
    float *a = parts_of(x, format, &o, 4096, &n);
    for (size_t block = 1; block < 12000; block = block * 5 + 2) {
        float *b = parts_of(x, format, &o, block, &n);
        CHECK(n == 12000 && memcmp(a, b, 9 * n * sizeof *a) == 0);
        free(b);
    }
    free(a);
    free(x);
}

static ptrdiff_t pull_unknown(void *user, float *frames, size_t max, ap_error *err)
{
    (void)err;
    size_t *left = user, n = max < 333 ? max : 333;
    n = n < *left ? n : *left;
    for (size_t i = 0; i < n; i++)
        frames[i] = (float)((*left - i) % 97) / 97;
    *left -= n;
    return (ptrdiff_t)n;
}

static void keeps_a_length_that_was_not_announced(void)
{
    for (size_t length = 0; length < 20000; length = length * 3 + 511) {
        size_t left = length, n;
        ap_format format = {44100, 1, 0, AP_UNKNOWN};
        free(test_drain(ap_hpss(ap_source(&format, pull_unknown, NULL, &left, NULL), NULL, NULL), 4096, &n));
        CHECK(n == length);
    }
}

static void tones_are_harmonic_and_clicks_percussive(void)
{
    size_t frames = 88200, n;
    ap_format format = {44100, 1, 0, frames};
    ap_hpss_options o = with_parts(AP_HARMONIC | AP_PERCUSSIVE);
    float *x = calloc(frames, sizeof *x);
    for (size_t i = 0; i < frames; i++)
        x[i] = 0.5f * (float)sin(2 * M_PI * 1000 * (double)i / 44100);
    float *y = parts_of(x, format, &o, 4096, &n);
    double harmonic = 0, percussive = 0;
    for (size_t i = 20000; i < 60000; i++) {
        harmonic += y[2 * i] * y[2 * i];
        percussive += y[2 * i + 1] * y[2 * i + 1];
    }
    CHECK(percussive < 1e-4 * harmonic);
    free(y);
    for (size_t i = 0; i < frames; i++)
        x[i] = i % 11025 == 5000;
    y = parts_of(x, format, &o, 4096, &n);
    harmonic = percussive = 0;
    for (size_t i = 0; i < frames; i++) {
        harmonic += y[2 * i] * y[2 * i];
        percussive += y[2 * i + 1] * y[2 * i + 1];
    }
    CHECK(harmonic < 1e-4 * percussive);
    free(y);
    free(x);
}

/* One mask: a source that is panned stays where it is in each part. */
static void the_image_does_not_wander(void)
{
    size_t frames = 30000, n, wrong = 0;
    float *mono = make_music(frames, 1, 44100), *x = malloc(2 * frames * sizeof *x);
    for (size_t i = 0; i < frames; i++) {
        x[2 * i] = mono[i];
        x[2 * i + 1] = 0.25f * mono[i];
    }
    for (unsigned part = AP_HARMONIC; part <= AP_PERCUSSIVE; part *= 2) {
        ap_hpss_options o = with_parts(part);
        float *y = parts_of(x, (ap_format){44100, 2, 0, frames}, &o, 4096, &n);
        for (size_t i = 0; i < n; i++)
            wrong += !(fabsf(0.25f * y[2 * i] - y[2 * i + 1]) < 1e-6f);
        free(y);
    }
    CHECK(wrong == 0);
    free(mono);
    free(x);
}

static void silence_nothing_and_one_frame(void)
{
    size_t n;
    float *x = calloc(100000, sizeof *x);
    ap_hpss_options o = with_parts(ALL);
    float *y = parts_of(x, (ap_format){8000, 2, 0, 50000}, &o, 4096, &n);
    CHECK(n == 50000 && test_rms(y, 300000) == 0);
    free(y);
    y = parts_of(x, (ap_format){192000, 8, 0, 0}, &o, 4096, &n);
    CHECK(y && n == 0);
    free(y);
    x[0] = 0.5f;
    y = parts_of(x, (ap_format){192000, 1, 0, 1}, &o, 4096, &n);
    CHECK(n == 1);
    CHECK_NEAR(y[0] + y[1] + y[2], 0.5, 1e-7);
    free(y);
    free(x);
}

static void what_is_not_finite_counts_as_zero(void)
{
    size_t frames = 20000, n;
    float *x = make_music(frames, 2, 44100), *clean = malloc(2 * frames * sizeof *clean);
    float bad[] = {NAN, INFINITY, -INFINITY, 1e30f};
    for (size_t i = 0; i < 40; i++)
        x[i * 997] = bad[i % 4];
    memcpy(clean, x, 2 * frames * sizeof *x);
    ap_sanitize(clean, 2 * frames);
    ap_format format = {44100, 2, 0, frames};
    ap_hpss_options o = with_parts(ALL);
    float *a = parts_of(x, format, &o, 4096, &n), *b = parts_of(clean, format, &o, 4096, &n);
    CHECK(test_max_difference(a, b, 6 * n) == 0);
    free(a);
    free(b);
    free(x);
    free(clean);
}

static void loud_is_as_good_as_quiet(void)
{
    size_t frames = 20000, n;
    float *x = make_music(frames, 1, 44100), *y = malloc(frames * sizeof *y);
    ap_format format = {44100, 1, 0, frames};
    float *a = parts_of(x, format, NULL, 4096, &n);
    for (int e = -40; e <= 38; e += 13) {
        for (size_t i = 0; i < frames; i++)
            y[i] = ldexpf(x[i], e);
        float *b = parts_of(y, format, NULL, 4096, &n);
        for (size_t i = 0; i < frames; i++)
            b[i] = ldexpf(b[i], -e);
        CHECK(test_max_difference(a, b, n) < 1e-6);
        free(b);
    }
    free(a);
    free(x);
    free(y);
}

static void refuses(ap_hpss_options o, uint32_t channels, ap_status code, const char *word)
{
    float x[AP_MAX_CHANNELS] = {0};
    ap_error err = {0};
    ap_format format = {44100, channels, 0, 1};
    CHECK(!ap_hpss(ap_source_memory(&format, x, NULL), &o, &err));
    CHECK(err.code == code && strstr(err.message, word));
}

static void bad_options_are_refused(void)
{
    ap_hpss_options o = with_parts(ALL);
    refuses(with_parts(0), 1, AP_USAGE, "parts");
    refuses(with_parts(8), 1, AP_USAGE, "parts");
    refuses(o, 43, AP_FAILED, "43 channels");
    o.window = 2047;
    refuses(o, 1, AP_USAGE, "odd");
    o.window = 2048;
    o.hop = 513;
    refuses(o, 1, AP_USAGE, "hop");
    o = with_parts(ALL);
    o.kernel_percussive = 256;
    refuses(o, 1, AP_USAGE, "kernel");
    o = with_parts(ALL);
    o.margin_harmonic = 0.5;
    refuses(o, 1, AP_USAGE, "margin");
    o.margin_harmonic = NAN;
    refuses(o, 1, AP_USAGE, "margin");
    o = with_parts(ALL);
    o.power = -INFINITY;
    refuses(o, 1, AP_USAGE, "power");
    o.power = NAN;
    refuses(o, 1, AP_USAGE, "power");
}

TEST_MAIN(CASE(equals_librosa), CASE(equals_librosa_when_short), CASE(equals_librosa_with_options),
          CASE(equals_librosa_all_or_nothing), CASE(parts_add_up_to_the_input),
          CASE(each_part_is_what_it_is_among_all), CASE(any_block_size_gives_the_same),
          CASE(keeps_a_length_that_was_not_announced), CASE(tones_are_harmonic_and_clicks_percussive),
          CASE(the_image_does_not_wander), CASE(silence_nothing_and_one_frame),
          CASE(what_is_not_finite_counts_as_zero), CASE(loud_is_as_good_as_quiet),
          CASE(bad_options_are_refused))
