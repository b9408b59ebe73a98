/* SPDX-License-Identifier: GPL-3.0-or-later
 * The spatialize stage in both modes: lengths, latency, determinism, loudness. */
#include "dsp/fft.h"
#include "stages/spatial/renderer.h"
#include "stages/spatial/trajectory.h"
#include "stream/stream.h"
#include "test.h"

#include <ebur128.h>
#include <pthread.h>

static const ap_spatial_mode modes[] = {AP_SPATIAL_PAN, AP_SPATIAL_HRTF};
#define EACH_MODE(m) (int m = 0; m < (int)(sizeof modes / sizeof *modes); m++)

static ap_spatialize_options options(int mode)
{
    ap_spatialize_options o;
    ap_spatialize_defaults(&o);
    o.mode = modes[mode];
    return o;
}

static float *turned(const float *in, ap_format format, const ap_spatialize_options *o, size_t block,
                     size_t *n)
{
    ap_error err = {0};
    float *out = test_drain(ap_spatialize(ap_source_memory(&format, in, NULL), o, &err), block, n);
    if (!out)
        fprintf(stderr, "%s\n", err.message);
    return out;
}

/* ---- streams */

static void any_block_size_gives_the_same(void)
{
    for
        EACH_MODE(m)
        {
            for (int path = AP_PATH_CIRCLE; path <= AP_PATH_RANDOM; path++) {
                ap_spatialize_options o = options(m);
                o.path = (ap_path)path;
                o.period_s = 0.7;
                ap_format format = {44100, 2, 0, 12345};
                float *in = test_noise(2 * format.frames, 1, 7);
                size_t n, k;
                float *a = turned(in, format, &o, 4096, &n), *b = turned(in, format, &o, 1, &k);
                CHECK(n == k && a && b && memcmp(a, b, 2 * n * sizeof *a) == 0);
                free(b);
                b = turned(in, format, &o, 513, &k);
                CHECK(n == k && memcmp(a, b, 2 * n * sizeof *a) == 0);
                free(a);
                free(b);
                free(in);
            }
        }
}

static void length_is_input_and_tail(void)
{
    static const uint64_t lengths[] = {0, 1, 2, 511, 512, 513, 5000};
    for
        EACH_MODE(m)
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        ap_spatialize_options o = options(m);
        ap_format format = {44100, 2, 0, lengths[i]};
        float *in = test_noise(2 * format.frames + 2, 1, 7);
        ap_stream *s = ap_spatialize(ap_source_memory(&format, in, NULL), &o, NULL);
        uint64_t said = s->format.frames;
        size_t n;
        CHECK(s->format.channels == 2 && s->format.mask == 3 && s->format.rate == 44100);
        free(test_drain(s, 1000, &n));
        CHECK(n == said);
        CHECK(n >= lengths[i] && n <= lengths[i] + 513 && (lengths[i] || n == 0));
        CHECK(modes[m] == AP_SPATIAL_HRTF || n == lengths[i]);
        free(in);
    }
}

static void silence_stays_silent(void)
{
    for
        EACH_MODE(m)
        {
            ap_spatialize_options o = options(m);
            ap_format format = {48000, 2, 0, 20000};
            float *in = calloc(2 * format.frames, sizeof *in);
            size_t n;
            float *out = turned(in, format, &o, 4096, &n);
            for (size_t i = 0; i < 2 * n; i++)
                CHECK(out[i] == 0);
            free(in);
            free(out);
        }
}

static void every_rate_and_channel_count_works(void)
{
    static const uint32_t rates[] = {1000,  8000,  11025, 16000, 22050, 32000,
                                     44100, 44101, 48000, 88200, 96000, 192000};
    for
        EACH_MODE(m)
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++)
        for (uint32_t channels = 1; channels <= 8; channels++) {
            if (channels > 2 && rates[r] != 44100 && rates[r] != 96000)
                continue;
            ap_spatialize_options o = options(m);
            ap_format format = {rates[r], channels, 0, rates[r] / 4};
            float *in = test_noise(channels * format.frames, 0.5f, 3);
            size_t n;
            float *out = turned(in, format, &o, 4096, &n);
            double level = out ? test_rms(out, 2 * n) : 0;
            double expected = test_rms(in, channels * format.frames) * sqrt(channels / 2.0);
            if (!CHECK(out && level > 0.5 * expected && level < 2 * expected))
                fprintf(stderr, "rate %u channels %u level %g %g\n", rates[r], channels, level, expected);
            free(in);
            free(out);
        }
}

