/* SPDX-License-Identifier: GPL-3.0-or-later
 * Normalization: what comes out, measured by libebur128, is the target. */
#include "base/error.h"
#include "stream/stream.h"
#include "test.h"

#include <ebur128.h>

#define RATE 44100
#define FRAMES (RATE * 12)

/* Dull noise with a swell and short accents, in stereo. */
static float *make_music(double level, double accent)
{
    float *x = test_noise(2 * FRAMES, 1, 7);
    for (size_t i = 2; i < 2 * FRAMES; i++)
        x[i] = 0.4f * x[i] + 0.6f * x[i - 2];
    for (size_t i = 0; i < 2 * FRAMES; i++) {
        double t = (double)(i / 2) / RATE, hit = exp(-30 * fmod(t, 0.5));
        x[i] *= level * (0.5 + 0.3 * sin(t) + accent * hit);
    }
    return x;
}

static const ap_format format = {RATE, 2, 0, FRAMES};

static double loudness_of(const float *x)
{
    double loudness;
    ebur128_state *e = ebur128_init(2, RATE, EBUR128_MODE_I);
    ebur128_add_frames_float(e, x, FRAMES);
    ebur128_loudness_global(e, &loudness);
    ebur128_destroy(&e);
    return loudness;
}

static double true_peak_of(const float *x)
{
    double most = 0, peak;
    ebur128_state *e = ebur128_init(2, RATE, EBUR128_MODE_TRUE_PEAK);
    ebur128_add_frames_float(e, x, FRAMES);
    for (unsigned c = 0; c < 2; c++) {
        ebur128_true_peak(e, c, &peak);
        most = fmax(most, peak);
    }
    ebur128_destroy(&e);
    return 20 * log10(most);
}

static ap_normalize_options defaults(void)
{
    ap_normalize_options o;
    ap_normalize_defaults(&o);
    return o;
}

static float *normalized(const float *x, const ap_normalize_options *o, ap_normalization *plan)
{
    size_t n;
    float *y = test_drain(ap_normalize(ap_source_memory(&format, x, NULL), o, plan, NULL), 4096, &n);
    CHECK(n == FRAMES);
    return y;
}

/* y is x times one factor. */
static void check_constant(const float *x, const float *y, double gain_db)
{
    float factor = pow(10, gain_db / 20);
    size_t different = 0;
    for (size_t i = 0; i < 2 * FRAMES; i++)
        different += y[i] != x[i] * factor;
    CHECK(different == 0);
}

static void reaches_a_loudness(void)
{
    static const double levels[] = {0.001, 0.02, 0.5, 3}, targets[] = {-14, -16, -23, -31};
    for (int l = 0; l < 4; l++)
        for (int t = 0; t < 4; t++) {
            ap_normalize_options o = defaults();
            ap_normalization plan;
            o.target = targets[t];
            float *x = make_music(levels[l], 0), *y = normalized(x, &o, &plan);
            CHECK_NEAR(loudness_of(y), targets[t], 0.05);
            CHECK(!plan.held && !plan.limited && !plan.silent);
            CHECK_NEAR(plan.before, loudness_of(x), 0.01);
            CHECK_NEAR(plan.after, targets[t], 0.01);
            check_constant(x, y, plan.gain_db);
            free(x);
            free(y);
        }
}

static void the_ceiling_holds(void)
{
    ap_normalize_options o = defaults();
    ap_normalization plan;
    o.target = -8;
    o.ceiling_dbtp = -2;
    float *x = make_music(0.1, 3), *y = normalized(x, &o, &plan);
    CHECK(plan.held && !plan.limited);
    CHECK_NEAR(true_peak_of(y), -2, 0.01);
    CHECK_NEAR(loudness_of(y), plan.after, 0.05);
    check_constant(x, y, plan.gain_db);
    free(x);
    free(y);
}

static void the_limiter_reaches_the_target(void)
{
    static const double targets[] = {-14, -11, -9};
    for (int t = 0; t < 3; t++) {
        ap_normalize_options o = defaults();
        ap_normalization plan;
        o.target = targets[t];
        o.limit = true;
        float *x = make_music(0.1, 3), *y = normalized(x, &o, &plan);
        CHECK(plan.limited && !plan.held);
        CHECK_NEAR(loudness_of(y), targets[t], 0.05);
        CHECK(true_peak_of(y) <= -1 + 0.1);
        free(x);
        free(y);
    }
}

static void the_limiter_gives_up(void)
{
    ap_normalize_options o = defaults();
    ap_normalization plan;
    o.target = 0;
    o.ceiling_dbtp = -20;
    o.limit = true;
    float *x = make_music(0.1, 3), *y = normalized(x, &o, &plan);
    CHECK(plan.held && plan.limited);
    CHECK_NEAR(loudness_of(y), plan.after, 0.05);
    CHECK(true_peak_of(y) <= -20 + 0.1);
    free(x);
    free(y);
}

