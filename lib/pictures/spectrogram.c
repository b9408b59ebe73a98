/* SPDX-License-Identifier: GPL-3.0-or-later
 * spectrogram.c - power over time and the logarithm of frequency, of a stream of any length in a fixed number
 * of columns.
 *
 * Windows are centred at multiples of the distance between columns (hop). While this is less than half a
 * window, a column is one window, and when all are full every other one is dropped. From then on a column is
 * the mean of windows half a window apart, and when all are full neighbours are averaged. So the result is
 * what it would have been with the final hop from the start: knowing the length only saves work. */
#include "pictures/spectrogram.h"
#include "dsp/fft.h"
#include "stream/stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_S 0.06 /* at least; the next power of two is 93 ms at 44.1 kHz */
#define MIN_WINDOW 64
#define MAX_WINDOW 65536
#define SHORT 8 /* a stream of fewer windows gets shorter ones */
#define FIRST_HOP 16
#define TINY 1e-30f

/* Where a row takes its power from: the loudest of bins low..high, or between the bins low and low + 1. */
typedef struct row_map {
    uint32_t low, high; /* high == 0: interpolate */
    float fraction;
} row_map;

struct ap_spectrogram {
    uint32_t channels;
    uint64_t rate;
    size_t window, rows, capacity, count;
    double low_hz, high_hz;
    uint64_t hop;   /* frames from column to column */
    uint64_t next;  /* centre of the next window */
    uint64_t seen;  /* frames */
    unsigned taken; /* windows in the last column */
    size_t have;    /* frames in signal */
    uint64_t first; /* position of signal[0], plus window / 2 */
    float *signal;  /* per channel window + AP_BLOCK samples */
    float *weights, *windowed, *bins, *power;
    float complex *spectrum;
    ap_fft *fft;
    row_map *map;
};

/* ---- columns */

static uint64_t step(const ap_spectrogram *s)
{
    return s->hop < s->window / 2 ? s->hop : s->window / 2;
}

/* Power of each bin: the mean of the channels. */
static void transform(ap_spectrogram *s, size_t at)
{
    size_t bins = s->window / 2 + 1;
    memset(s->bins, 0, bins * sizeof *s->bins);
    for (uint32_t c = 0; c < s->channels; c++) {
        const float *x = s->signal + c * (s->window + AP_BLOCK) + at;
        for (size_t i = 0; i < s->window; i++)
            s->windowed[i] = x[i] * s->weights[i];
        ap_fft_forward(s->fft, s->windowed, s->spectrum);
        const float *parts = (const float *)s->spectrum; /* real and imaginary, C11 6.2.5, 13 */
        for (size_t i = 0; i < bins; i++)
            s->bins[i] += parts[2 * i] * parts[2 * i] + parts[2 * i + 1] * parts[2 * i + 1];
    }
}

static float row_power(const row_map *m, const float *bins)
{
    if (m->high == 0) /* along the geometric mean: straight in dB */
        return expf(logf(bins[m->low] + TINY) * (1 - m->fraction) +
                    logf(bins[m->low + 1] + TINY) * m->fraction);
    float most = bins[m->low];
    for (uint32_t i = m->low + 1; i <= m->high; i++)
        most = bins[i] > most ? bins[i] : most;
    return most;
}

/* Adds the transformed window to the last column, or begins it. */
static void add_to_column(ap_spectrogram *s)
{
    float *column = s->power + (s->count - 1) * s->rows;
    for (size_t r = 0; r < s->rows; r++)
        column[r] = (s->taken ? column[r] : 0) + row_power(&s->map[r], s->bins);
    s->taken++;
}

/* All columns are full: makes half of them. */
static void halve(ap_spectrogram *s)
{
    bool drop = s->hop < s->window / 2;
    for (size_t i = 0; i < s->count / 2; i++) {
        const float *a = s->power + 2 * i * s->rows, *b = a + s->rows;
        float *to = s->power + i * s->rows;
        for (size_t r = 0; r < s->rows; r++)
            to[r] = drop ? a[r] : a[r] + b[r];
    }
    s->count /= 2;
    s->hop *= 2;
}

static void take_window(ap_spectrogram *s)
{
    if (s->next == s->count * s->hop) {
        if (s->count == s->capacity)
            halve(s);
        s->count++;
        s->taken = 0;
    }
    transform(s, (size_t)(s->next - s->first));
    add_to_column(s);
    s->next += step(s);
}

/* Takes all windows that are complete and whose centre is in the stream, and forgets what they no longer
 * need. centres: position of the first frame that is not in it. */
static void take_windows(ap_spectrogram *s, uint64_t centres)
{
    size_t pitch = s->window + AP_BLOCK;
    while (s->next < centres && s->next - s->first + s->window <= s->have)
        take_window(s);
    uint64_t gone = s->next - s->first < s->have ? s->next - s->first : s->have;
    for (uint32_t c = 0; c < s->channels && gone; c++)
        memmove(s->signal + c * pitch, s->signal + c * pitch + gone, (s->have - gone) * sizeof *s->signal);
    s->first += gone;
    s->have -= (size_t)gone;
}

