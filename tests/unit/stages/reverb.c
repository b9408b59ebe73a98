/* SPDX-License-Identifier: GPL-3.0-or-later
 * Freeverb against its formulas, written out plainly in double precision. */
#include "stream/stream.h"
#include "test.h"

#include <ebur128.h>

#define FRAMES 30000

/* ---- the formulas */

typedef struct line {
    double data[8192];
    int length, at;
    double state;
} line;

static double comb(line *l, double x, double damp, double feedback)
{
    double y = l->data[l->at];
    l->state = y * (1 - damp) + l->state * damp;
    l->data[l->at] = x + feedback * l->state;
    l->at = (l->at + 1) % l->length;
    return y;
}

static double allpass(line *l, double x)
{
    double v = l->data[l->at];
    l->data[l->at] = x + 0.5 * v;
    l->at = (l->at + 1) % l->length;
    return v - x;
}

/* One bank: the reverberation of x, spread 0 left, 23 right. */
static void reference_bank(const double *x, double *y, int n, int spread, const ap_reverb_options *o,
                           int rate)
{
    static const int combs[] = {1116, 1188, 1277, 1356, 1422, 1491, 1557, 1617},
                     passes[] = {556, 441, 341, 225};
    line *l = calloc(12, sizeof *l);
    for (int i = 0; i < 12; i++)
        l[i].length = rate * ((i < 8 ? combs[i] : passes[i - 8]) + spread) / 44100;
    double damp = o->freeze ? 0 : 0.4 * o->damping, feedback = o->freeze ? 1 : 0.28 * o->room + 0.7;
    for (int t = 0; t < n; t++) {
        double sum = 0;
        for (int i = 0; i < 8; i++)
            sum += comb(&l[i], o->freeze ? 0 : x[t] * 0.015, damp, feedback);
        for (int i = 8; i < 12; i++)
            sum = allpass(&l[i], sum);
        y[t] = sum;
    }
    free(l);
}

static void check_against_formulas(const ap_reverb_options *o, int rate)
{
    float *in;
    size_t n;
    ap_reverb_options options = *o;
    options.tail_db = 0;
    ap_stream *s = ap_reverb(test_noise_stream((uint32_t)rate, 2, FRAMES, &in), &options, NULL);
    float *out = test_drain(s, 1000, &n);
    CHECK(n == FRAMES);
    double *x = malloc(3 * FRAMES * sizeof *x), *left = x + FRAMES, *right = left + FRAMES, worst = 0;
    for (int i = 0; i < FRAMES; i++)
        x[i] = (double)in[2 * i] + (double)in[2 * i + 1];
    reference_bank(x, left, FRAMES, 0, o, rate);
    reference_bank(x, right, FRAMES, 23, o, rate);
    double w1 = 3 * o->wet * (1 + o->width) / 2, w2 = 3 * o->wet * (1 - o->width) / 2;
    for (size_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs(out[2 * i] - (left[i] * w1 + right[i] * w2 + 2 * o->dry * in[2 * i])));
        worst =
            fmax(worst, fabs(out[2 * i + 1] - (right[i] * w1 + left[i] * w2 + 2 * o->dry * in[2 * i + 1])));
    }
    CHECK_NEAR(worst, 0, 1e-5);
    free(x);
    free(out);
    free(in);
}

static void equals_the_formulas(void)
{
    ap_reverb_options o;
    ap_reverb_defaults(&o);
    check_against_formulas(&o, 44100);
    check_against_formulas(&o, 48000);
    check_against_formulas(&o, 8000);
    check_against_formulas(&o, 192000);
    check_against_formulas(&(ap_reverb_options){.room = 1, .damping = 0, .wet = 1, .dry = 0, .width = 0.3},
                           44100);
    check_against_formulas(&(ap_reverb_options){.room = 0, .damping = 1, .wet = 0.5, .dry = 1, .width = 0},
                           44100);
    check_against_formulas(&(ap_reverb_options){.room = 0.5, .wet = 0.5, .dry = 0.5, .freeze = true}, 44100);
}

static float *impulse_response(uint32_t rate, uint32_t channels, const ap_reverb_options *o, size_t block,
                               size_t *n)
{
    float *in = calloc((size_t)channels * 4, sizeof *in);
    for (uint32_t c = 0; c < channels; c++)
        in[c] = 1;
    ap_stream *s = ap_source_memory(&(ap_format){rate, channels, 0, 4}, in, NULL);
    float *out = test_drain(ap_reverb(s, o, NULL), block, n);
    free(in);
    return out;
}

