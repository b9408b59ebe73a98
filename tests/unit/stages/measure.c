/* SPDX-License-Identifier: GPL-3.0-or-later
 * The meter: EBU Tech 3341 and 3342, libebur128, and what arithmetic says. */
#include "stages/measure.h"
#include "test.h"

#include <ebur128.h>

#define RATE 48000
#define FULL_TEST 20 /* files of cases 10 and 13, segments of cases 11 and 14 */

/* ---- signals */

typedef struct segment {
    double dbfs, seconds; /* peak of a tone */
} segment;

#define SILENCE (-INFINITY)

static double decibels(double db)
{
    return pow(10, db / 20);
}

static ap_meter *begin(uint32_t rate, uint32_t channels, uint32_t mask)
{
    ap_meter *m = ap_meter_new(NULL, NULL);
    CHECK(ap_meter_begin(m, &(ap_format){rate, channels, mask, AP_UNKNOWN}, NULL));
    return m;
}

static ap_measurement finish(ap_meter *m)
{
    ap_measurement r;
    ap_meter_end(m);
    ap_meter_result(m, &r);
    ap_meter_free(&m);
    return r;
}

/* A tone of 1 kHz, the same in all channels but for their gains. */
static void add_tone(ap_meter *m, uint32_t channels, const double *gains, double seconds)
{
    size_t count = (size_t)(seconds * RATE + 0.5);
    float frame[8];
    for (size_t i = 0; i < count; i++) {
        for (uint32_t c = 0; c < channels; c++)
            frame[c] = gains[c] * sin(2 * M_PI * 1000 * i / RATE);
        ap_meter_add(m, frame, 1);
    }
}

static ap_measurement measure_segments(const segment *s, size_t count, int repeats)
{
    ap_meter *m = begin(RATE, 2, 0);
    for (int k = 0; k < repeats; k++)
        for (size_t i = 0; i < count; i++) {
            double gain = decibels(s[i].dbfs);
            add_tone(m, 2, (double[]){gain, gain}, s[i].seconds);
        }
    return finish(m);
}

#define MEASURE(repeats, ...)                                                                                \
    measure_segments((segment[]){__VA_ARGS__}, sizeof(segment[]){__VA_ARGS__} / sizeof(segment), repeats)

/* ---- EBU Tech 3341, table 1 (7 and 8 are recordings) */

static void tech_3341_1_and_2_steady(void)
{
    for (double level = -23; level >= -33; level -= 10) {
        ap_measurement r = MEASURE(1, {level, 20});
        CHECK_NEAR(r.integrated_lufs, level, 0.1);
        CHECK_NEAR(r.shortterm_max_lufs, level, 0.1);
        CHECK_NEAR(r.momentary_max_lufs, level, 0.1);
    }
}

static void tech_3341_3_to_5_gated(void)
{
    CHECK_NEAR(MEASURE(1, {-36, 10}, {-23, 60}, {-36, 10}).integrated_lufs, -23, 0.1);
    CHECK_NEAR(MEASURE(1, {-72, 10}, {-36, 10}, {-23, 60}, {-36, 10}, {-72, 10}).integrated_lufs, -23, 0.1);
    CHECK_NEAR(MEASURE(1, {-26, 20}, {-20, 20.1}, {-26, 20}).integrated_lufs, -23, 0.1);
}

static void tech_3341_6_surround(void)
{
    double gains[] = {decibels(-28), decibels(-28), decibels(-24), decibels(-30), decibels(-30)};
    ap_meter *m = begin(RATE, 5, 0);
    add_tone(m, 5, gains, 20);
    CHECK_NEAR(finish(m).integrated_lufs, -23, 0.1);
    double with_lfe[] = {gains[0], gains[1], gains[2], 1, gains[3], gains[4]};
    m = begin(RATE, 6, 0x60f); /* with LFE, which counts nothing; sides for backs */
    add_tone(m, 6, with_lfe, 20);
    CHECK_NEAR(finish(m).integrated_lufs, -23, 0.1);
}