/* frames NULL: silence. */
static void append(ap_spectrogram *s, const float *frames, size_t count)
{
    for (uint32_t c = 0; c < s->channels; c++) {
        float *to = s->signal + c * (s->window + AP_BLOCK) + s->have;
        for (size_t i = 0; i < count; i++)
            to[i] = frames ? frames[i * s->channels + c] : 0;
    }
    s->have += count;
}

void ap_spectrogram_add(ap_spectrogram *s, const float *frames, size_t count)
{
    while (count) {
        size_t n = count < AP_BLOCK ? count : AP_BLOCK;
        append(s, frames, n);
        s->seen += n;
        take_windows(s, s->seen);
        frames += n * s->channels;
        count -= n;
    }
}

ap_spectrogram_view ap_spectrogram_finish(ap_spectrogram *s)
{
    for (size_t left = s->window / 2; left;) {
        size_t n = left < AP_BLOCK ? left : AP_BLOCK;
        append(s, NULL, n);
        take_windows(s, s->seen);
        left -= n;
    }
    unsigned full = (unsigned)(s->hop / step(s));
    for (size_t i = 0; i < s->count * s->rows; i++)
        s->power[i] /= (float)(i / s->rows + 1 < s->count ? full : s->taken);
    return (ap_spectrogram_view){s->rows, s->count, (double)s->hop, s->low_hz, s->high_hz, s->power};
}

/* ---- making one */

/* Hann, scaled so that a sine of full scale in one of channels channels has 1 / channels of power. */
static void make_weights(ap_spectrogram *s)
{
    double scale = 4.0 / (double)s->window / sqrt(s->channels); /* 2 / sum of a Hann window */
    for (size_t i = 0; i < s->window; i++)
        s->weights[i] = (float)(scale * 0.5 * (1 - cos(2 * M_PI * (double)i / (double)s->window)));
}

static void make_map(ap_spectrogram *s)
{
    double bin_hz = (double)s->rate / (double)s->window, octaves = log(s->high_hz / s->low_hz);
    for (size_t r = 0; r < s->rows; r++) {
        double from = s->low_hz * exp(octaves * (double)r / (double)s->rows) / bin_hz;
        double to = s->low_hz * exp(octaves * (double)(r + 1) / (double)s->rows) / bin_hz;
        double centre = fmin(sqrt(from * to), (double)(s->window / 2) - 0.001);
        row_map *m = &s->map[r];
        if (ceil(from) < to && floor(to) <= (double)(s->window / 2))
            *m = (row_map){(uint32_t)ceil(from), (uint32_t)floor(to), 0};
        else
            *m = (row_map){(uint32_t)centre, 0, (float)(centre - floor(centre))};
    }
}

static size_t window_for(const ap_format *format)
{
    size_t window = MIN_WINDOW;
    while (window < WINDOW_S * format->rate && window < MAX_WINDOW)
        window *= 2;
    while (window > MIN_WINDOW && format->frames / SHORT < window)
        window /= 2;
    return window;
}

static bool allocate(ap_spectrogram *s)
{
    size_t bins = s->window / 2 + 1;
    s->signal = calloc(s->channels * (s->window + AP_BLOCK), sizeof *s->signal);
    s->weights = malloc(s->window * sizeof *s->weights);
    s->bins = malloc(bins * sizeof *s->bins);
    s->power = malloc(s->capacity * s->rows * sizeof *s->power);
    s->map = malloc(s->rows * sizeof *s->map);
    s->windowed = ap_fft_alloc(s->window, sizeof *s->windowed);
    s->spectrum = ap_fft_alloc(bins, sizeof *s->spectrum);
    s->fft = ap_fft_new(s->window);
    return s->signal && s->weights && s->bins && s->power && s->map && s->windowed && s->spectrum && s->fft;
}

ap_spectrogram *ap_spectrogram_new(const ap_format *format, double low_hz, double high_hz, size_t rows,
                                   size_t columns)
{
    ap_spectrogram *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->channels = format->channels;
    s->rate = format->rate;
    s->rows = rows;
    s->capacity = columns;
    s->low_hz = low_hz;
    s->high_hz = high_hz;
    s->window = window_for(format);
    s->hop = FIRST_HOP;
    while (format->frames != AP_UNKNOWN && format->frames > s->capacity * s->hop)
        s->hop *= 2;
    if (!allocate(s)) {
        ap_spectrogram_free(s);
        return NULL;
    }
    s->have = s->window / 2; /* silence before the start */
    make_weights(s);
    make_map(s);
    return s;
}

void ap_spectrogram_free(ap_spectrogram *s)
{
    if (!s)
        return;
    ap_fft_free(s->fft);
    free(s->windowed);
    free(s->spectrum);
    free(s->signal);
    free(s->weights);
    free(s->bins);
    free(s->power);
    free(s->map);
    free(s);
}
