/* SPDX-License-Identifier: GPL-3.0-or-later
 * figure.c - what a sound looks like: waveform and spectrogram, as an SVG that needs nothing else. */
#include "jobs/show/figure.h"
#include "base/base64.h"
#include "base/error.h"
#include "dsp/fft.h"
#include "jobs/record/probe.h"
#include "stream/stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define COLUMNS 640
#define WAVE_HEIGHT 72
#define ROWS 144 /* of the spectrogram */
#define TIME_HEIGHT 16
#define WINDOW 4096 /* 93 ms at 44.1 kHz */
#define LOWEST_HZ 40.0
#define FLOOR_DB (-100.0) /* black; dB of a full-scale sine */
#define CEILING_DB (-8.0)

/* What is known of a file, a column at a time. */
typedef struct picture {
    uint32_t rate, channels;
    uint64_t frames, position;
    float low[COLUMNS], high[COLUMNS], square[COLUMNS]; /* of the mean of the channels */
    uint64_t counted[COLUMNS];
    float power[COLUMNS][ROWS]; /* the largest */
    float ring[WINDOW];
    ap_fft *fft;
    float *window, *in;
    float complex *bins;
    unsigned first_bin[ROWS + 1];
} picture;

/* ---- analysis */

static size_t column_of(const picture *p, uint64_t frame)
{
    uint64_t c = p->frames ? frame * COLUMNS / p->frames : 0;
    return c < COLUMNS ? (size_t)c : COLUMNS - 1;
}

static double highest_hz(const picture *p)
{
    return fmin(20000, p->rate / 2.0);
}

/* Rows share the octaves evenly; row 0 is the lowest. */
static void share_bins(picture *p)
{
    double octaves = log2(highest_hz(p) / LOWEST_HZ);
    for (int r = 0; r <= ROWS; r++) {
        double hz = LOWEST_HZ * exp2(octaves * r / ROWS);
        p->first_bin[r] = (unsigned)fmin(WINDOW / 2, round(hz * WINDOW / p->rate));
    }
}

/* The window that ends at the current position. */
static void transform(picture *p)
{
    double scale = 4.0 / WINDOW; /* a full-scale sine under a Hann window gives 1 */
    for (unsigned i = 0; i < WINDOW; i++)
        p->in[i] = p->ring[(p->position + i) % WINDOW] * p->window[i];
    ap_fft_forward(p->fft, p->in, p->bins);
    float *power = p->power[column_of(p, p->position > WINDOW / 2 ? p->position - WINDOW / 2 : 0)];
    for (int r = 0; r < ROWS; r++) {
        unsigned last = p->first_bin[r + 1] > p->first_bin[r] ? p->first_bin[r + 1] : p->first_bin[r] + 1;
        for (unsigned b = p->first_bin[r]; b < last && b <= WINDOW / 2; b++) {
            float re = crealf(p->bins[b]), im = cimagf(p->bins[b]);
            power[r] = fmaxf(power[r], (re * re + im * im) * (float)(scale * scale));
        }
    }
}

static void see(picture *p, const float *frames, size_t count)
{
    /* at least one window a column, and not more than the ear could tell apart */
    uint64_t hop = p->frames / COLUMNS;
    hop = hop < 64 ? 64 : hop > WINDOW / 2 ? WINDOW / 2 : hop;
    for (size_t i = 0; i < count; i++) {
        float x = 0;
        for (uint32_t c = 0; c < p->channels; c++)
            x += frames[i * p->channels + c];
        x /= (float)p->channels;
        size_t c = column_of(p, p->position);
        p->low[c] = fminf(p->low[c], x);
        p->high[c] = fmaxf(p->high[c], x);
        p->square[c] += x * x;
        p->counted[c]++;
        p->ring[p->position++ % WINDOW] = x;
        if (p->position % hop == 0)
            transform(p);
    }
}

