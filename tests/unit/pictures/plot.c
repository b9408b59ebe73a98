/* SPDX-License-Identifier: GPL-3.0-or-later
 * What is gathered for pictures: against sums by hand, sines of known level, and libebur128. */
#include "pictures/course.h"
#include "pictures/envelope.h"
#include "pictures/spectrogram.h"
#include "test.h"

#include <ebur128.h>

/* ---- envelope */

static ap_envelope *envelope_of(const float *x, uint32_t channels, size_t frames, size_t capacity,
                                size_t block)
{
    ap_envelope *e = ap_envelope_new(channels, capacity);
    for (size_t i = 0; i < frames; i += block)
        ap_envelope_add(e, x + i * channels, frames - i < block ? frames - i : block);
    return e;
}

static void buckets_hold_what_was_in_them(void)
{
    static const size_t lengths[] = {1, 5, 16, 17, 1000, 1024, 1025, 33333};
    for (int l = 0; l < 8; l++) {
        size_t frames = lengths[l], seen = 0;
        float *x = test_noise(3 * frames, 1, 7);
        ap_envelope *e = envelope_of(x, 3, frames, 16, 100);
        CHECK(e->count <= 16 && (frames <= 16 || e->count > 8));
        for (size_t b = 0; b < e->count; b++) {
            size_t n = (size_t)ap_envelope_frames(e, b);
            for (uint32_t c = 0; c < 3; c++) {
                float low = HUGE_VALF, high = -HUGE_VALF;
                double squares = 0;
                for (size_t i = seen; i < seen + n; i++) {
                    float y = x[3 * i + c];
                    low = fminf(low, y);
                    high = fmaxf(high, y);
                    squares += (double)y * y;
                }
                CHECK(e->buckets[3 * b + c].low == low && e->buckets[3 * b + c].high == high);
                CHECK_NEAR(e->buckets[3 * b + c].squares, squares, 1e-9 * (1 + squares));
            }
            seen += n;
        }
        CHECK(seen == frames);
        ap_envelope_free(e);
        free(x);
    }
}

static void blocks_do_not_change_the_envelope(void)
{
    float *x = test_noise(20000, 1, 3);
    ap_envelope *a = envelope_of(x, 2, 10000, 64, 10000);
    for (size_t block = 1; block < 5000; block = 3 * block + 1) {
        ap_envelope *b = envelope_of(x, 2, 10000, 64, block);
        CHECK(a->count == b->count && memcmp(a->buckets, b->buckets, 2 * a->count * sizeof *a->buckets) == 0);
        ap_envelope_free(b);
    }
    ap_envelope_free(a);
    free(x);
}

/* ---- spectrum */

#define ROWS 300

/* The power, copied: [columns][ROWS]. */
static float *spectrum_of(const float *x, const ap_format *format, uint64_t frames, size_t capacity,
                          size_t block, ap_spectrogram_view *view)
{
    ap_spectrogram *s = ap_spectrogram_new(format, 20, format->rate / 2.0, ROWS, capacity);
    for (uint64_t i = 0; i < frames; i += block)
        ap_spectrogram_add(s, x + i * format->channels, frames - i < block ? (size_t)(frames - i) : block);
    *view = ap_spectrogram_finish(s);
    size_t size = view->columns * ROWS * sizeof(float);
    float *power = memcpy(malloc(size ? size : 1), view->power, size);
    ap_spectrogram_free(s);
    return power;
}

static double row_hz(const ap_spectrogram_view *v, size_t row)
{
    return v->low_hz * pow(v->high_hz / v->low_hz, ((double)row + 0.5) / (double)v->rows);
}

/* A sine of full scale in all channels reads 0 dBFS at its frequency, and next to nothing elsewhere. */
static void a_sine_is_where_and_as_loud_as_it_is(void)
{
    static const struct {
        uint32_t rate, channels;
        double hz;
    } cases[] = {{44100, 1, 100}, {44100, 2, 1000}, {48000, 8, 10000}, {8000, 1, 440}, {192000, 2, 50000}};
    for (int k = 0; k < 5; k++) {
        uint32_t rate = cases[k].rate, channels = cases[k].channels;
        uint64_t frames = 2 * rate;
        float *x = malloc(frames * channels * sizeof *x);
        for (uint64_t i = 0; i < frames * channels; i++)
            x[i] = (float)sin(2 * M_PI * cases[k].hz * (double)(i / channels) / rate);
        ap_spectrogram_view v;
        float *power = spectrum_of(x, &(ap_format){rate, channels, 0, frames}, frames, 256, 4096, &v);
        const float *column = power + v.columns / 2 * ROWS;
        size_t most = 0;
        for (size_t r = 0; r < ROWS; r++)
            most = column[r] > column[most] ? r : most;
        CHECK_NEAR(log2(row_hz(&v, most) / cases[k].hz), 0, cases[k].hz < 200 ? 0.15 : 0.05);
        CHECK_NEAR(10 * log10(column[most]), 0, 1.5); /* the Hann window between two bins: -1.42 dB */
        for (size_t r = 0; r < ROWS; r++)
            if (fabs(log2(row_hz(&v, r) / cases[k].hz)) > 1.5)
                CHECK(column[r] < (cases[k].hz < 200 ? 1e-4 : 1e-6));
        free(power);
        free(x);
    }
}