static void tech_3341_9_short_term_is_constant(void)
{
    CHECK_NEAR(MEASURE(5, {-20, 1.34}, {-30, 1.66}).shortterm_max_lufs, -23, 0.1);
}

static void tech_3341_10_and_11_short_term_at_any_offset(void)
{
    for (int i = 1; i <= FULL_TEST; i++) {
        ap_measurement r = MEASURE(1, {SILENCE, 0.15 * i}, {-23, 3}, {SILENCE, 1});
        CHECK_NEAR(r.shortterm_max_lufs, -23, 0.1);
    }
    ap_meter *m = begin(RATE, 2, 0);
    for (int i = 0; i < FULL_TEST; i++) { /* successive values: a meter for each beginning would show them */
        double gain = decibels(-38 + i);
        add_tone(m, 2, (double[]){0, 0}, 0.15 * i);
        add_tone(m, 2, (double[]){gain, gain}, 3);
        add_tone(m, 2, (double[]){0, 0}, 3 - 0.15 * i);
    }
    CHECK_NEAR(finish(m).shortterm_max_lufs, -19, 0.1);
}

static void tech_3341_12_momentary_is_constant(void)
{
    CHECK_NEAR(MEASURE(25, {-20, 0.18}, {-30, 0.22}).momentary_max_lufs, -23, 0.1);
}

static void tech_3341_13_and_14_momentary_at_any_offset(void)
{
    for (int i = 1; i <= FULL_TEST; i++) {
        ap_measurement r = MEASURE(1, {SILENCE, 0.02 * i}, {-23, 0.4}, {SILENCE, 1});
        CHECK_NEAR(r.momentary_max_lufs, -23, 0.1);
    }
    for (int last = 0; last < FULL_TEST; last++) {
        ap_meter *m = begin(RATE, 2, 0);
        for (int i = 0; i <= last; i++) {
            double gain = decibels(-38 + i);
            add_tone(m, 2, (double[]){0, 0}, 0.02 * i);
            add_tone(m, 2, (double[]){gain, gain}, 0.4);
            add_tone(m, 2, (double[]){0, 0}, 0.4 - 0.02 * i);
        }
        CHECK_NEAR(finish(m).momentary_max_lufs, -38 + last, 0.1);
    }
}

/* A tone with fades of 10 ms, as the table wants it. */
static double true_peak_of_tone(uint32_t rate, double frequency, double amplitude, double degrees)
{
    ap_meter *m = begin(rate, 2, 0);
    size_t fade = rate / 100, count = rate / 2;
    for (size_t i = 0; i < count; i++) {
        size_t edge = i < count - 1 - i ? i : count - 1 - i;
        double gain = edge < fade ? (double)edge / fade : 1;
        float v = gain * amplitude * sin(2 * M_PI * frequency * i + degrees * M_PI / 180);
        ap_meter_add(m, (float[]){v, v}, 1);
    }
    return finish(m).true_peak_dbtp;
}

#define CHECK_PEAK(actual, expected) (CHECK_NEAR((actual) + 0.1, expected, 0.3)) /* +0.2 -0.4 */

static void tech_3341_15_to_19_true_peak_of_tones(void)
{
    for (uint32_t rate = 44100; rate <= 48000; rate += 3900) {
        CHECK_PEAK(true_peak_of_tone(rate, 1. / 4, 0.5, 0), -6);
        CHECK_PEAK(true_peak_of_tone(rate, 1. / 4, 0.5, 45), -6);
        CHECK_PEAK(true_peak_of_tone(rate, 1. / 6, 0.5, 60), -6);
        CHECK_PEAK(true_peak_of_tone(rate, 1. / 8, 0.5, 67.5), -6);
        CHECK_PEAK(true_peak_of_tone(rate, 1. / 4, 1.41, 45), 3);
    }
}