static bool prepare(picture *p, const ap_format *format, uint64_t frames, ap_error *err)
{
    p->rate = format->rate;
    p->channels = format->channels;
    p->frames = frames;
    p->fft = ap_fft_new(WINDOW);
    p->window = ap_fft_alloc(WINDOW, sizeof *p->window);
    p->in = ap_fft_alloc(WINDOW, sizeof *p->in);
    p->bins = ap_fft_alloc(WINDOW / 2 + 1, sizeof *p->bins);
    if (!p->fft || !p->window || !p->in || !p->bins)
        return ap_fail_memory(err);
    for (int i = 0; i < WINDOW; i++)
        p->window[i] = (float)(0.5 - 0.5 * cos(2 * M_PI * i / WINDOW)); /* Hann */
    share_bins(p);
    return true;
}

static void release(picture *p)
{
    if (!p)
        return;
    ap_fft_free(p->fft);
    free(p->window);
    free(p->in);
    free(p->bins);
    free(p);
}

static bool count_frames(const char *path, uint64_t *frames, ap_error *err)
{
    ap_probe probe;
    if (!ap_probe_file(path, AP_PROBE_DURATION, &probe, err))
        return false;
    *frames = (uint64_t)llround(fmax(0, probe.seconds) * probe.rate);
    return true;
}

static bool analyse(picture *p, const char *path, ap_error *err)
{
    uint64_t frames;
    ap_stream *s = count_frames(path, &frames, err) ? ap_decode(path, NULL, err) : NULL;
    float *block = s ? malloc(AP_BLOCK * ap_stream_format(s)->channels * sizeof *block) : NULL;
    ptrdiff_t n = -1;
    if (s && !block)
        ap_fail_memory(err);
    if (block && prepare(p, ap_stream_format(s), frames, err))
        while ((n = ap_read(s, block, AP_BLOCK, err)) > 0)
            see(p, block, (size_t)n);
    free(block);
    ap_close(&s);
    return n == 0;
}

/* ---- a PNG (ISO/IEC 15948): one byte a pixel, through a palette */

static void put_word(unsigned char *to, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(v >> (24 - 8 * i));
}

static size_t put_chunk(unsigned char *to, const char *type, const unsigned char *data, size_t size)
{
    put_word(to, (uint32_t)size);
    memcpy(to + 4, type, 4);
    memcpy(to + 8, data, size);
    put_word(to + 8 + size, (uint32_t)crc32(crc32(0, NULL, 0), to + 4, (uInt)(size + 4)));
    return size + 12;
}

/* Black, violet, red, yellow: lightness rises evenly, as in matplotlib's "inferno" (five of its colours). */
static void fill_palette(unsigned char palette[768])
{
    static const unsigned char stops[5][3] = {
        {0, 0, 4}, {87, 16, 110}, {188, 55, 84}, {249, 142, 9}, {252, 255, 164}};
    for (int i = 0; i < 256; i++) {
        int s = i == 255 ? 3 : i / 64, f = i == 255 ? 64 : i % 64;
        for (int c = 0; c < 3; c++)
            palette[3 * i + c] = (unsigned char)((stops[s][c] * (64 - f) + stops[s + 1][c] * f) / 64);
    }
}

static unsigned char shade(float power)
{
    double level = (10 * log10(power + 1e-30) - FLOOR_DB) / (CEILING_DB - FLOOR_DB);
    return (unsigned char)lrint(255 * fmin(1, fmax(0, level)));
}