/* The time of a click, in columns. */
static void a_click_is_when_it_is(void)
{
    ap_format format = {44100, 1, 0, 400000};
    for (size_t at = 1000; at < 400000; at += 57001) {
        float *x = calloc(400000, sizeof *x);
        x[at] = 1;
        ap_spectrogram_view v;
        float *power = spectrum_of(x, &format, 400000, 512, 4096, &v);
        double sum = 0, moment = 0;
        for (size_t i = 0; i < v.columns; i++) {
            sum += power[i * ROWS + 200];
            moment += power[i * ROWS + 200] * (double)i;
        }
        CHECK_NEAR(moment / sum * v.column_frames, at, v.column_frames);
        free(power);
        free(x);
    }
}

static void the_length_need_not_be_known(void)
{
    static const size_t lengths[] = {5000, 40000, 123456, 1000000};
    for (int l = 0; l < 4; l++) {
        size_t frames = lengths[l];
        float *x = test_noise(2 * frames, 0.5f, 9);
        ap_spectrogram_view v, w;
        float *known = spectrum_of(x, &(ap_format){8000, 2, 0, frames}, frames, 128, 4096, &v);
        float *unknown = spectrum_of(x, &(ap_format){8000, 2, 0, AP_UNKNOWN}, frames, 128, 4096, &w);
        CHECK(v.columns == w.columns && v.column_frames == w.column_frames);
        CHECK(v.columns <= 128 && (double)v.columns >= (double)frames / v.column_frames);
        double worst = 0;
        for (size_t i = 0; i < v.columns * ROWS; i++)
            worst = fmax(worst, fabs(known[i] / unknown[i] - 1));
        CHECK(worst < 1e-5);
        free(known);
        free(unknown);
        free(x);
    }
}

static void blocks_do_not_change_the_spectrum(void)
{
    ap_format format = {22050, 2, 0, AP_UNKNOWN};
    float *x = test_noise(100000, 0.5f, 9);
    ap_spectrogram_view v, w;
    float *a = spectrum_of(x, &format, 50000, 64, 50000, &v);
    for (size_t block = 1; block < 40000; block = 5 * block + 2) {
        float *b = spectrum_of(x, &format, 50000, 64, block, &w);
        CHECK(v.columns == w.columns && memcmp(a, b, v.columns * ROWS * sizeof *a) == 0);
        free(b);
    }
    free(a);
    free(x);
}

static void tiny_streams_have_a_spectrum(void)
{
    for (uint64_t frames = 0; frames < 700; frames = 3 * frames + 1) {
        float *x = test_noise(frames, 0.5f, 1);
        ap_spectrogram_view v;
        float *power = spectrum_of(x, &(ap_format){44100, 1, 0, frames}, frames, 256, 10, &v);
        CHECK(v.columns == (frames + (uint64_t)v.column_frames - 1) / (uint64_t)v.column_frames);
        for (size_t i = 0; i < v.columns * ROWS; i++)
            if (!isfinite(power[i]) || power[i] < 0)
                CHECK(isfinite(power[i]) && power[i] >= 0);
        free(power);
        free(x);
    }
}

/* ---- course */

static ap_course *course_of(const float *x, const ap_format *format, uint64_t frames, size_t capacity,
                            size_t block)
{
    ap_course *c = ap_course_new(format, capacity);
    for (uint64_t i = 0; i < frames; i += block)
        CHECK(ap_course_add(c, x + i * format->channels, frames - i < block ? (size_t)(frames - i) : block));
    return c;
}

/* Noise that swells and falls. */
static float *waves(uint32_t channels, uint64_t frames)
{
    float *x = test_noise(frames * channels, 0.5f, 11);
    for (uint64_t i = 0; i < frames * channels; i++)
        x[i] *= (float)(0.5 + 0.49 * sin((double)i / (double)channels / 20000));
    return x;
}