static void huge_samples_are_survived(void)
{
    for
        EACH_MODE(m)
        {
            ap_spatialize_options o = options(m);
            o.distance_m = 0.1;
            ap_format format = {44100, 2, 0, 5000};
            float *in = test_noise(2 * format.frames, 0x1p40f, 3);
            size_t n;
            float *out = turned(in, format, &o, 4096, &n);
            for (size_t i = 0; i < 2 * n; i++)
                CHECK(isfinite(out[i]));
            free(in);
            free(out);
        }
}

static void bad_options_are_refused(void)
{
    for (int i = 0; i < 12; i++) {
        ap_spatialize_options o = options(0);
        *(i < 2    ? &o.period_s
          : i < 4  ? &o.width_deg
          : i < 6  ? &o.elevation_deg
          : i < 8  ? &o.distance_m
          : i < 10 ? &o.bass_hz
                   : &o.start_deg) =
            (double[]){0.09, 100001, -1, 361, -91, 91, 0, 101, -1, 1001, NAN, 361}[i];
        float *data;
        ap_error err = {0};
        CHECK(!ap_spatialize(test_noise_stream(44100, 2, 10, &data), &o, &err));
        CHECK(err.code == AP_USAGE && err.message[0]);
        free(data);
    }
    CHECK(!ap_spatialize(NULL, NULL, NULL));
}

static void channels_without_places_are_refused(void)
{
    static const ap_format formats[] = {{44100, 9, 0, 10}, {44100, 12, 0x2d63f, 10}};
    for (int i = 0; i < 2; i++) {
        float *in = calloc(120, sizeof *in);
        ap_error err = {0};
        ap_spatialize_options o = options(0);
        CHECK(!ap_spatialize(ap_source_memory(&formats[i], in, NULL), &o, &err));
        CHECK(err.code == AP_FAILED && strstr(err.message, "channels"));
        free(in);
    }
}

/* ---- pan mode */

static void pan_has_no_latency(void)
{
    ap_spatialize_options o = options(0);
    o.bass_hz = 0;
    ap_format format = {44100, 1, 0, 5000};
    float in[5000] = {0};
    in[1234] = 1;
    size_t n;
    float *out = turned(in, format, &o, 4096, &n);
    for (size_t i = 0; i < n; i++)
        CHECK((out[2 * i] != 0 || out[2 * i + 1] != 0) == (i == 1234));
    free(out);
}

static void pan_has_equal_power(void)
{
    ap_spatialize_options o = options(0);
    o.bass_hz = 0;
    o.period_s = 1;
    o.clockwise = false;
    ap_format format = {44100, 1, 0, 44100};
    float *in = malloc(44100 * sizeof *in);
    for (int i = 0; i < 44100; i++)
        in[i] = 1;
    size_t n;
    float *out = turned(in, format, &o, 4096, &n);
    for (size_t i = 0; i < n; i++)
        CHECK_NEAR(out[2 * i] * out[2 * i] + out[2 * i + 1] * out[2 * i + 1], 1, 1e-4);
    CHECK_NEAR(out[0], M_SQRT1_2, 1e-6); /* front: both */
    size_t left = 2 * 44100 / 4, back = 2 * 44100 / 2, right = 2 * 44100 * 3 / 4;
    CHECK_NEAR(out[left], 1, 1e-4);
    CHECK_NEAR(out[left + 1], 0, 1e-3);
    CHECK_NEAR(out[back], M_SQRT1_2, 1e-4);
    CHECK_NEAR(out[right], 0, 1e-3);
    CHECK_NEAR(out[right + 1], 1, 1e-4);
    free(out);
    free(in);
}

/* ---- what turns and what does not */