#define LOW_PASS 511 /* taps, at four times the rate */

/* fs/6 at 0.5 with one period of fs/4 at 1 in it, made at 4 fs, low-passed and taken every fourth. */
static double true_peak_of_burst(size_t offset)
{
    enum { N = 24 * 2000, AT = 24 * 1000 };
    static double x[N + LOW_PASS];
    double taps[LOW_PASS], sum = 0;
    for (size_t i = 0; i < N; i++) {
        size_t before = i < AT ? i : i - 16; /* the burst takes 16 samples */
        x[i] = i >= AT && i < AT + 16 ? sin(2 * M_PI * (i - AT) / 16) : 0.5 * sin(2 * M_PI * before / 24);
        double fade = fmin(1, fmin(i, N - 1 - i) / 1920.);
        x[i] *= fade;
    }
    for (int k = 0; k < LOW_PASS; k++) { /* Blackman */
        double t = k - LOW_PASS / 2, w = 2 * M_PI * k / (LOW_PASS - 1);
        taps[k] =
            (t == 0 ? 0.25 : sin(M_PI * t / 4) / (M_PI * t)) * (0.42 - 0.5 * cos(w) + 0.08 * cos(2 * w));
        sum += taps[k];
    }
    ap_meter *m = begin(RATE, 2, 0);
    for (size_t i = LOW_PASS + offset; i < N; i += 4) {
        double v = 0;
        for (size_t k = 0; k < LOW_PASS; k++)
            v += taps[k] / sum * x[i - k];
        ap_meter_add(m, (float[]){v, v}, 1);
    }
    return finish(m).true_peak_dbtp;
}

static void tech_3341_20_to_23_true_peak_between_samples(void)
{
    for (size_t offset = 0; offset < 4; offset++)
        CHECK_PEAK(true_peak_of_burst(offset), 0);
}

/* ---- EBU Tech 3342, table 1 (5 and 6 are recordings) */

static void tech_3342_1_to_4_range(void)
{
    CHECK_NEAR(MEASURE(1, {-20, 20}, {-30, 20}).range_lu, 10, 1);
    CHECK_NEAR(MEASURE(1, {-20, 20}, {-15, 20}).range_lu, 5, 1);
    CHECK_NEAR(MEASURE(1, {-40, 20}, {-20, 20}).range_lu, 20, 1);
    CHECK_NEAR(MEASURE(1, {-50, 20}, {-35, 20}, {-20, 20}, {-35, 20}, {-50, 20}).range_lu, 15, 1);
}

/* ---- libebur128 */

/* Dull noise that swells, pauses and ends in a fade. */
static float *make_music(uint32_t rate, uint32_t channels, size_t frames)
{
    float *x = test_noise(frames * channels, 0.3f, rate + channels);
    for (size_t i = channels; i < frames * channels; i++)
        x[i] = 0.5f * x[i] + 0.6f * x[i - channels];
    for (size_t i = 0; i < frames * channels; i++) {
        double t = (double)(i / channels) / rate, end = (double)frames / rate - t;
        double pause = fmod(t, 7) > 6 ? 0.001 : 1;
        x[i] *= fmin(1, 10 * end) * pause * (0.3 + 0.25 * sin(2 * M_PI * t / 9));
    }
    return x;
}

static ap_measurement measure_array(const float *x, ap_format format, size_t block)
{
    ap_measurement r;
    size_t n;
    ap_meter *m = ap_meter_new(NULL, NULL);
    free(test_drain(ap_measure(ap_source_memory(&format, x, NULL), m, NULL), block, &n));
    ap_meter_result(m, &r);
    ap_meter_free(&m);
    return r;
}