static void loudness_is_that_of_libebur128(void)
{
    static const struct {
        uint32_t rate, channels, mask;
    } cases[] = {{44100, 2, 0x3}, {48000, 1, 0x4}, {48000, 6, 0x3f}, {8000, 8, 0x63f}, {96000, 2, 0x3}};
    for (int k = 0; k < 5; k++) {
        ap_format f = {cases[k].rate, cases[k].channels, cases[k].mask, 10 * cases[k].rate};
        float *x = waves(f.channels, f.frames);
        ap_course *c = course_of(x, &f, f.frames, 128, 999);
        ap_course_view v = ap_course_finish(c);
        ebur128_state *meter = ebur128_init(f.channels, f.rate, EBUR128_MODE_S | EBUR128_MODE_I);
        if (f.channels == 8) { /* 7.1: the back speakers have weight 1 */
            static const int speakers[] = {EBUR128_LEFT,  EBUR128_RIGHT, EBUR128_CENTER, EBUR128_UNUSED,
                                           EBUR128_Mp135, EBUR128_Mm135, EBUR128_Mp090,  EBUR128_Mm090};
            for (unsigned i = 0; i < 8; i++)
                ebur128_set_channel(meter, i, speakers[i]);
        }
        CHECK(v.count == 100);
        for (size_t i = 0; i < v.count; i++) {
            double m, s;
            ebur128_add_frames_float(meter, x + i * f.rate / 10 * f.channels, f.rate / 10);
            ebur128_loudness_momentary(meter, &m);
            ebur128_loudness_shortterm(meter, &s);
            CHECK((v.points[i].momentary_low <= v.points[i].momentary_high) == (i >= 3));
            CHECK((v.points[i].short_low <= v.points[i].short_high) == (i >= 29));
            if (i >= 3)
                CHECK_NEAR(v.points[i].momentary_low, m, 1e-3);
            if (i >= 29)
                CHECK_NEAR(v.points[i].short_high, s, 1e-3);
        }
        double integrated;
        ebur128_loudness_global(meter, &integrated);
        CHECK_NEAR(v.integrated, integrated, 0.05);
        ebur128_destroy(&meter);
        ap_course_free(c);
        free(x);
    }
}

/* Half the points, twice as long, hold the extremes of their halves. */
static void a_full_course_is_merged(void)
{
    ap_format f = {8000, 1, 0x4, 400000}; /* 50 s: 500 steps */
    float *x = waves(1, f.frames);
    ap_course *fine = course_of(x, &f, f.frames, 512, 4096), *coarse = course_of(x, &f, f.frames, 128, 4096);
    ap_course_view a = ap_course_finish(fine), b = ap_course_finish(coarse);
    CHECK(a.count == 500 && b.count == 125);
    CHECK_NEAR(b.step_s, 0.4, 1e-9);
    for (size_t i = 1; i < b.count; i++) {
        float low = HUGE_VALF, high = -HUGE_VALF;
        for (size_t k = 4 * i; k < 4 * i + 4; k++) {
            low = fminf(low, a.points[k].momentary_low);
            high = fmaxf(high, a.points[k].momentary_high);
        }
        CHECK(b.points[i].momentary_low == low && b.points[i].momentary_high == high);
    }
    ap_course_free(fine);
    ap_course_free(coarse);
    free(x);
}

static void silence_has_no_loudness(void)
{
    ap_format f = {44100, 2, 0x3, 200000};
    float *x = calloc(400000, sizeof *x);
    ap_course *c = course_of(x, &f, f.frames, 128, 4096);
    ap_course_view v = ap_course_finish(c);
    CHECK(isinf(v.integrated) && v.integrated < 0);
    for (size_t i = 3; i < v.count; i++)
        CHECK(isinf(v.points[i].momentary_high));
    ap_course_free(c);
    free(x);
}

/* ---- options */

static void bad_plots_are_refused(void)
{
    static const ap_plot_options bad[] = {
        {.panels = 0, .width = 800, .scale = 1, .range_db = 100, .low_hz = 20},
        {.panels = 8, .width = 800, .scale = 1, .range_db = 100, .low_hz = 20},
        {.panels = 1, .width = 10, .scale = 1, .range_db = 100, .low_hz = 20},
        {.panels = 1, .width = 8000, .scale = 8, .range_db = 100, .low_hz = 20},
        {.panels = 1, .width = 800, .height = 99999, .scale = 1, .range_db = 100, .low_hz = 20},
        {.panels = 1, .width = 800, .scale = NAN, .range_db = 100, .low_hz = 20},
        {.panels = 1, .width = 800, .scale = 1, .range_db = 1, .low_hz = 20},
        {.panels = 1, .width = 800, .scale = 1, .range_db = 100, .low_hz = 0},
        {.panels = 1, .width = 800, .scale = 1, .range_db = 100, .low_hz = 20, .format = "gif"},
    };
    ap_error err;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        float x[] = {0};
        err.code = AP_OK;
        ap_stream *s = ap_source_memory(&(ap_format){44100, 1, 0, 1}, x, NULL);
        CHECK(!ap_plot(&s, NULL, 1, "/nonexistent/x.png", &bad[i], &err) && err.code == AP_USAGE && !s);
    }
    CHECK(!ap_plot(NULL, NULL, 0, "x.png", NULL, &err) && err.code == AP_USAGE);
    ap_stream *none = NULL;
    err = (ap_error){AP_OK, "untouched"};
    CHECK(!ap_plot(&none, NULL, 1, "x.png", NULL, &err) && strcmp(err.message, "untouched") == 0);
}

TEST_MAIN(CASE(buckets_hold_what_was_in_them), CASE(blocks_do_not_change_the_envelope),
          CASE(a_sine_is_where_and_as_loud_as_it_is), CASE(a_click_is_when_it_is),
          CASE(the_length_need_not_be_known), CASE(blocks_do_not_change_the_spectrum),
          CASE(tiny_streams_have_a_spectrum), CASE(loudness_is_that_of_libebur128),
          CASE(a_full_course_is_merged), CASE(silence_has_no_loudness), CASE(bad_plots_are_refused))
