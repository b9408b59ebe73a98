/* SPDX-License-Identifier: GPL-3.0-or-later
 * figure.c - what a sound looks like: waveform and spectrogram, as an SVG that needs nothing else. */
#include "jobs/show/figure.h"
#include "base/base64.h"
#include "base/error.h"
#include "jobs/show/png.h"
#include "pictures/envelope.h"
#include "pictures/spectrogram.h"
#include "stream/stream.h"

#include <math.h>
#include <stdlib.h>

#define WIDTH 640
#define WAVE_HEIGHT 72
#define ROWS 144 /* of the spectrogram */
#define TIME_HEIGHT 16
#define COLUMNS 1024 /* at most; at least half as many, unless the sound is very short */
#define LOWEST_HZ 40.0
#define FLOOR_DB (-100.0) /* black; dB of a full-scale sine */
#define CEILING_DB (-8.0)

typedef struct picture {
    ap_format format;
    ap_envelope *envelope;
    ap_spectrogram *spectrogram;
    ap_spectrogram_view view;
} picture;

/* ---- analysis */

static bool prepare(picture *p, const ap_format *format, ap_error *err)
{
    p->format = *format;
    p->envelope = ap_envelope_new(format->channels, COLUMNS);
    p->spectrogram = ap_spectrogram_new(format, LOWEST_HZ, fmin(20000, format->rate / 2.0), ROWS, COLUMNS);
    return (p->envelope && p->spectrogram) || ap_fail_memory(err);
}

static bool see_all(picture *p, ap_stream *s, ap_error *err)
{
    float *block = malloc(AP_BLOCK * p->format.channels * sizeof *block);
    ptrdiff_t n = -1;
    if (!block)
        ap_fail_memory(err);
    while (block && (n = ap_read(s, block, AP_BLOCK, err)) > 0) {
        ap_envelope_add(p->envelope, block, (size_t)n);
        ap_spectrogram_add(p->spectrogram, block, (size_t)n);
    }
    free(block);
    if (n == 0)
        p->view = ap_spectrogram_finish(p->spectrogram);
    return n == 0;
}

static bool analyse(picture *p, const char *path, ap_error *err)
{
    ap_stream *s = ap_decode(path, NULL, err);
    bool ok = s && prepare(p, ap_stream_format(s), err) && see_all(p, s, err);
    ap_close(&s);
    return ok;
}

/* ---- the SVG */

static double seconds_of(const picture *p)
{
    return (double)p->envelope->frames / p->format.rate;
}

static double wave_y(double x)
{
    return WAVE_HEIGHT / 2.0 * (1 - fmax(-1, fmin(1, x)));
}

/* All channels of a bucket. */
static ap_bucket bucket_of(const picture *p, size_t i)
{
    const ap_bucket *b = p->envelope->buckets + i * p->format.channels;
    ap_bucket all = b[0];
    for (uint32_t c = 1; c < p->format.channels; c++)
        all = (ap_bucket){fminf(all.low, b[c].low), fmaxf(all.high, b[c].high), all.squares + b[c].squares};
    return all;
}

static double rms_of(const picture *p, size_t i)
{
    return sqrt(bucket_of(p, i).squares / ((double)ap_envelope_frames(p->envelope, i) * p->format.channels));
}

static double bucket_x(const picture *p, size_t i)
{
    return WIDTH * ((double)i + 0.5) * (double)p->envelope->per_bucket / (double)p->envelope->frames;
}

/* The area between two curves over the buckets: peaks, or RMS and its mirror image. */
static void put_area(FILE *out, const picture *p, bool rms)
{
    size_t count = p->envelope->count;
    fprintf(out, "<path class=\"%s\" d=\"M", rms ? "rms" : "peak");
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%.1f %.1f ", bucket_x(p, i), wave_y(rms ? rms_of(p, i) : bucket_of(p, i).high) - 0.2);
    for (size_t i = count; i-- > 0;)
        fprintf(out, "%.1f %.1f ", bucket_x(p, i), wave_y(rms ? -rms_of(p, i) : bucket_of(p, i).low) + 0.2);
    fprintf(out, "Z\"/>");
}