static void compare_with_libebur128(uint32_t rate, uint32_t channels)
{
    ap_format format = {rate, channels, 0, (uint64_t)rate * 30 + 777};
    float *x = make_music(rate, channels, format.frames);
    ap_measurement r = measure_array(x, format, 4096);
    ebur128_state *e =
        ebur128_init(channels, rate,
                     EBUR128_MODE_I | EBUR128_MODE_LRA | EBUR128_MODE_TRUE_PEAK | EBUR128_MODE_SAMPLE_PEAK);
    double loudness, range, peak, window, short_term = -INFINITY, momentary = -INFINITY, true_peak = 0,
                                          sample_peak = 0;
    for (size_t i = 0; i + rate / 10 <= format.frames; i += rate / 10) {
        ebur128_add_frames_float(e, x + i * channels, rate / 10);
        ebur128_loudness_shortterm(e, &window);
        short_term = fmax(short_term, window);
        ebur128_loudness_momentary(e, &window);
        momentary = fmax(momentary, window);
    }
    ebur128_loudness_global(e, &loudness);
    ebur128_loudness_range(e, &range);
    for (uint32_t c = 0; c < channels; c++) {
        ebur128_true_peak(e, c, &peak);
        true_peak = fmax(true_peak, peak);
        ebur128_sample_peak(e, c, &peak);
        sample_peak = fmax(sample_peak, peak);
    }
    ebur128_destroy(&e);
    CHECK_NEAR(r.integrated_lufs, loudness, 0.01);
    CHECK_NEAR(r.range_lu, range, 0.5); /* every 0.1 s instead of every second */
    CHECK(r.shortterm_max_lufs >= short_term - 1e-6 && r.shortterm_max_lufs < short_term + 0.05);
    CHECK(r.momentary_max_lufs >= momentary - 1e-6 && r.momentary_max_lufs < momentary + 0.2);
    CHECK_NEAR(r.true_peak_dbtp, 20 * log10(true_peak), 1e-3);
    CHECK_NEAR(r.sample_peak_dbfs, 20 * log10(sample_peak), 1e-6);
    free(x);
}

static void agrees_with_libebur128(void)
{
    static const uint32_t rates[] = {8000, 16000, 32000, 44100, 48000, 96000, 192000};
    for (int i = 0; i < 7; i++)
        compare_with_libebur128(rates[i], 2);
    compare_with_libebur128(48000, 1);
    compare_with_libebur128(44100, 4);
    compare_with_libebur128(44100, 5);
}

/* ---- arithmetic */

static void rates_that_slots_do_not_divide(void)
{
    static const uint32_t rates[] = {11025, 22050, 44099, 8001};
    for (int r = 0; r < 4; r++) {
        ap_meter *m = begin(rates[r], 1, 0);
        for (size_t i = 0; i < 10 * rates[r]; i++)
            ap_meter_add(m, (float[]){0.1f * (float)sin(2 * M_PI * 997 * i / rates[r])}, 1);
        CHECK_NEAR(finish(m).integrated_lufs, -23.01, 0.05); /* BS.1770-4: 997 Hz at 0 dBFS is -3.01 */
    }
}

static void levels_are_exact(void)
{
    ap_meter *m = begin(8000, 2, 0);
    for (int i = 0; i < 8000; i++) { /* 0.25 s of silence, a square wave around 0.125, 0.1 s of silence */
        float v = i % 2 ? 0.625f : -0.375f;
        ap_meter_add(m, i < 2000 || i >= 7200 ? (float[]){0, 0.001f} : (float[]){0, v}, 1);
    }
    ap_measurement r = finish(m);
    CHECK(r.rate == 8000 && r.channels == 2);
    CHECK_NEAR(r.duration_s, 1, 0);
    CHECK_NEAR(r.silence_start_s, 0.25, 0);
    CHECK_NEAR(r.silence_end_s, 0.1, 1e-12);
    CHECK_NEAR(r.sample_peak_dbfs, 20 * log10(0.625), 1e-9);
    double squares = 5200 * (0.625 * 0.625 + 0.375 * 0.375) / 2 + 2800 * 1e-6;
    CHECK_NEAR(r.rms_dbfs, 10 * log10(squares / 16000), 1e-6);
    CHECK_NEAR(r.dc_offset, (5200 * 0.125 + 2800 * 0.001) / 8000, 1e-9);
    CHECK(r.clipped == 0 && r.true_peak_dbtp >= r.sample_peak_dbfs);
}

