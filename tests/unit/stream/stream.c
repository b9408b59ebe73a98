/* SPDX-License-Identifier: GPL-3.0-or-later
 * Streams: lengths, ends, errors, ownership. */
#include "stream/stream.h"
#include "stream/processor.h"
#include "stream/replay.h"
#include "stream/stft.h"
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
    static const ap_format bad[] = {{0, 1, 0, 1},
                                    {999, 1, 0, 1},
                                    {800000, 1, 0, 1},
                                    {44100, 0, 0, 1},
                                    {44100, AP_MAX_CHANNELS + 1, 0, 1}};
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

/* ---- constructors close what they were given, once, and keep the first error */

static void count_close(void *state)
{
    ++*(int *)state;
}

static ptrdiff_t read_nothing(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    (void)s, (void)frames, (void)max, (void)err;
    return 0;
}

static void process_nothing(void *state, const float *in, float *out, size_t frames)
{
    (void)state, (void)in, (void)out, (void)frames;
}

static void take_nothing(void *state, uint64_t t, const float *spectra)
{
    (void)state, (void)t, (void)spectra;
}

static void give_nothing(void *state, uint64_t t, uint64_t slots, const float *spectra, float *made)
{
    (void)state, (void)t, (void)slots, (void)spectra, (void)made;
}

static const ap_stream_ops counting = {.read = read_nothing, .close = count_close};
static const ap_format mono = {44100, 1, 0, 0};

typedef ap_stream *construct_fn(ap_stream *source, void *state, ap_error *err);

static ap_stream *wrap(ap_stream *source, void *state, ap_error *err)
{
    return ap_stream_wrap(source, &counting, state, NULL, err);
}

static ap_stream *process(ap_stream *source, void *state, ap_error *err)
{
    static const ap_processor processor = {.process = process_nothing, .free = count_close};
    return ap_processor_stream(source, 1, 0, &processor, state, err);
}

static ap_stream *transform(ap_stream *source, void *state, ap_error *err)
{
    static const ap_spectral spectral = {.window = 64,
                                         .hop = 16,
                                         .channels = 1,
                                         .groups = 1,
                                         .take = take_nothing,
                                         .give = give_nothing,
                                         .free = count_close};
    return ap_stft_stream(source, &spectral, state, err);
}

static construct_fn *const constructors[] = {wrap, process, transform};

static void what_was_taken_over_is_closed_once(void)
{
    for (size_t i = 0; i < sizeof constructors / sizeof *constructors; i++) {
        int source = 0, state = 0;
        ap_error err = {AP_TRY_AGAIN, "first"};
        ap_stream *s = ap_stream_new(&counting, &source, &mono, NULL, NULL, &err);
        CHECK(!constructors[i](s, NULL, &err) && source == 1); /* no state */
        CHECK(!constructors[i](NULL, &state, &err) && state == 1);
        CHECK(!constructors[i](NULL, NULL, &err));
        CHECK(err.code == AP_TRY_AGAIN && strcmp(err.message, "first") == 0);
        s = constructors[i](ap_stream_new(&counting, &source, &mono, NULL, NULL, &err), &state, &err);
        CHECK(s && source == 1 && state == 1);
        ap_close(&s);
        CHECK(source == 2 && state == 2);
    }
}

static void a_bad_format_closes_both(void)
{
    static const ap_format bad = {44100, AP_MAX_CHANNELS + 1, 0, 0};
    int source = 0, state = 0;
    ap_error err = {0};
    ap_stream *s = ap_stream_new(&counting, &source, &mono, "song", NULL, &err);
    CHECK(!ap_stream_wrap(s, &counting, &state, &bad, &err) && source == 1 && state == 1);
    CHECK(strstr(err.message, "'song' has 129 channels"));
    CHECK(!ap_stream_new(&counting, &state, &bad, "x", ap_tags_new(), &err) && state == 2);
    CHECK(!ap_stream_new(&counting, NULL, &mono, "x", ap_tags_new(), &err)); /* no state: a failed decoder */
}

static void a_stage_may_have_no_state(void)
{
    static const ap_stream_ops stateless = {.read = read_nothing};
    ap_stream *s =
        ap_stream_wrap(ap_stream_new(&stateless, NULL, &mono, "x", NULL, NULL), &stateless, NULL, NULL, NULL);
    CHECK(s && strcmp(ap_stream_name(s), "x") == 0);
    ap_close(&s);
}

static void a_warning_is_given_once(void)
{
    static const ap_stream_ops stateless = {.read = read_nothing};
    ap_stream *s = ap_stream_new(&stateless, NULL, &mono, NULL, NULL, NULL);
    CHECK(!ap_stream_warning(s));
    ap_warn(s, "!%s", "a\nb");
    ap_warn(s, "dropped");
    const char *warning = ap_stream_warning(s);
    CHECK(warning && strcmp(warning, "!a?b") == 0);
    CHECK(!ap_stream_warning(s));
    ap_warn(s, "dropped, too");
    CHECK(!ap_stream_warning(s));
    ap_close(&s);
}

static void replay_gives_the_same_again(void)
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
          CASE(bad_formats_are_refused), CASE(null_source_gives_null),
          CASE(what_was_taken_over_is_closed_once), CASE(a_bad_format_closes_both),
          CASE(a_stage_may_have_no_state), CASE(a_warning_is_given_once), CASE(replay_gives_the_same_again),
          CASE(trim_takes_the_part), CASE(trim_past_the_end_is_an_error),
          CASE(sanitize_drops_what_is_not_finite))