/* malloc'ed; NULL when out of memory. */
static unsigned char *make_png(const picture *p, size_t *size)
{
    static const unsigned char signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    static unsigned char pixels[ROWS * (COLUMNS + 1)];
    unsigned char header[13] = {0}, palette[768];
    for (int y = 0; y < ROWS; y++) { /* each line begins with its filter: 0, none */
        pixels[y * (COLUMNS + 1)] = 0;
        for (int x = 0; x < COLUMNS; x++)
            pixels[y * (COLUMNS + 1) + 1 + x] = shade(p->power[x][ROWS - 1 - y]);
    }
    uLongf packed = compressBound(sizeof pixels);
    unsigned char *data = malloc(packed), *png = malloc(packed + 1024);
    if (!data || !png || compress2(data, &packed, pixels, sizeof pixels, 9) != Z_OK) {
        free(data);
        free(png);
        return NULL;
    }
    put_word(header, COLUMNS);
    put_word(header + 4, ROWS);
    header[8] = 8; /* bits */
    header[9] = 3; /* palette */
    fill_palette(palette);
    memcpy(png, signature, *size = sizeof signature);
    *size += put_chunk(png + *size, "IHDR", header, sizeof header);
    *size += put_chunk(png + *size, "PLTE", palette, sizeof palette);
    *size += put_chunk(png + *size, "IDAT", data, packed);
    *size += put_chunk(png + *size, "IEND", header, 0);
    free(data);
    return png;
}

/* ---- the SVG */

static double wave_y(float x)
{
    return WAVE_HEIGHT / 2.0 * (1 - fmax(-1, fmin(1, x)));
}

/* An area between two curves over the columns. */
static void put_area(FILE *out, const char *class_, const float *top, const float *bottom)
{
    fprintf(out, "<path class=\"%s\" d=\"M", class_);
    for (int c = 0; c < COLUMNS; c++)
        fprintf(out, "%d %.1f ", c, wave_y(top[c]) - 0.2);
    for (int c = COLUMNS - 1; c >= 0; c--)
        fprintf(out, "%d %.1f ", c, wave_y(bottom[c]) + 0.2);
    fprintf(out, "Z\"/>");
}

static void put_wave(FILE *out, const picture *p)
{
    float rms[COLUMNS], minus[COLUMNS];
    for (int c = 0; c < COLUMNS; c++) {
        rms[c] = p->counted[c] ? sqrtf(p->square[c] / (float)p->counted[c]) : 0;
        minus[c] = -rms[c];
    }
    put_area(out, "peak", p->high, p->low);
    put_area(out, "rms", rms, minus);
}

static void put_times(FILE *out, const picture *p)
{
    static const double steps[] = {0.1, 0.2, 0.5, 1,   2,    5,    10,   15,   30,
                                   60,  120, 300, 600, 1200, 3600, 7200, 18000};
    double seconds = (double)p->frames / p->rate, step = steps[0];
    for (size_t i = 0; i < sizeof steps / sizeof *steps && seconds / step > 10; i++)
        step = steps[i];
    for (double t = step; t < seconds * 0.97; t += step) {
        double x = COLUMNS * t / seconds;
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
        double y = WAVE_HEIGHT + ROWS * (1 - log2(marks[i].hz / LOWEST_HZ) / log2(highest_hz(p) / LOWEST_HZ));
        if (y > WAVE_HEIGHT + 8)
            fprintf(out,
                    "<path class=\"mark\" d=\"M0 %.1fh6\"/><text class=\"hz\" x=\"9\" y=\"%.1f\">%s</text>",
                    y, y + 3, marks[i].label);
    }
}

static bool put_svg(FILE *out, const picture *p, ap_error *err)
{
    size_t size;
    unsigned char *png = make_png(p, &size);
    char *text = png ? ap_base64_encode(png, size) : NULL;
    if (text) {
        fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"waveform and spectrogram\">",
                COLUMNS, WAVE_HEIGHT + ROWS + TIME_HEIGHT);
        put_wave(out, p);
        fprintf(out,
                "<image y=\"%d\" width=\"%d\" height=\"%d\" preserveAspectRatio=\"none\" "
                "href=\"data:image/png;base64,%s\"/>",
                WAVE_HEIGHT, COLUMNS, ROWS, text);
        put_times(out, p);
        put_frequencies(out, p);
        fprintf(out, "</svg>\n");
    }
    free(png);
    free(text);
    return text || ap_fail_memory(err);
}

bool ap_picture_svg(FILE *out, const char *path, ap_error *err)
{
    picture *p = calloc(1, sizeof *p);
    bool ok = p ? analyse(p, path, err) && put_svg(out, p, err) : ap_fail_memory(err);
    release(p);
    return ok;
}