static void the_limiter_rests_when_there_is_room(void)
{
    ap_normalize_options o = defaults();
    ap_normalization plan;
    o.target = -30;
    o.limit = true;
    float *x = make_music(0.1, 3), *y = normalized(x, &o, &plan);
    CHECK(!plan.limited);
    CHECK_NEAR(loudness_of(y), -30, 0.05);
    check_constant(x, y, plan.gain_db);
    free(x);
    free(y);
}

static void reaches_a_peak(void)
{
    float *x = make_music(0.1, 3);
    for (double target = -20; target <= 0; target += 5)
        for (int true_peak = 0; true_peak < 2; true_peak++) {
            ap_normalize_options o = {AP_NORMALIZE_PEAK, target, -1, true_peak};
            ap_normalization plan;
            float *y = normalized(x, &o, &plan);
            double sample_peak = 0;
            for (size_t i = 0; i < 2 * FRAMES; i++)
                sample_peak = fmax(sample_peak, fabs(y[i]));
            CHECK_NEAR(true_peak ? true_peak_of(y) : 20 * log10(sample_peak), target, 0.005);
            CHECK(!plan.held);
            free(y);
        }
    free(x);
}

static void reaches_an_rms_level(void)
{
    float *x = make_music(0.1, 3);
    for (int limit = 0; limit < 2; limit++) {
        ap_normalize_options o = {AP_NORMALIZE_RMS, limit ? -15 : -30, -1, true, limit};
        ap_normalization plan;
        float *y = normalized(x, &o, &plan);
        CHECK_NEAR(20 * log10(test_rms(y, 2 * FRAMES)), o.target, 0.05);
        CHECK(plan.limited == limit);
        free(y);
    }
    free(x);
}

static void lower_only_never_raises(void)
{
    ap_normalize_options o = defaults();
    o.lower_only = true;
    ap_normalization plan;
    float *quiet = make_music(0.02, 0), *loud = make_music(3, 0);
    float *y = normalized(quiet, &o, &plan);
    CHECK(plan.gain_db == 0 && memcmp(quiet, y, sizeof *y * 2 * FRAMES) == 0 && !plan.held);
    free(y);
    y = normalized(loud, &o, &plan);
    CHECK_NEAR(loudness_of(y), -14, 0.05);
    free(y);
    o.limit = true; /* the ceiling is kept all the same */
    o.ceiling_dbtp = -45;
    y = normalized(quiet, &o, &plan);
    CHECK(plan.gain_db == 0 && plan.limited && true_peak_of(y) <= -45 + 0.1 && !plan.held);
    free(y);
    free(quiet);
    free(loud);
}

static void silence_stays(void)
{
    float *zeros = calloc(2 * FRAMES, sizeof *zeros), *hum = calloc(2 * FRAMES, sizeof *hum);
    for (size_t i = 0; i < 2 * FRAMES; i++)
        hum[i] = 1e-5f * (float)sin(0.01 * i); /* below the gate */
    const float *signals[] = {zeros, hum};
    for (int i = 0; i < 2; i++) {
        ap_normalization plan;
        size_t n;
        ap_stream *s = ap_normalize(ap_source_memory(&format, signals[i], NULL), NULL, &plan, NULL);
        const char *warning = ap_stream_warning(s);
        CHECK(plan.silent && plan.gain_db == 0 && warning && strstr(warning, "silent"));
        float *y = test_drain(s, 4096, &n);
        CHECK(n == FRAMES && memcmp(signals[i], y, sizeof *y * 2 * FRAMES) == 0);
        free(y);
    }
    free(zeros);
    free(hum);
}

static void empty_and_one_frame(void)
{
    size_t n;
    float x[] = {0.5f, -0.25f};
    float *y = test_drain(
        ap_normalize(ap_source_memory(&(ap_format){RATE, 2, 0, 0}, x, NULL), NULL, NULL, NULL), 10, &n);
    CHECK(y && n == 0);
    free(y);
    ap_normalize_options o = {AP_NORMALIZE_PEAK, -3, -1, false};
    y = test_drain(ap_normalize(ap_source_memory(&(ap_format){RATE, 2, 0, 1}, x, NULL), &o, NULL, NULL), 10,
                   &n);
    CHECK(n == 1);
    CHECK_NEAR(y[0], pow(10, -3 / 20.), 1e-6);
    free(y);
}

static void any_block_size_gives_the_same(void)
{
    float *x = make_music(0.1, 3);
    ap_normalize_options o = defaults();
    size_t n;
    o.limit = true;
    float *a = normalized(x, &o, NULL);
    for (size_t block = 13; block < 20000; block = block * 20 + 1) {
        float *b = test_drain(ap_normalize(ap_source_memory(&format, x, NULL), &o, NULL, NULL), block, &n);
        CHECK(memcmp(a, b, sizeof *a * 2 * FRAMES) == 0);
        free(b);
    }
    free(x);
    free(a);
}