static void clipped_samples_are_counted(void)
{
    ap_meter *m = begin(44100, 3, 0);
    for (int i = 0; i < 1000; i++)
        ap_meter_add(m, i % 10 ? (float[]){0.5f, 0, 0} : (float[]){1.5f, -1, 32767 / 32768.f}, 1);
    CHECK(finish(m).clipped == 300);
    m = begin(44100, 1, 0);
    ap_meter_add(m, (float[]){32766 / 32768.f, -32766 / 32768.f}, 2);
    CHECK(finish(m).clipped == 0);
}

static void silence_is_minus_infinity(void)
{
    static const float zeros[2 * 48000];
    for (int frames = 0; frames <= 48000; frames += 48000) {
        ap_measurement r = measure_array(zeros, (ap_format){48000, 2, 0, frames}, 1000);
        CHECK(r.integrated_lufs == -INFINITY && r.shortterm_max_lufs == -INFINITY);
        CHECK(r.momentary_max_lufs == -INFINITY && r.range_lu == 0);
        CHECK(r.true_peak_dbtp == -INFINITY && r.sample_peak_dbfs == -INFINITY);
        CHECK(r.rms_dbfs == -INFINITY && r.dc_offset == 0 && r.clipped == 0);
        CHECK_NEAR(r.duration_s, frames / 48000., 0);
        CHECK(r.silence_start_s == r.duration_s && r.silence_end_s == r.duration_s);
    }
}

static void one_frame(void)
{
    ap_measurement r = measure_array((float[]){0.5f, -0.25f}, (ap_format){44100, 2, 0, 1}, 10);
    CHECK_NEAR(r.duration_s, 1 / 44100., 0);
    CHECK_NEAR(r.sample_peak_dbfs, 20 * log10(0.5), 1e-9);
    CHECK(isfinite(r.integrated_lufs) && isfinite(r.true_peak_dbtp));
    CHECK(r.silence_start_s == 0 && r.silence_end_s == 0);
}

/* A short sound has the loudness of a long one. */
static void shorter_than_a_block(void)
{
    for (double seconds = 0.05; seconds < 0.4; seconds += 0.0637)
        CHECK_NEAR(MEASURE(1, {-23, seconds}).integrated_lufs, -23, 0.3);
}

static void nan_and_infinity_count_as_zero(void)
{
    float *x = make_music(44100, 2, 88200), *y = malloc(176400 * sizeof *y);
    ap_format format = {44100, 2, 0, 88200};
    float bad[] = {NAN, INFINITY, -INFINITY, 1e30f};
    memcpy(y, x, 176400 * sizeof *y);
    for (int i = 0; i < 400; i++) {
        x[441 * i] = bad[i % 4];
        y[441 * i] = 0;
    }
    ap_measurement a = measure_array(x, format, 4096), b = measure_array(y, format, 4096);
    CHECK(memcmp(&a, &b, sizeof a) == 0);
    free(x);
    free(y);
}

static void any_block_size_gives_the_same(void)
{
    ap_format format = {44100, 3, 0, 200000};
    float *x = make_music(44100, 3, 200000);
    ap_measurement a = measure_array(x, format, 4096);
    for (size_t block = 1; block < 9000; block = block * 5 + 2) {
        ap_measurement b = measure_array(x, format, block);
        CHECK(memcmp(&a, &b, sizeof a) == 0);
    }
    free(x);
}

