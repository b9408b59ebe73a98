/* SPDX-License-Identifier: GPL-3.0-or-later
 * Sums of streams: gains, delays, lengths, and whose they are when something fails. */
#include "base/error.h"
#include "stream/stream.h"
#include "test.h"

#define MAX 40000

/* A source of noise whose length may be unknown, that counts how often one is closed. */
typedef struct noise {
    float *data;
    size_t frames, at;
    uint32_t channels;
    size_t chunk;
    bool fails;
} noise;

static int closed;

static ptrdiff_t noise_pull(void *user, float *frames, size_t max, ap_error *err)
{
    noise *s = user;
    size_t n = s->frames - s->at < max ? s->frames - s->at : max;
    n = n < s->chunk ? n : s->chunk;
    if (n == 0 && s->fails) {
        ap_fail(err, AP_FAILED, "broken");
        return -1;
    }
    memcpy(frames, s->data + s->at * s->channels, n * s->channels * sizeof *frames);
    s->at += n;
    return (ptrdiff_t)n;
}

static void noise_close(void *user)
{
    noise *s = user;
    closed++;
    free(s->data);
    free(s);
}

static ap_stream *source(uint32_t rate, uint32_t channels, size_t frames, uint64_t seed, bool known)
{
    noise *s = malloc(sizeof *s);
    *s = (noise){
        test_noise(frames * channels, 0.5f, seed), frames, 0, channels, 100 + 777 * (seed % 5), false};
    ap_format format = {rate, channels, 0, known ? frames : AP_UNKNOWN};
    return ap_source(&format, noise_pull, noise_close, s, NULL);
}

static float *mixed(ap_stream **sources, const ap_mix_input *inputs, size_t count, const ap_mix_options *o,
                    size_t block, size_t *n)
{
    return test_drain(ap_mix(sources, inputs, count, o, NULL), block, n);
}

static void the_sum_is_the_sum(void)
{
    static const double gains[] = {1, 0.5, -2, 0};
    for (uint32_t channels = 1; channels <= 8; channels++) {
        ap_stream *sources[4];
        ap_mix_input inputs[4];
        float *x[4];
        size_t n;
        for (int i = 0; i < 4; i++) {
            sources[i] = source(48000, channels, 9999, (uint64_t)i, i % 2);
            inputs[i] = (ap_mix_input){gains[i], 0};
            x[i] = test_noise(9999 * channels, 0.5f, (uint64_t)i);
        }
        float *y = mixed(sources, inputs, 4, NULL, 1000, &n);
        CHECK(n == 9999);
        double worst = 0;
        for (size_t i = 0; y && i < n * channels; i++)
            worst = fmax(worst, fabs(x[0][i] + 0.5 * x[1][i] - 2.0 * x[2][i] - y[i]));
        CHECK(worst < 3e-7);
        for (int i = 0; i < 4; i++) {
            CHECK(!sources[i]);
            free(x[i]);
        }
        free(y);
    }
}

static void one_input_is_itself(void)
{
    size_t n;
    float *x = test_noise(500, 0.5f, 3);
    ap_stream *s = source(8000, 1, 500, 3, true);
    float *y = mixed(&s, NULL, 1, NULL, 77, &n);
    CHECK(n == 500 && memcmp(x, y, 500 * sizeof *x) == 0);
    free(x);
    free(y);
}

static void what_is_removed_is_gone(void)
{
    size_t n;
    ap_mix_options o = {.remove = true};
    ap_stream *sources[] = {source(44100, 2, MAX, 3, true), source(44100, 2, MAX, 3, false)};
    float *y = mixed(sources, NULL, 2, &o, 4096, &n);
    CHECK(n == MAX && test_rms(y, 2 * MAX) == 0);
    free(y);
}