static unsigned char shade(float power)
{
    double level = (10 * log10(power + 1e-30) - FLOOR_DB) / (CEILING_DB - FLOOR_DB);
    return (unsigned char)lrint(255 * fmin(1, fmax(0, level)));
}

/* As base64, malloc'ed. */
static char *make_png(const ap_spectrogram_view *v)
{
    size_t size;
    unsigned char *pixels = malloc(v->rows * v->columns);
    for (size_t y = 0; pixels && y < v->rows; y++)
        for (size_t x = 0; x < v->columns; x++)
            pixels[y * v->columns + x] = shade(v->power[x * v->rows + v->rows - 1 - y]);
    unsigned char *png = pixels ? ap_png_levels(pixels, v->columns, v->rows, &size) : NULL;
    char *text = png ? ap_base64_encode(png, size) : NULL;
    free(pixels);
    free(png);
    return text;
}

/* Column i is about the time i * column_frames, in its middle. */
static void put_spectrogram(FILE *out, const picture *p, const char *png)
{
    double column = WIDTH * p->view.column_frames / (double)p->envelope->frames;
    fprintf(out,
            "<image x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\" preserveAspectRatio=\"none\" "
            "href=\"data:image/png;base64,%s\"/>",
            -column / 2, WAVE_HEIGHT, column * (double)p->view.columns, ROWS, png);
}

static void put_times(FILE *out, double seconds)
{
    static const double steps[] = {0.1, 0.2, 0.5, 1,   2,    5,    10,   15,   30,
                                   60,  120, 300, 600, 1200, 3600, 7200, 18000};
    double step = steps[0];
    for (size_t i = 0; i < sizeof steps / sizeof *steps && seconds / step > 10; i++)
        step = steps[i];
    for (double t = step; t < seconds * 0.97; t += step) {
        double x = WIDTH * t / seconds;
        fprintf(out, "<path class=\"tick\" d=\"M%.1f 0v%d\"/><text x=\"%.1f\" y=\"%d\">", x,
                WAVE_HEIGHT + ROWS, x, WAVE_HEIGHT + ROWS + 12);
        if (step < 1)
            fprintf(out, "%.1f s</text>", t);
        else
            fprintf(out, "%d:%02d</text>", (int)t / 60, (int)t % 60);
    }
}

static void put_frequencies(FILE *out, const picture *p)
{
    static const struct {
        double hz;
        const char *label;
    } marks[] = {{100, "100 Hz"}, {1000, "1 kHz"}, {10000, "10 kHz"}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        double y =
            WAVE_HEIGHT + ROWS * (1 - log2(marks[i].hz / LOWEST_HZ) / log2(p->view.high_hz / LOWEST_HZ));
        if (y > WAVE_HEIGHT + 8)
            fprintf(out,
                    "<path class=\"mark\" d=\"M0 %.1fh6\"/><text class=\"hz\" x=\"9\" y=\"%.1f\">%s</text>",
                    y, y + 3, marks[i].label);
    }
}

static bool put_svg(FILE *out, const picture *p, ap_error *err)
{
    char *png = make_png(&p->view);
    if (!png)
        return ap_fail_memory(err);
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" "
            "aria-label=\"waveform and spectrogram\">",
            WIDTH, WAVE_HEIGHT + ROWS + TIME_HEIGHT);
    put_area(out, p, false);
    put_area(out, p, true);
    put_spectrogram(out, p, png);
    put_times(out, seconds_of(p));
    put_frequencies(out, p);
    fprintf(out, "</svg>\n");
    free(png);
    return true;
}

bool ap_picture_svg(FILE *out, const char *path, ap_error *err)
{
    picture p = {0};
    bool ok = analyse(&p, path, err);
    if (ok && p.envelope->frames == 0)
        ok = ap_fail(err, AP_FAILED, "'%s' has no sound in it", path);
    ok = ok && put_svg(out, &p, err);
    ap_envelope_free(p.envelope);
    ap_spectrogram_free(p.spectrogram);
    return ok;
}