/* Two inputs of an album. */
static const float *album[2];

static ap_stream *open_track(void *user, size_t index, ap_error *err)
{
    (*(int *)user)++;
    return ap_source_memory(&format, album[index], err);
}

static void an_album_has_one_gain(void)
{
    float *loud = make_music(0.3, 3), *quiet = make_music(0.1, 1);
    album[0] = loud;
    album[1] = quiet;
    for (int limit = 0; limit < 2; limit++) {
        ap_normalize_options o = defaults();
        ap_normalization plan;
        int opened = 0;
        o.target = limit ? -12 : -20;
        o.limit = limit;
        CHECK(ap_normalize_plan(open_track, &opened, 2, &o, &plan, NULL));
        CHECK(plan.limited == limit && (limit || opened == 2));
        double both;
        ebur128_state *e[2];
        for (int i = 0; i < 2; i++) {
            size_t n;
            float *y = test_drain(ap_normalize_apply(open_track(&opened, i, NULL), &plan, NULL), 4096, &n);
            e[i] = ebur128_init(2, RATE, EBUR128_MODE_I);
            ebur128_add_frames_float(e[i], y, n);
            free(y);
        }
        ebur128_loudness_global_multiple(e, 2, &both);
        CHECK_NEAR(both, o.target, 0.05);
        for (int i = 0; i < 2; i++)
            ebur128_destroy(&e[i]);
    }
    free(loud);
    free(quiet);
}

static void outdated_tags_are_dropped(void)
{
    float x[200] = {0.5f};
    ap_tags *tags = ap_tags_new();
    ap_tags_add(tags, "TITLE", "Song");
    ap_tags_add(tags, "REPLAYGAIN_TRACK_GAIN", "-7.00 dB");
    ap_tags_add(tags, "R128_ALBUM_GAIN", "1234");
    ap_tags_add(tags, "ARTIST", "Band");
    ap_tags_set_picture(tags, "image/png", "abc", 3);
    ap_stream *s = ap_source_memory(&(ap_format){RATE, 2, 0, 100}, x, NULL);
    s = ap_stream_describe(s, "song", tags, NULL);
    s = ap_normalize(s, NULL, NULL, NULL);
    const ap_tags *left = ap_stream_tags(s);
    const char *key, *value;
    CHECK(!ap_tags_get(left, "REPLAYGAIN_TRACK_GAIN") && !ap_tags_get(left, "R128_ALBUM_GAIN"));
    CHECK(strcmp(ap_tags_get(left, "TITLE"), "Song") == 0 &&
          strcmp(ap_tags_get(left, "ARTIST"), "Band") == 0);
    CHECK(!ap_tags_at(left, 2, &key, &value) && ap_tags_picture(left).size == 3);
    CHECK(strcmp(ap_stream_name(s), "song") == 0);
    ap_close(&s);
}

static ptrdiff_t fail_late(void *user, float *frames, size_t max, ap_error *err)
{
    int *calls = user;
    memset(frames, 0, max * sizeof *frames);
    return ++*calls < 5 ? (ptrdiff_t)max : (ap_fail(err, AP_FAILED, "it broke"), -1);
}

static void errors_come_through(void)
{
    ap_error err = {0};
    int calls = 0;
    ap_format mono = {RATE, 1, 0, AP_UNKNOWN};
    CHECK(!ap_normalize(ap_source(&mono, fail_late, NULL, &calls, NULL), NULL, NULL, &err));
    CHECK(err.code == AP_FAILED && strcmp(err.message, "it broke") == 0);
    double bad[] = {0.5, -71, NAN};
    for (int i = 0; i < 3; i++) {
        ap_normalize_options o = defaults();
        o.target = bad[i];
        calls = 0;
        CHECK(!ap_normalize(ap_source(&mono, fail_late, NULL, &calls, NULL), &o, NULL, &err));
        CHECK(err.code == AP_USAGE && strstr(err.message, "target") && calls == 0);
    }
    CHECK(!ap_normalize(NULL, NULL, NULL, NULL));
}

TEST_MAIN(CASE(reaches_a_loudness), CASE(the_ceiling_holds), CASE(the_limiter_reaches_the_target),
          CASE(the_limiter_gives_up), CASE(the_limiter_rests_when_there_is_room), CASE(reaches_a_peak),
          CASE(reaches_an_rms_level), CASE(lower_only_never_raises), CASE(silence_stays),
          CASE(empty_and_one_frame), CASE(any_block_size_gives_the_same), CASE(an_album_has_one_gain),
          CASE(outdated_tags_are_dropped), CASE(errors_come_through))