static void published_impulse_response(void)
{
    size_t n;
    float *h = impulse_response(44100, 2, NULL, 4096, &n);
    CHECK_NEAR(h[0], 0.8, 1e-6);
    CHECK_NEAR(h[2 * 1116], 0.0297, 1e-6);
    CHECK_NEAR(h[2 * 1139 + 1], 0.0297, 1e-6);
    for (size_t i = 1; i < 1116; i++)
        if (h[2 * i] != 0)
            CHECK_NEAR(h[2 * i], 0, 0);
    /* T30: from -5 to -35 dB of the backward integral (ISO 3382-1), times two */
    double total = 0, left = 0;
    size_t at5 = 0, at35 = 0;
    for (size_t i = 1; i < n; i++)
        total += (double)h[2 * i] * h[2 * i];
    left = total;
    for (size_t i = 1; i < n; i++) {
        left -= (double)h[2 * i] * h[2 * i];
        at5 = 10 * log10(left / total) > -5 ? i : at5;
        at35 = 10 * log10(left / total) > -35 ? i : at35;
    }
    CHECK_NEAR(2 * (double)(at35 - at5) / 44100, 1.076, 0.02);
    free(h);
}

static void tail_is_announced_and_fades(void)
{
    size_t n;
    float *in;
    ap_stream *s = ap_reverb(test_noise_stream(44100, 2, 1000, &in), NULL, NULL);
    uint64_t frames = ap_stream_format(s)->frames;
    float *out = test_drain(s, 512, &n);
    CHECK(n == frames && n > 1000);
    CHECK(20 * log10(test_rms(out + 2 * (n - 2000), 4000) / test_rms(out + 2 * 2000, 8000)) < -75);
    free(in);
    free(out);
    CHECK(ap_reverb(NULL, NULL, NULL) == NULL);
}

static void any_block_size_gives_the_same(void)
{
    size_t n, m;
    ap_reverb_options o;
    ap_reverb_defaults(&o);
    o.pre_delay_s = 0.02;
    for (uint32_t channels = 1; channels <= 8; channels++) {
        float *a = impulse_response(8000, channels, &o, 4096, &n);
        for (size_t block = 1; block < 1000; block = block * 3 + 1) {
            float *b = impulse_response(8000, channels, &o, block, &m);
            CHECK(n == m && memcmp(a, b, n * channels * sizeof *a) == 0);
            free(b);
        }
        free(a);
    }
}

/* Reverberation only, of noise in one channel of a layout. */
static float *room_of(uint32_t channels, uint32_t mask, uint32_t channel, float gain, size_t *n)
{
    ap_reverb_options o;
    ap_reverb_defaults(&o);
    o.dry = 0;
    float *noise, *in = calloc((size_t)channels * 4000, sizeof *in);
    ap_stream *s = test_noise_stream(8000, 1, 4000, &noise);
    ap_close(&s);
    for (size_t i = 0; i < 4000; i++)
        in[i * channels + channel] = gain * noise[i];
    s = ap_source_memory(&(ap_format){8000, channels, mask, 4000}, in, NULL);
    float *out = test_drain(ap_reverb(s, &o, NULL), 4096, n);
    free(in);
    free(noise);
    return out;
}

static double channel_power(const float *x, size_t n, uint32_t channels, uint32_t c)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i * channels + c] * (double)x[i * channels + c];
    return sum / (double)n;
}

/* Layouts of ffmpeg. In each row: a speaker, and the channels in which its reverberation is heard. */
static void rooms_are_of_speakers(void)
{
    static const struct {
        uint32_t channels, mask, speaker, heard;
    } rows[] = {
        {3, 0xb, AP_LOW_FREQUENCY, 0}, /* 2.1 */
        {6, 0x3f, AP_LOW_FREQUENCY, 0},
        {6, 0x3f, AP_FRONT_LEFT, 0x3},
        {6, 0x3f, AP_FRONT_CENTER, 0x3},
        {6, 0x3f, AP_BACK_RIGHT, 0x30},
        {5, 0x37, AP_BACK_LEFT, 0x30}, /* 5.0: an odd number before the surrounds */
        {7, 0x70f, AP_BACK_CENTER, AP_SIDE_LEFT | AP_SIDE_RIGHT},
        {8, 0x63f, AP_SIDE_LEFT, AP_SIDE_LEFT | AP_SIDE_RIGHT},
        {4, 0x107, AP_BACK_CENTER, 0x3}, /* 4.0 */
        {4, 0x33, AP_BACK_LEFT, 0x30},
        {1, 0x4, AP_FRONT_CENTER, 0x4},
        {2, 0x600, AP_SIDE_LEFT, 0x600},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        size_t n;
        uint32_t mask = rows[r].mask;
        uint32_t from = ap_speaker_channel(mask, rows[r].speaker);
        float *out = room_of(rows[r].channels, mask, from, 1, &n);
        for (uint32_t bit = 1; bit <= mask; bit <<= 1) {
            double power = channel_power(out, n, rows[r].channels, ap_speaker_channel(mask, bit));
            if (mask & bit && !CHECK(rows[r].heard & bit ? power > 1e-6 : power == 0))
                fprintf(stderr, "  row %zu, speaker 0x%x: power %g\n", r, bit, power);
        }
        free(out);
    }
}

/* A centre is what a phantom centre is in stereo. */
static void a_centre_is_equally_left_and_right(void)
{
    size_t n, m;
    float *centre = room_of(6, 0x3f, 2, 1, &n), *left = room_of(2, 0x3, 0, (float)M_SQRT2, &m);
    CHECK(n == m);
    double worst = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < 2; c++)
            worst = fmax(worst, fabs((double)centre[6 * i + c] - (double)left[2 * i + c]));
    CHECK_NEAR(worst, 0, 1e-6);
    CHECK_NEAR(10 * log10(channel_power(centre, n, 6, 0) / channel_power(centre, n, 6, 1)), 0, 1);
    free(centre);
    free(left);
}