/* Lengths 300 and 20000, in either order, each known or not. */
static void longest_and_shortest(void)
{
    for (int variant = 0; variant < 16; variant++) {
        bool swap = variant & 1, known = variant & 2, known_too = variant & 4, shortest = variant & 8;
        ap_mix_options o = {.shortest = shortest};
        size_t n, lengths[] = {swap ? 20000 : 300, swap ? 300 : 20000};
        ap_stream *sources[] = {source(44100, 1, lengths[0], 1, known),
                                source(44100, 1, lengths[1], 2, known_too)};
        ap_stream *s = ap_mix(sources, NULL, 2, &o, NULL);
        size_t want = shortest ? 300 : 20000;
        CHECK(ap_stream_format(s)->frames == (known && known_too ? want : AP_UNKNOWN));
        float *y = test_drain(s, 999, &n);
        CHECK(n == want);
        if (!shortest) {
            float *x = test_noise(20000, 0.5f, swap ? 1 : 2);
            CHECK(memcmp(x + 300, y + 300, 19700 * sizeof *x) == 0);
            free(x);
        }
        free(y);
    }
}

static void delays_are_silence_before(void)
{
    size_t n;
    ap_mix_input inputs[] = {{1, 0.01}, {2, 0.5}};
    ap_stream *sources[] = {source(10000, 2, 1000, 1, true), source(10000, 2, 1000, 2, true)};
    float *y = mixed(sources, inputs, 2, NULL, 333, &n);
    float *a = test_noise(2000, 0.5f, 1), *b = test_noise(2000, 0.5f, 2);
    CHECK(n == 6000);
    CHECK(test_rms(y, 200) == 0 && memcmp(y + 200, a, 2000 * sizeof *a) == 0);
    CHECK(test_rms(y + 2200, 7800) == 0);
    for (size_t i = 0; i < 2000; i++)
        b[i] *= 2;
    CHECK(memcmp(y + 10000, b, 2000 * sizeof *b) == 0);
    free(a);
    free(b);
    free(y);
}

static void any_block_size_gives_the_same(void)
{
    ap_mix_input inputs[] = {{0.7, 0.003}, {-1.3, 0}, {0.3, 0.1}};
    float *first = NULL;
    for (size_t block = 1; block < 60000; block = block * 4 + 1) {
        size_t n;
        ap_stream *sources[] = {source(44100, 3, 9000, 1, true), source(44100, 3, 5000, 2, false),
                                source(44100, 3, 7000, 3, true)};
        float *y = mixed(sources, inputs, 3, NULL, block, &n);
        CHECK(n == 7000 + 4410);
        if (first)
            CHECK(memcmp(first, y, n * 3 * sizeof *y) == 0);
        if (first)
            free(y);
        else
            first = y;
    }
    free(first);
}

static void empty_streams_add_nothing(void)
{
    size_t n;
    ap_stream *none[] = {source(44100, 2, 0, 1, true), source(44100, 2, 0, 2, false)};
    float *y = mixed(none, NULL, 2, NULL, 10, &n);
    CHECK(y && n == 0);
    free(y);
    ap_stream *one[] = {source(44100, 2, 0, 1, false), source(44100, 2, 1, 2, true)};
    float *x = test_noise(2, 0.5f, 2);
    y = mixed(one, NULL, 2, NULL, 10, &n);
    CHECK(n == 1 && memcmp(x, y, 2 * sizeof *x) == 0);
    free(x);
    free(y);
}

/* The same as when each is converted by hand. */
static void others_are_converted(void)
{
    size_t n, m;
    ap_mix_options o = {.convert = true};
    ap_stream *sources[] = {source(44100, 2, 20000, 1, true), source(22050, 6, 10000, 2, true)};
    float *y = mixed(sources, NULL, 2, &o, 4096, &n);
    ap_stream *by_hand = ap_resample(ap_remix(source(22050, 6, 10000, 2, true), 2, NULL), 44100, NULL);
    ap_stream *sources_too[] = {source(44100, 2, 20000, 1, true), by_hand};
    float *z = mixed(sources_too, NULL, 2, NULL, 4096, &m);
    CHECK(n == 20000 && m == n && memcmp(y, z, n * 2 * sizeof *y) == 0);
    free(y);
    free(z);
}