static void samples_pass_unchanged(void)
{
    ap_format format = {44100, 2, 0, 10000};
    float *x = test_noise(20000, 3, 1);
    size_t n;
    ap_meter *m = ap_meter_new(NULL, NULL);
    float *y = test_drain(ap_measure(ap_source_memory(&format, x, NULL), m, NULL), 999, &n);
    CHECK(n == 10000 && memcmp(x, y, 20000 * sizeof *x) == 0);
    ap_meter_free(&m);
    free(x);
    free(y);
}

/* Who reads through other stages may stop after the last frame: the meter below is told all the same. */
static void measures_below_other_stages(void)
{
    float *x = make_music(48000, 2, 96000);
    ap_format format = {48000, 2, 0, 96000};
    ap_meter *before = ap_meter_new(NULL, NULL), *after = ap_meter_new(NULL, NULL);
    ap_stream *s = ap_measure(ap_source_memory(&format, x, NULL), before, NULL);
    s = ap_measure(ap_gain(s, 0.5, NULL), after, NULL);
    size_t n;
    free(test_drain(ap_limit(s, NULL, NULL), 1000, &n));
    ap_measurement a, b;
    ap_meter_result(before, &a);
    ap_meter_result(after, &b);
    CHECK(a.duration_s == 2 && b.duration_s == 2);
    CHECK_NEAR(a.integrated_lufs - b.integrated_lufs, 20 * log10(2), 0.01);
    ap_meter_free(&before);
    ap_meter_free(&after);
    free(x);
}

static void levels_alone(void)
{
    ap_format format = {2000, 2, 0, 50000};
    float *x = test_noise(100000, 0.5f, 3);
    size_t n;
    ap_meter *m = ap_meter_new(&(ap_meter_options){.silence_dbfs = -60, .levels_only = true}, NULL);
    free(test_drain(ap_measure(ap_source_memory(&format, x, NULL), m, NULL), 1000, &n));
    ap_measurement r;
    ap_meter_result(m, &r);
    CHECK_NEAR(r.rms_dbfs, 20 * log10(test_rms(x, 100000)), 1e-6);
    CHECK(r.integrated_lufs == -INFINITY && r.momentary_max_lufs == -INFINITY && r.range_lu == 0);
    CHECK(r.true_peak_dbtp > r.sample_peak_dbfs && r.sample_peak_dbfs > -6.1);
    ap_meter_free(&m);
    free(x);
}

/* libebur128's loudness of an album of two. */
static double loudness_of_two(const float *x, size_t first, size_t second)
{
    double loudness;
    ebur128_state *e[2];
    for (int i = 0; i < 2; i++)
        e[i] = ebur128_init(2, 48000, EBUR128_MODE_I);
    ebur128_add_frames_float(e[0], x, first);
    ebur128_add_frames_float(e[1], x + 2 * first, second);
    ebur128_loudness_global_multiple(e, 2, &loudness);
    for (int i = 0; i < 2; i++)
        ebur128_destroy(&e[i]);
    return loudness;
}

/* Two streams in one meter are one programme: as if the second had been played after the first. */
static void total_is_that_of_one_programme(void)
{
    float *x = make_music(48000, 2, 960000);
    for (size_t i = 0; i < 480000; i++)
        x[i] = i < 48000 || i > 470000 ? 0 : 0.1f * x[i];
    ap_meter *m = ap_meter_new(NULL, NULL);
    size_t n;
    for (int part = 0; part < 2; part++)
        free(test_drain(ap_measure(ap_source_memory(&(ap_format){48000, 2, 0, part ? 720000 : 240000},
                                                    x + part * 480000, NULL),
                                   m, NULL),
                        4096, &n));
    ap_measurement total, last, whole = measure_array(x, (ap_format){48000, 2, 0, 960000}, 4096);
    ap_measurement second = measure_array(x + 480000, (ap_format){48000, 2, 0, 720000}, 4096);
    ap_meter_total(m, &total);
    ap_meter_result(m, &last);
    CHECK(memcmp(&last, &second, sizeof last) == 0);
    CHECK_NEAR(total.integrated_lufs, loudness_of_two(x, 240000, 720000), 0.01);
    CHECK_NEAR(total.true_peak_dbtp, whole.true_peak_dbtp, 1e-6);
    CHECK_NEAR(total.sample_peak_dbfs, whole.sample_peak_dbfs, 0);
    CHECK_NEAR(total.rms_dbfs, whole.rms_dbfs, 1e-9);
    CHECK_NEAR(total.duration_s, whole.duration_s, 1e-9);
    CHECK_NEAR(total.silence_start_s, whole.silence_start_s, 1e-9);
    CHECK_NEAR(total.silence_end_s, whole.silence_end_s, 1e-9);
    CHECK(total.silence_start_s > 0.49 && total.shortterm_max_lufs <= whole.shortterm_max_lufs + 1e-9);
    ap_meter_free(&m);
    free(x);
}

