/* SPDX-License-Identifier: GPL-3.0-or-later
 * waveform.c - the level of the sound over time, which passes by: what is heard now is in the middle. */
#include "plugins/av/visual.h"

#include <math.h>
#include <stdlib.h>

#define SIDE_S 3.0 /* what is seen on each side of the present */
#define BARS 84    /* on both sides */
#define BAR_S (2 * SIDE_S / BARS)
#define RING 256      /* bars that are remembered: more than are seen or ahead */
#define THICKNESS 0.6 /* of a bar; the rest of its place is the gap */
#define PAST 1.0      /* opacity */
#define FUTURE 0.35

typedef struct waveform {
    double rate;
    uint32_t channels;
    ap_drawing_area area;
    uint64_t frames;      /* heard */
    uint64_t bar;         /* the one that is being filled */
    double squares[RING]; /* [bar % RING]: sum over its samples */
    uint64_t counts[RING];
} waveform;

static void hear(void *state, const float *frames, size_t count)
{
    waveform *w = state;
    for (size_t i = 0; i < count; i++, w->frames++) {
        uint64_t bar = (uint64_t)((double)w->frames / (w->rate * BAR_S));
        if (bar != w->bar) {
            w->bar = bar;
            w->squares[bar % RING] = 0;
            w->counts[bar % RING] = 0;
        }
        for (uint32_t c = 0; c < w->channels; c++) {
            double x = frames[i * w->channels + c];
            w->squares[bar % RING] += x * x;
        }
        w->counts[bar % RING] += w->channels;
    }
}

/* 0..1: the amplitude of a sine of the same power, on a scale between the linear one, on which quiet music is
 * a line, and that of decibels, on which all music is a block. */
static double height_of(const waveform *w, int64_t bar)
{
    if (bar < 0 || (uint64_t)bar > w->bar || !w->counts[(uint64_t)bar % RING])
        return 0;
    double power = w->squares[(uint64_t)bar % RING] / (double)w->counts[(uint64_t)bar % RING];
    return fmin(pow(2 * power, 0.3), 1);
}

static void draw(void *state, double time_s, AVFrame *picture)
{
    const waveform *w = state;
    double pitch = w->area.width / BARS, middle = (w->area.top + w->area.bottom) / 2;
    int64_t now = (int64_t)floor(time_s / BAR_S);
    for (int64_t bar = now - BARS / 2 - 1; bar <= now + BARS / 2 + 1; bar++) {
        double age = time_s / BAR_S - (double)bar; /* 0..1 while it is played */
        double half = height_of(w, bar) * (w->area.bottom - w->area.top) / 2;
        double x = w->area.width / 2 + (0.5 - age) * pitch;
        ap_bar b = {.middle = x, .width = THICKNESS * pitch, .top = middle - half, .bottom = middle + half};
        b.colour = ap_bar_colour(x / w->area.width);
        b.opacity = FUTURE + (PAST - FUTURE) * fmin(fmax(age, 0), 1);
        ap_bar_draw(picture, &b);
    }
}

ap_drawing ap_waveform_drawing(const ap_format *format, ap_drawing_area area)
{
    waveform *w = calloc(1, sizeof *w);
    if (w) {
        w->rate = format->rate;
        w->channels = format->channels;
        w->area = area;
    }
    return (ap_drawing){w, SIDE_S + 2 * BAR_S, hear, draw, free};
}