static double level_db(const float *x, size_t frames, int channel)
{
    double sum = 0;
    for (size_t i = 0; i < frames; i++)
        sum += (double)x[2 * i + channel] * x[2 * i + channel];
    return 10 * log10(sum / (double)frames + 1e-30);
}

static float *sine(double hz, ap_format format)
{
    float *x = malloc(format.channels * format.frames * sizeof *x);
    for (size_t i = 0; i < format.channels * format.frames; i++)
        x[i] = (float)(0.5 * sin(2 * M_PI * hz / format.rate * (double)(i / format.channels)));
    return x;
}

static void bass_stays_where_it_is(void)
{
    for
        EACH_MODE(m)
        {
            ap_spatialize_options o = options(m);
            o.start_deg = 90;
            o.period_s = 100000;
            ap_format format = {44100, 2, 0, 44100};
            float *low = sine(40, format), *high = sine(3000, format);
            size_t n;
            float *a = turned(low, format, &o, 4096, &n), *b = turned(high, format, &o, 4096, &n);
            CHECK_NEAR(level_db(a + 20000, 20000, 0), level_db(low + 20000, 20000, 0), 0.5);
            CHECK_NEAR(level_db(a + 20000, 20000, 1), level_db(low + 20000, 20000, 1), 0.5);
            CHECK(level_db(b + 20000, 20000, 0) > level_db(b + 20000, 20000, 1) + 5);
            free(low), free(high), free(a), free(b);
        }
}

static void lfe_does_not_turn(void)
{
    for
        EACH_MODE(m)
    for (int bass = 0; bass < 2; bass++) {
        ap_spatialize_options o = options(m);
        o.start_deg = 90;
        o.bass_hz = bass ? 150 : 0;
        ap_format format = {44100, 6, 0, 20000};
        float *in = calloc(6 * format.frames, sizeof *in);
        for (size_t i = 0; i < format.frames; i++)
            in[6 * i + 3] = (float)sin(0.3 * (double)i);
        size_t n;
        float *out = turned(in, format, &o, 4096, &n);
        for (size_t i = 0; i < n; i++)
            CHECK_NEAR(out[2 * i], out[2 * i + 1], 1e-6);
        CHECK_NEAR(level_db(out + 10000, 10000, 0), -6.02, 0.1);
        free(in), free(out);
    }
}

static void distance_is_a_gain(void)
{
    for
        EACH_MODE(m)
        {
            ap_spatialize_options o = options(m);
            ap_format format = {44100, 2, 0, 5000};
            float *in = test_noise(2 * format.frames, 1, 3);
            size_t n;
            float *near = turned(in, format, &o, 4096, &n);
            o.distance_m = 4;
            float *far = turned(in, format, &o, 4096, &n);
            for (size_t i = 0; i < 2 * n; i++)
                CHECK_NEAR(far[i], near[i] / 4, 1e-6);
            free(in), free(near), free(far);
        }
}

/* ---- binaural mode */

/* What the renderer makes of a signal while the source stands still. */
static float *still(ap_renderer *r, const float *in, size_t blocks, size_t block, int ear)
{
    ap_position path[2] = {{1, 0.2, 1}, {1, 0.2, 1}};
    float *out = calloc(blocks * block, sizeof *out), *other = calloc(block, sizeof *other);
    double angle = 0.1;
    for (size_t b = 0; b < blocks; b++) {
        float *source = (float *)(uintptr_t)in + b * block, *ears[2] = {other, other};
        ears[ear] = out + b * block;
        r->render(r->state, path, &angle, &source, 1, ears);
    }
    free(other);
    return out;
}