/* What a gain lifts above the gate counts. */
static void loudness_at_another_gain(void)
{
    float *x = make_music(48000, 1, 480000);
    ap_format format = {48000, 1, 0, 480000};
    for (size_t i = 0; i < 480000; i++)
        x[i] *= i < 240000 ? 0.002f : 0.006f; /* the first half is below -70 LUFS */
    ap_meter *m = ap_meter_new(NULL, NULL);
    size_t n;
    free(test_drain(ap_measure(ap_source_memory(&format, x, NULL), m, NULL), 4096, &n));
    for (double gain = 0; gain < 60; gain += 5) {
        float *y = test_drain(ap_gain(ap_source_memory(&format, x, NULL), decibels(gain), NULL), 4096, &n);
        CHECK_NEAR(ap_meter_loudness_at(m, gain), measure_array(y, format, 4096).integrated_lufs, 0.01);
        free(y);
    }
    CHECK(ap_meter_loudness_at(m, 40) - 40 < ap_meter_loudness_at(m, 0) - 0.5);
    ap_meter_free(&m);
    free(x);
}

static void bad_options_are_refused(void)
{
    ap_error err = {0};
    float zero = 0;
    CHECK(!ap_meter_new(&(ap_meter_options){.silence_dbfs = 1}, &err));
    CHECK(err.code == AP_USAGE && strstr(err.message, "silence"));
    ap_meter *m = ap_meter_new(NULL, NULL);
    CHECK(!ap_measure(ap_source_memory(&(ap_format){2000, 1, 0, 1}, &zero, NULL), m, &err));
    CHECK(err.code == AP_FAILED && strstr(err.message, "2000 Hz"));
    CHECK(!ap_measure(NULL, m, &err));
    ap_meter_free(&m);
    ap_meter_free(&m);
}

TEST_MAIN(CASE(tech_3341_1_and_2_steady), CASE(tech_3341_3_to_5_gated), CASE(tech_3341_6_surround),
          CASE(tech_3341_9_short_term_is_constant), CASE(tech_3341_10_and_11_short_term_at_any_offset),
          CASE(tech_3341_12_momentary_is_constant), CASE(tech_3341_13_and_14_momentary_at_any_offset),
          CASE(tech_3341_15_to_19_true_peak_of_tones), CASE(tech_3341_20_to_23_true_peak_between_samples),
          CASE(tech_3342_1_to_4_range), CASE(agrees_with_libebur128), CASE(rates_that_slots_do_not_divide),
          CASE(levels_are_exact), CASE(clipped_samples_are_counted), CASE(silence_is_minus_infinity),
          CASE(one_frame), CASE(shorter_than_a_block), CASE(nan_and_infinity_count_as_zero),
          CASE(any_block_size_gives_the_same), CASE(samples_pass_unchanged),
          CASE(measures_below_other_stages), CASE(levels_alone), CASE(total_is_that_of_one_programme),
          CASE(loudness_at_another_gain), CASE(bad_options_are_refused))