static void others_are_refused(void)
{
    ap_error err = {0};
    closed = 0;
    ap_stream *rates[] = {source(44100, 2, 10, 1, true), source(48000, 2, 10, 2, true),
                          source(44100, 2, 1, 1, 1)};
    CHECK(!ap_mix(rates, NULL, 3, NULL, &err));
    CHECK(err.code == AP_FAILED && strstr(err.message, "48000 Hz") && strstr(err.message, "44100 Hz"));
    CHECK(closed == 3);
    ap_stream *channels[] = {source(44100, 2, 10, 1, true), source(44100, 1, 10, 2, true)};
    CHECK(!ap_mix(channels, NULL, 2, NULL, &err));
    CHECK(strstr(err.message, "1 channel,") && closed == 5);
}

static void bad_arguments_are_refused(void)
{
    ap_error err = {AP_OK, "untouched"};
    closed = 0;
    ap_stream *missing[] = {source(44100, 2, 10, 1, true), NULL, source(44100, 2, 10, 1, true)};
    CHECK(!ap_mix(missing, NULL, 3, NULL, &err) && closed == 2);
    CHECK(strcmp(err.message, "untouched") == 0);
    CHECK(!ap_mix(NULL, NULL, 0, NULL, &err) && err.code == AP_USAGE);
    static const ap_mix_input bad[] = {{NAN, 0}, {1, -1}, {1, NAN}, {INFINITY, 0}, {1, 1e12}};
    for (int i = 0; i < 5; i++) {
        err.code = AP_OK;
        ap_stream *s = source(44100, 1, 10, 1, true);
        CHECK(!ap_mix(&s, &bad[i], 1, NULL, &err) && err.code == AP_USAGE);
    }
    CHECK(closed == 7);
}

static void failing_inputs_fail_the_sum(void)
{
    for (int which = 0; which < 2; which++) {
        ap_error err = {0};
        float block[64];
        ptrdiff_t n;
        noise *bad = malloc(sizeof *bad);
        *bad = (noise){test_noise(100, 0.5f, 1), 100, 0, 1, 30, true};
        ap_stream *broken =
            ap_source(&(ap_format){8000, 1, 0, AP_UNKNOWN}, noise_pull, noise_close, bad, NULL);
        ap_stream *good = source(8000, 1, 1000, 1, true);
        ap_stream *sources[] = {which ? good : broken, which ? broken : good};
        ap_stream *s = ap_mix(sources, NULL, 2, NULL, &err);
        while ((n = ap_read(s, block, 64, &err)) > 0)
            continue;
        CHECK(n == -1 && strcmp(err.message, "broken") == 0);
        ap_close(&s);
    }
}

/* The first gives the name and the tags, all give warnings. */
static void tags_and_warnings(void)
{
    ap_stream *sources[3];
    float block[64];
    for (int i = 0; i < 3; i++) {
        char text[] = "title 0";
        text[6] = (char)('0' + i);
        ap_tags *tags = ap_tags_new();
        ap_tags_add(tags, "TITLE", text);
        sources[i] = source(8000, 1, 10, 1, true);
        sources[i] = ap_stream_describe(sources[i], text, tags, NULL);
        ap_warn(sources[i], "beware of %d", i);
    }
    ap_stream *s = ap_mix(sources, NULL, 3, NULL, NULL);
    CHECK(strcmp(ap_tags_get(ap_stream_tags(s), "TITLE"), "title 0") == 0);
    CHECK(strcmp(ap_stream_name(s), "title 0") == 0);
    while (ap_read(s, block, 64, NULL) > 0)
        continue;
    unsigned seen = 0;
    for (const char *w; (w = ap_stream_warning(s));)
        seen |= 1u << (w[strlen("beware of ")] - '0');
    CHECK(seen == 7);
    ap_close(&s);
}

TEST_MAIN(CASE(the_sum_is_the_sum), CASE(one_input_is_itself), CASE(what_is_removed_is_gone),
          CASE(longest_and_shortest), CASE(delays_are_silence_before), CASE(any_block_size_gives_the_same),
          CASE(empty_streams_add_nothing), CASE(others_are_converted), CASE(others_are_refused),
          CASE(bad_arguments_are_refused), CASE(failing_inputs_fail_the_sum), CASE(tags_and_warnings))