static void standing_still_is_static_convolution(void)
{
    enum { BLOCK = 512, BLOCKS = 20, TAPS = 3 * BLOCK };
    for (int ear = 0; ear < 2; ear++) {
        ap_renderer r = ap_binaural_renderer(NULL, NULL, 44100, BLOCK, 1, NULL);
        float *impulse = calloc(BLOCKS * BLOCK, sizeof *impulse),
              *noise = test_noise(BLOCKS * BLOCK, 0.5f, 5);
        impulse[0] = 1;
        float *taps = still(&r, impulse, BLOCKS, BLOCK, ear);
        for (int i = TAPS; i < BLOCKS * BLOCK; i++)
            CHECK(fabsf(taps[i]) < 1e-9f);
        r.free(r.state);
        r = ap_binaural_renderer(NULL, NULL, 44100, BLOCK, 1, NULL);
        float *is = still(&r, noise, BLOCKS, BLOCK, ear);
        double worst = 0;
        for (int i = 0; i < BLOCKS * BLOCK; i++) {
            double ought = 0;
            for (int k = 0; k < TAPS && k <= i; k++)
                ought += (double)taps[k] * noise[i - k];
            worst = fmax(worst, fabs(is[i] - ought));
        }
        CHECK(worst < 1e-6 && test_rms(is, BLOCKS * BLOCK) > 0.05);
        r.free(r.state);
        free(impulse), free(noise), free(taps), free(is);
    }
}

static void binaural_latency_is_compensated(void)
{
    static const uint32_t rates[] = {8000, 44100, 48000, 192000};
    for (int r = 0; r < 4; r++)
        for (int from = 0; from < 4; from++) {
            ap_spatialize_options o = options(1);
            o.period_s = 100000;
            o.start_deg = 90 * from;
            ap_format format = {rates[r], 1, 0, rates[r] / 5};
            float *in = calloc(format.frames, sizeof *in);
            size_t n, at = format.frames / 2 + 7, peak[2] = {0};
            in[at] = 1;
            float *out = turned(in, format, &o, 4096, &n);
            for (size_t i = 0; i < n; i++)
                for (int ear = 0; ear < 2; ear++)
                    if (fabsf(out[2 * i + ear]) > fabsf(out[2 * peak[ear] + ear]))
                        peak[ear] = i;
            double left = ((double)peak[0] - (double)at) / rates[r],
                   right = ((double)peak[1] - (double)at) / rates[r];
            CHECK_NEAR((left + right) / 2, 0, 0.25e-3);
            CHECK_NEAR(right - left, from == 1 ? 0.65e-3 : from == 3 ? -0.65e-3 : 0, 0.2e-3);
            free(in), free(out);
        }
}

/* Power of the output between two frequencies, of one ear, from a DFT with a Hann window. */
static void spectrum(const float *out, size_t size, int ear, float *power)
{
    ap_fft *fft = ap_fft_new(size);
    float *time = ap_fft_alloc(size, sizeof *time);
    float complex *bins = ap_fft_alloc(size / 2 + 1, sizeof *bins);
    for (size_t i = 0; i < size; i++) {
        double w = 0.5 - 0.5 * cos(2 * M_PI * i / size);
        time[i] = (float)(out[2 * i + ear] * w * w); /* side lobes fall fast */
    }
    ap_fft_forward(fft, time, bins);
    for (size_t k = 0; k <= size / 2; k++)
        power[k] = crealf(bins[k]) * crealf(bins[k]) + cimagf(bins[k]) * cimagf(bins[k]);
    ap_fft_free(fft);
    free(time), free(bins);
}

/* No zipper: 40 Hz away from a sine that goes round in 10 s there is nothing. */
static void turning_sine_stays_clean(void)
{
    static const double hz[] = {440, 3000, 9000};
    enum { SIZE = 1 << 18 };
    float *power = malloc((SIZE / 2 + 1) * sizeof *power);
    for
        EACH_MODE(m)
    for (int f = 0; f < 3; f++) {
        ap_format format = {44100, 1, 0, SIZE + 10000};
        ap_spatialize_options o = options(m);
        float *in = sine(hz[f], format);
        size_t n;
        float *out = turned(in, format, &o, 4096, &n);
        spectrum(out + 2 * 5000, SIZE, 0, power);
        double most = 0, beside = 0;
        for (size_t k = 0; k <= SIZE / 2; k++) {
            most = fmax(most, power[k]);
            if (fabs(k * 44100.0 / SIZE - hz[f]) > 40)
                beside = fmax(beside, power[k]);
        }
        CHECK(10 * log10(beside / most) < -65);
        if (getenv("VERBOSE"))
            fprintf(stderr, "mode %d: %.0f Hz, beside it %.1f dB\n", m, hz[f], 10 * log10(beside / most));
        free(in), free(out);
    }
    free(power);
}

