/* SPDX-License-Identifier: GPL-3.0-or-later
 * spectrum_bars.c - the spectrum of what is heard now: bars over the logarithm of frequency. */
#include "dsp/fft.h"
#include "plugins/av/visual.h"
#include "stream/stream.h"

#include <math.h>
#include <stdlib.h>

#define BARS 64
#define THICKNESS 0.7 /* of a bar; the rest of its place is the gap */
#define LOW_HZ 40.0
#define HIGH_HZ 16000.0
#define WINDOW_S 0.085 /* at least; 4096 frames at 44.1 and 48 kHz */
#define RANGE_DB 66.0  /* from the foot of a bar to its top... */
#define TOP_DB (-6.0)  /* ...which is reached by a sine of this level at 1 kHz */
#define TILT_DB 3.0    /* an octave: music has less and less power towards the treble */
#define FALL_PER_S 1.2 /* heights a second, at most; they rise at once */
#define AHEAD_S 0.6    /* more than half a window, and half a frame at 1 frame a second */

typedef struct spectrum {
    double rate, fps;
    uint32_t channels;
    ap_drawing_area area;
    size_t window;
    size_t ring_frames; /* a power of two: AHEAD_S, and windows on both sides */
    float *ring;        /* [frame % ring_frames][channel] */
    uint64_t frames;    /* heard */
    ap_fft *fft;
    float *hann, *block; /* [window] */
    float complex *bins; /* [window / 2 + 1] */
    double *power;       /* of them, of all channels */
    double heights[BARS];
} spectrum;

static void hear(void *state, const float *frames, size_t count)
{
    spectrum *s = state;
    for (size_t i = 0; i < count; i++, s->frames++)
        for (uint32_t c = 0; c < s->channels; c++)
            s->ring[(s->frames % s->ring_frames) * s->channels + c] = frames[i * s->channels + c];
}

static float sample_at(const spectrum *s, int64_t frame, uint32_t channel)
{
    if (frame < 0 || (uint64_t)frame >= s->frames)
        return 0;
    return s->ring[((uint64_t)frame % s->ring_frames) * s->channels + channel];
}

/* A sine of full scale in all channels has the power 1. */
static void transform(spectrum *s, double time_s)
{
    size_t bins = s->window / 2 + 1;
    int64_t start = llrint(time_s * s->rate) - (int64_t)s->window / 2;
    double scale =
        4.0 / (double)s->window; /* half of the amplitude is in each of two bins, and Hann halves it */
    for (size_t i = 0; i < bins; i++)
        s->power[i] = 0;
    for (uint32_t c = 0; c < s->channels; c++) {
        for (size_t i = 0; i < s->window; i++)
            s->block[i] = s->hann[i] * sample_at(s, start + (int64_t)i, c);
        ap_fft_forward(s->fft, s->block, s->bins);
        for (size_t i = 0; i < bins; i++) {
            double re = crealf(s->bins[i]) * scale, im = cimagf(s->bins[i]) * scale;
            s->power[i] += (re * re + im * im) / s->channels;
        }
    }
}

/* The greatest power from one frequency to another; between two bins, where there is none. */
static double power_between(const spectrum *s, double low_hz, double high_hz)
{
    double hz = s->rate / (double)s->window, middle = (low_hz + high_hz) / 2 / hz;
    size_t last = s->window / 2, first = (size_t)ceil(low_hz / hz), below = (size_t)middle;
    if (below >= last)
        return 0;
    double most = s->power[below] + (s->power[below + 1] - s->power[below]) * (middle - (double)below);
    for (size_t i = first; i <= last && (double)i * hz < high_hz; i++)
        most = fmax(most, s->power[i]);
    return most;
}

static double frequency_at(double part)
{
    return LOW_HZ * pow(HIGH_HZ / LOW_HZ, part);
}

static double height_of(const spectrum *s, int bar)
{
    double low = frequency_at((double)bar / BARS), high = frequency_at((bar + 1.0) / BARS);
    double db = 10 * log10(power_between(s, low, high) + 1e-20) + TILT_DB * log2(sqrt(low * high) / 1000);
    return fmin(fmax((db - TOP_DB) / RANGE_DB + 1, 0), 1);
}

static void draw(void *state, double time_s, AVFrame *picture)
{
    spectrum *s = state;
    double pitch = s->area.width / (BARS + 4.0); /* some room on both sides */
    transform(s, time_s);
    for (int i = 0; i < BARS; i++) {
        s->heights[i] = fmax(height_of(s, i), s->heights[i] - FALL_PER_S / s->fps);
        s->heights[i] = fmax(s->heights[i], 0);
        ap_bar b = {.middle = (i + 2.5) * pitch, .width = THICKNESS * pitch, .bottom = s->area.bottom};
        b.top = b.bottom - fmax(s->heights[i] * (s->area.bottom - s->area.top), b.width);
        b.colour = ap_bar_colour((i + 0.5) / BARS);
        b.opacity = 1;
        ap_bar_draw(picture, &b);
    }
}

static void spectrum_free(void *state)
{
    spectrum *s = state;
    ap_fft_free(s->fft);
    free(s->ring);
    free(s->hann);
    free(s->block);
    free(s->bins);
    free(s->power);
    free(s);
}

ap_drawing ap_spectrum_drawing(const ap_format *format, AVRational fps, ap_drawing_area area)
{
    spectrum *s = calloc(1, sizeof *s);
    if (!s)
        return (ap_drawing){0};
    *s = (spectrum){.rate = format->rate, .fps = av_q2d(fps), .channels = format->channels, .area = area};
    s->window = 2;
    while ((double)s->window < WINDOW_S * s->rate)
        s->window *= 2;
    s->ring_frames = 2 * s->window;
    while ((double)s->ring_frames < AHEAD_S * s->rate + 2 * (double)s->window + 2 * AP_BLOCK)
        s->ring_frames *= 2;
    s->ring = calloc(s->ring_frames * s->channels, sizeof *s->ring);
    s->fft = ap_fft_new(s->window);
    s->hann = ap_fft_alloc(s->window, sizeof *s->hann);
    s->block = ap_fft_alloc(s->window, sizeof *s->block);
    s->bins = ap_fft_alloc(s->window / 2 + 1, sizeof *s->bins);
    s->power = calloc(s->window / 2 + 1, sizeof *s->power);
    if (!s->ring || !s->fft || !s->hann || !s->block || !s->bins || !s->power) {
        spectrum_free(s);
        return (ap_drawing){0};
    }
    for (size_t i = 0; i < s->window; i++)
        s->hann[i] = (float)(0.5 - 0.5 * cos(2 * M_PI * (double)i / (double)s->window));
    return (ap_drawing){s, AHEAD_S, hear, draw, spectrum_free};
}
