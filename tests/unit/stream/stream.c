/* SPDX-License-Identifier: GPL-3.0-or-later
 * Streams: lengths, ends, errors, ownership. */
#include "stream/stream.h"
#include "stream/replay.h"
#include "test.h"

static ptrdiff_t pull_ten(void *user, float *frames, size_t max, ap_error *err)
{
    (void)err;
    int *left = user;
    size_t n = max < (size_t)*left ? max : (size_t)*left;
    memset(frames, 0, n * sizeof *frames);
    *left -= (int)n;
    return (ptrdiff_t)n;
}

static void short_stream_is_an_error(void)
{
    int left = 10;
    ap_error err = {0};
    ap_format format = {44100, 1, 0, 11};
    ap_stream *s = ap_source(&format, pull_ten, NULL, &left, &err);
    float x[64];
    CHECK(ap_read(s, x, 64, &err) == 10);
    CHECK(ap_read(s, x, 64, &err) == -1);
    CHECK(err.code == AP_FAILED && strstr(err.message, "truncated"));
    err = (ap_error){0};
    CHECK(ap_read(s, x, 64, &err) == -1 && err.code == AP_FAILED);
    ap_close(&s);
    CHECK(s == NULL);
}

static void longer_stream_is_cut(void)
{
    int left = 10;
    ap_format format = {44100, 1, 0, 9};
    ap_stream *s = ap_source(&format, pull_ten, NULL, &left, NULL);
    float x[64];
    CHECK(ap_read(s, x, 64, NULL) == 9);
    CHECK(ap_read(s, x, 64, NULL) == 0);
    CHECK(ap_read(s, x, 64, NULL) == 0);
    ap_close(&s);
}

static void unknown_length_ends_where_it_ends(void)
{
    int left = 10;
    ap_format format = {44100, 1, 0, AP_UNKNOWN};
    ap_stream *s = ap_source(&format, pull_ten, NULL, &left, NULL);
    float x[64];
    CHECK(ap_read(s, x, 64, NULL) == 10);
    CHECK(ap_read(s, x, 64, NULL) == 0);
    ap_close(&s);
}

static void bad_formats_are_refused(void)
{
    static const ap_format bad[] = {
        {0, 1, 0, 1}, {999, 1, 0, 1}, {800000, 1, 0, 1}, {44100, 0, 0, 1}, {44100, 65, 0, 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int left = 10;
        ap_error err = {0};
        CHECK(!ap_source(&bad[i], pull_ten, NULL, &left, &err));
        CHECK(err.code == AP_FAILED && err.message[0]);
    }
}

static void null_source_gives_null(void)
{
    ap_error err = {AP_TRY_AGAIN, "kept"};
    CHECK(!ap_gain(NULL, 1, &err) && !ap_trim(NULL, 0, 1, &err) && !ap_replay(NULL, NULL, NULL, &err));
    CHECK(strcmp(err.message, "kept") == 0);
}

static void spool_gives_the_same_again(void)
{
    float *data;
    size_t n;
    ap_stream *s = test_noise_stream(8000, 3, 10001, &data);
    s = ap_replay(s, NULL, NULL, NULL);
    CHECK(s && s->format.frames == 10001);
    float *out = test_drain(s, 777, &n);
    CHECK(n == 10001 && memcmp(out, data, n * 3 * sizeof *out) == 0);
    free(out);
    free(data);
}

static void trim_takes_the_part(void)
{
    float *data;
    size_t n;
    ap_stream *s = ap_trim(test_noise_stream(8000, 2, 5000, &data), 1234, 1000, NULL);
    CHECK(s->format.frames == 1000);
    float *out = test_drain(s, 333, &n);
    CHECK(n == 1000 && memcmp(out, data + 2 * 1234, n * 2 * sizeof *out) == 0);
    free(out);
    free(data);
}

static void trim_past_the_end_is_an_error(void)
{
    float *data;
    ap_error err = {0};
    CHECK(!ap_trim(test_noise_stream(8000, 2, 50, &data), 51, 1, &err));
    CHECK(err.code == AP_FAILED);
    free(data);
}

static void sanitize_drops_what_is_not_finite(void)
{
    float x[] = {1, NAN, -INFINITY, 3e38f, -2, 0x1p40f};
    CHECK(ap_sanitize(x, 6) == 3);
    CHECK(x[0] == 1 && x[1] == 0 && x[2] == 0 && x[3] == 0 && x[4] == -2 && x[5] == 0x1p40f);
}

TEST_MAIN(CASE(short_stream_is_an_error), CASE(longer_stream_is_cut), CASE(unknown_length_ends_where_it_ends),
          CASE(bad_formats_are_refused), CASE(null_source_gives_null), CASE(spool_gives_the_same_again),
          CASE(trim_takes_the_part), CASE(trim_past_the_end_is_an_error),
          CASE(sanitize_drops_what_is_not_finite))