/* Low band and high band add up around the crossover, wherever the source is. */
static void no_notch_around_the_crossover(void)
{
    enum { SIZE = 1 << 14 };
    double least = 1e9, most = -1e9;
    for (int azimuth = 0; azimuth < 360; azimuth += 30) {
        ap_format format = {44100, 1, 0, SIZE};
        ap_spatialize_options o = options(1);
        o.period_s = 100000;
        o.start_deg = azimuth;
        float *in = calloc(SIZE, sizeof *in);
        in[100] = 1;
        size_t n;
        float *out = turned(in, format, &o, 4096, &n);
        for (double hz = 80; hz < 400; hz *= 1.1)
            for (int ear = 0; ear < 2; ear++) {
                double complex sum = 0;
                for (size_t i = 0; i < SIZE; i++)
                    sum += out[2 * i + ear] * cexp(-2 * M_PI * I * hz / 44100 * i);
                least = fmin(least, 20 * log10(cabs(sum) * M_SQRT2));
                most = fmax(most, 20 * log10(cabs(sum) * M_SQRT2));
            }
        free(in), free(out);
    }
    CHECK(least > -3.5 && most < 3.5);
    if (getenv("VERBOSE"))
        fprintf(stderr, "80-400 Hz: %.1f to %.1f dB\n", least, most);
}

static void *turn_in_a_thread(void *user)
{
    ap_format format = {48000, 2, 0, 30000};
    ap_spatialize_options o = options(1);
    size_t n;
    return turned(user, format, &o, 4096, &n);
}

static void threads_do_not_meet(void)
{
    enum { THREADS = 4 };
    float *in = test_noise(60000, 0.5f, 9), *reference = turn_in_a_thread(in);
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, turn_in_a_thread, in);
    for (int i = 0; i < THREADS; i++) {
        void *out;
        pthread_join(thread[i], &out);
        CHECK(memcmp(out, reference, 60000 * sizeof(float)) == 0);
        free(out);
    }
    free(in), free(reference);
}

static void missing_sets_are_told(void)
{
    ap_spatialize_options o = options(1);
    o.sofa = "/nonexistent.sofa";
    float *data;
    ap_error err = {0};
    CHECK(!ap_spatialize(test_noise_stream(44100, 2, 10, &data), &o, &err));
    CHECK(err.code == AP_FAILED && strstr(err.message, "'/nonexistent.sofa'"));
    free(data);
}

static void another_set_can_be_used(void)
{
    ap_spatialize_options o = options(1);
    ap_format format = {44100, 2, 0, 44100};
    float *in = test_noise(2 * format.frames, 0.3f, 9);
    size_t n;
    o.sofa = "tests/data/horizon.sofa";
    float *out = turned(in, format, &o, 4096, &n);
    CHECK_NEAR(20 * log10(test_rms(out, 2 * n) / test_rms(in, 2 * format.frames)), 0, 2);
    free(in), free(out);
}

/* ---- loudness */

static double loudness(const float *x, uint32_t channels, uint32_t rate, size_t frames)
{
    double lufs;
    ebur128_state *meter = ebur128_init(channels, rate, EBUR128_MODE_I);
    ebur128_add_frames_float(meter, x, frames);
    ebur128_loudness_global(meter, &lufs);
    ebur128_destroy(&meter);
    return lufs;
}

/* Pink noise: six one-pole filters of white noise (Paul Kellet). */
static void an_open_set_can_be_shared(void)
{
    ap_format format = {44100, 2, 0, 20000};
    float *in = test_noise(2 * format.frames, 0.3f, 9);
    ap_sofa *set = ap_sofa_open("tests/data/horizon.sofa", NULL);
    ap_spatialize_options by_name = options(1), by_set = by_name;
    by_name.sofa = "tests/data/horizon.sofa";
    by_set.sofa = "/nonexistent"; /* not looked at */
    by_set.set = set;
    size_t n, k;
    float *want = turned(in, format, &by_name, 4096, &n);
    for (int i = 0; i < 2; i++) {
        float *got = turned(in, format, &by_set, 4096, &k);
        CHECK(set && n == k && got && want && memcmp(got, want, 2 * n * sizeof *got) == 0);
        free(got);
    }
    ap_sofa_close(set);
    free(want);
    free(in);
}