static void channels_without_places_are_alone(void)
{
    size_t n;
    float *out = room_of(4, AP_DISCRETE, 2, 1, &n);
    for (uint32_t c = 0; c < 4; c++)
        CHECK(c == 2 ? channel_power(out, n, 4, c) > 1e-6 : channel_power(out, n, 4, c) == 0);
    free(out);
}

static void pre_delay_delays_the_reverberation_only(void)
{
    size_t n, m;
    ap_reverb_options o;
    ap_reverb_defaults(&o);
    float *a = impulse_response(44100, 1, &o, 4096, &n);
    o.pre_delay_s = 0.01;
    float *b = impulse_response(44100, 1, &o, 4096, &m);
    CHECK(m == n + 441 && a[0] == b[0]);
    CHECK(test_max_difference(a + 4, b + 4 + 441, n - 4) == 0);
    free(a);
    free(b);
}

static void silence_stays_silent(void)
{
    size_t n;
    float *in = calloc(2 * 5000, sizeof *in);
    float *out = test_drain(
        ap_reverb(ap_source_memory(&(ap_format){44100, 2, 0, 5000}, in, NULL), NULL, NULL), 999, &n);
    CHECK(n > 5000);
    for (size_t i = 0; i < 2 * n; i++)
        CHECK(out[i] == 0);
    free(in);
    free(out);
}

static void what_is_not_finite_does_not_stay(void)
{
    size_t n;
    float *in = calloc(2 * 5000, sizeof *in);
    in[100] = NAN;
    in[201] = INFINITY;
    float *out = test_drain(
        ap_reverb(ap_source_memory(&(ap_format){44100, 2, 0, 5000}, in, NULL), NULL, NULL), 999, &n);
    CHECK(n > 5000 && test_rms(out, 2 * n) == 0);
    free(in);
    free(out);
}

static void nothing_stays_nothing(void)
{
    size_t n;
    float none[2] = {0};
    float *out =
        test_drain(ap_reverb(ap_source_memory(&(ap_format){44100, 2, 0, 0}, none, NULL), NULL, NULL), 99, &n);
    CHECK(out && n == 0);
    free(out);
}

static void keeps_the_loudness(void)
{
    for (int kind = 0; kind < 3; kind++) {
        size_t n;
        float *x = test_noise(2 * 44100 * 5, 0.2f, 7);
        for (size_t i = 2; i < 2 * 44100 * 5; i++)
            x[i] = 0.95f * x[i - 2] + 0.1f * x[i];
        for (size_t i = 0; kind == 1 && i < 44100 * 5; i++)
            x[2 * i + 1] = x[2 * i];
        for (size_t i = 0; kind == 2 && i < 44100 * 5; i++)
            x[2 * i + 1] = 0.5f * (x[2 * i] + x[2 * i + 1]);
        ap_reverb_options o;
        ap_reverb_defaults(&o);
        o.keep_loudness = true;
        o.wet = 0.25;
        ap_stream *s = ap_source_memory(&(ap_format){44100, 2, 0, 44100 * 5}, x, NULL);
        float *y = test_drain(ap_reverb(s, &o, NULL), 4096, &n);
        double before, after;
        ebur128_state *meter = ebur128_init(2, 44100, EBUR128_MODE_I);
        ebur128_add_frames_float(meter, x, 44100 * 5);
        ebur128_loudness_global(meter, &before);
        ebur128_destroy(&meter);
        meter = ebur128_init(2, 44100, EBUR128_MODE_I);
        ebur128_add_frames_float(meter, y, 44100 * 5);
        ebur128_loudness_global(meter, &after);
        ebur128_destroy(&meter);
        CHECK_NEAR(after, before, 0.7);
        free(x);
        free(y);
    }
}

static void bad_options_are_refused(void)
{
    for (int i = 0; i < 4; i++) {
        ap_reverb_options o;
        ap_reverb_defaults(&o);
        float *in;
        double bad[] = {-0.1, 1.1, NAN, INFINITY};
        o.room = bad[i];
        ap_error err = {0};
        CHECK(!ap_reverb(test_noise_stream(44100, 2, 10, &in), &o, &err));
        CHECK(err.code == AP_USAGE && strstr(err.message, "room"));
        free(in);
    }
}

TEST_MAIN(CASE(equals_the_formulas), CASE(published_impulse_response), CASE(tail_is_announced_and_fades),
          CASE(any_block_size_gives_the_same), CASE(pre_delay_delays_the_reverberation_only),
          CASE(rooms_are_of_speakers), CASE(a_centre_is_equally_left_and_right),
          CASE(channels_without_places_are_alone), CASE(silence_stays_silent),
          CASE(what_is_not_finite_does_not_stay), CASE(nothing_stays_nothing), CASE(keeps_the_loudness),
          CASE(bad_options_are_refused))