static void pink(float *x, size_t frames, size_t stride, uint64_t seed)
{
    static const double pole[] = {0.99886, 0.99332, 0.96900, 0.86650, 0.55000, -0.7616},
                        gain[] = {0.0555179, 0.0750759, 0.1538520, 0.3104856, 0.5329522, -0.0168980};
    double state[6] = {0};
    for (size_t i = 0; i < frames; i++) {
        double white = test_random(&seed) * 0x1p-31 - 1, sum = 0.5362 * white;
        for (int k = 0; k < 6; k++)
            sum += state[k] = pole[k] * state[k] + gain[k] * white;
        x[i * stride] = (float)(0.05 * sum);
    }
}

/* Left and right with a given correlation. */
static float *pink_pair(size_t frames, double correlation)
{
    float *x = malloc(2 * frames * sizeof *x);
    double mid = sqrt((1 + correlation) / 2), side = sqrt((1 - correlation) / 2);
    pink(x, frames, 2, 1);
    pink(x + 1, frames, 2, 2);
    for (size_t i = 0; i < frames; i++) {
        double m = mid * x[2 * i], s = side * x[2 * i + 1];
        x[2 * i] = (float)(m + s);
        x[2 * i + 1] = (float)(m - s);
    }
    return x;
}

static void loudness_of_stereo_is_kept(void)
{
    static const double correlation[] = {1, 0.8, 0.5, 0.2, 0};
    for
        EACH_MODE(m)
    for (int path = AP_PATH_CIRCLE; path <= AP_PATH_RANDOM; path++)
        for (int i = 0; i < 5; i++) {
            if (path != AP_PATH_CIRCLE && i % 2)
                continue;
            ap_format format = {44100, 2, 0, 44100 * 10};
            ap_spatialize_options o = options(m);
            o.path = (ap_path)path;
            o.period_s = path == AP_PATH_SPIRAL ? 2.5 : 10;
            float *in = pink_pair(format.frames, correlation[i]);
            size_t n;
            float *out = turned(in, format, &o, 4096, &n);
            double change = loudness(out, 2, 44100, n) - loudness(in, 2, 44100, format.frames);
            if (!CHECK_NEAR(change, 0, 1))
                fprintf(stderr, "mode %d path %d correlation %g\n", m, path, correlation[i]);
            if (getenv("VERBOSE"))
                fprintf(stderr, "mode %d path %d correlation %g: %+.2f LU\n", m, path, correlation[i],
                        change);
            free(in), free(out);
        }
}

static void loudness_of_mono_is_kept(void)
{
    for
        EACH_MODE(m)
        {
            ap_format format = {44100, 1, 0, 44100 * 10};
            ap_spatialize_options o = options(m);
            float *in = malloc(format.frames * sizeof *in);
            pink(in, format.frames, 1, 1);
            size_t n;
            float *out = turned(in, format, &o, 4096, &n);
            CHECK_NEAR(loudness(out, 2, 44100, n), loudness(in, 1, 44100, format.frames), 1);
            free(in), free(out);
        }
}

TEST_MAIN(CASE(any_block_size_gives_the_same), CASE(length_is_input_and_tail), CASE(silence_stays_silent),
          CASE(every_rate_and_channel_count_works), CASE(huge_samples_are_survived),
          CASE(bad_options_are_refused), CASE(channels_without_places_are_refused), CASE(pan_has_no_latency),
          CASE(pan_has_equal_power), CASE(bass_stays_where_it_is), CASE(lfe_does_not_turn),
          CASE(distance_is_a_gain), CASE(standing_still_is_static_convolution),
          CASE(binaural_latency_is_compensated), CASE(turning_sine_stays_clean),
          CASE(no_notch_around_the_crossover), CASE(threads_do_not_meet), CASE(missing_sets_are_told),
          CASE(another_set_can_be_used), CASE(an_open_set_can_be_shared), CASE(loudness_of_stereo_is_kept),
          CASE(loudness_of_mono_is_kept))
