/* SPDX-License-Identifier: GPL-3.0-or-later
 * waveform.c - peaks and RMS over time. */
#include "pictures/envelope.h"
#include "pictures/plot.h"
#include "plugins/cairo/canvas.h"

#include <math.h>
#include <stdlib.h>

#define RMS_FRAMES 8 /* in a column, at least: less is no mean */
#define PEAK_ALPHA 0.5
#define CLIPPING 0xcc0000 /* the line at full scale, if there is more */
#define TICK_STEP_DB 6
#define TICK_SPACING 12 /* units between labels, at least */
#define DOT_SPACING 4   /* samples that are this far apart get dots */

/* What there is between two times. */
typedef struct column {
    double low, high, rms;
} column;

double waveform_peak(const ap_envelope *e)
{
    double most = 0;
    for (size_t i = 0; i < e->count * e->channels; i++)
        most = fmax(most, fmax(e->buckets[i].high, -e->buckets[i].low));
    return most;
}

/* Buckets from..to - 1 of some channels. */
static column collect(const ap_envelope *e, size_t from, size_t to, uint32_t first, uint32_t channels)
{
    column col = {HUGE_VAL, -HUGE_VAL, 0};
    double squares = 0, samples = 0;
    for (size_t i = from; i < to; i++) {
        samples += (double)ap_envelope_frames(e, i) * channels;
        for (uint32_t c = first; c < first + channels; c++) {
            const ap_bucket *b = &e->buckets[i * e->channels + c];
            col.low = fmin(col.low, b->low);
            col.high = fmax(col.high, b->high);
            squares += b->squares;
        }
    }
    col.rms = sqrt(squares / samples);
    return col;
}

/* Column number i of n: the buckets that touch it. */
static column column_at(const ap_envelope *e, size_t i, size_t n, uint32_t channel)
{
    double buckets = (double)e->frames / (double)e->per_bucket;
    size_t from = (size_t)((double)i / (double)n * buckets);
    size_t to = (size_t)ceil((double)(i + 1) / (double)n * buckets - 1e-9);
    if (from >= e->count)
        from = e->count - 1;
    if (to <= from)
        to = from + 1;
    bool all = channel == ALL_CHANNELS;
    return collect(e, from, to < e->count ? to : e->count, all ? 0 : channel, all ? e->channels : 1);
}

/* Where the stream ends on the time axis. */
static double width_of(const box *b, const ap_plot_track *t, double duration_s)
{
    return b->width * ((double)t->format.frames / t->format.rate) / duration_s;
}

static double y_of(const box *b, double top, double amplitude)
{
    return b->y + b->height / 2 * (1 - amplitude / top);
}

/* The area between two values for each column, at least a pixel high. */
static void fill_columns(const canvas *c, const box *b, const column *columns, size_t n, double width,
                         double top, bool rms)
{
    double least = 1 / c->scale;
    for (int back = 0; back < 2; back++)
        for (size_t k = 0; k < n; k++) {
            size_t i = back ? n - 1 - k : k;
            const column *col = &columns[i];
            double high = y_of(b, top, rms ? col->rms : col->high),
                   low = y_of(b, top, rms ? -col->rms : col->low);
            double thicken = fmax(0, (least - (low - high)) / 2), y = back ? low + thicken : high - thicken;
            double x = b->x + (double)i * width / (double)n,
                   right = b->x + (double)(i + 1) * width / (double)n;
            cairo_line_to(c->cr, back ? right : x, y);
            cairo_line_to(c->cr, back ? x : right, y);
        }
    cairo_close_path(c->cr);
    cairo_fill(c->cr);
}

static void draw_columns(const canvas *c, const box *b, const ap_envelope *e, uint32_t channel, double width,
                         double top, unsigned colour)
{
    size_t n = (size_t)fmax(1, round(width * c->scale));
    column *columns = malloc(n * sizeof *columns);
    if (!columns)
        return;
    for (size_t i = 0; i < n; i++)
        columns[i] = column_at(e, i, n, channel);
    bool rms = waveform_has_rms(c, b, e);
    set_colour(c, colour, rms ? PEAK_ALPHA : 1);
    fill_columns(c, b, columns, n, width, top, false);
    set_colour(c, colour, 1);
    if (rms)
        fill_columns(c, b, columns, n, width, top, true);
    free(columns);
}

/* The samples themselves: a line through them, and dots if there is room for them. */
static void draw_samples(const canvas *c, const box *b, const ap_envelope *e, uint32_t channel, double width,
                         double top, unsigned colour)
{
    double pitch = width / (double)e->count;
    set_colour(c, colour, 1);
    cairo_set_line_width(c->cr, 1.2);
    uint32_t first = channel == ALL_CHANNELS ? 0 : channel,
             end = channel == ALL_CHANNELS ? e->channels : channel + 1;
    for (uint32_t k = first; k < end; k++) {
        for (size_t i = 0; i < e->count; i++)
            cairo_line_to(c->cr, b->x + ((double)i + 0.5) * pitch,
                          y_of(b, top, e->buckets[i * e->channels + k].high));
        cairo_stroke(c->cr);
        for (size_t i = 0; pitch >= DOT_SPACING && i < e->count; i++) {
            cairo_arc(c->cr, b->x + ((double)i + 0.5) * pitch,
                      y_of(b, top, e->buckets[i * e->channels + k].high), 2, 0, 2 * M_PI);
            cairo_fill(c->cr);
        }
    }
}

bool waveform_has_rms(const canvas *c, const box *b, const ap_envelope *e)
{
    return (double)e->frames >= RMS_FRAMES * b->width * c->scale;
}

/* Grid lines at the ticks of the axis. */
static double tick_db(double top, int i)
{
    return floor(20 * log10(top) / TICK_STEP_DB + 1e-9) * TICK_STEP_DB - i * TICK_STEP_DB;
}

/* Whether the label of tick number i has room, above the middle and below the one before. */
static bool has_room(const box *b, double top, int i)
{
    double y = label_y(b, y_of(b, top, pow(10, tick_db(top, i) / 20)));
    double above = i ? label_y(b, y_of(b, top, pow(10, tick_db(top, i - 1) / 20))) : -HUGE_VAL;
    return b->y + b->height / 2 - y >= TICK_SPACING && y - above >= TICK_SPACING;
}

static void draw_grid(const canvas *c, const box *b, double top, double duration_s)
{
    draw_time_grid(c, b, duration_s);
    set_colour(c, GRID, 1);
    draw_line(c, b->x, b->y + b->height / 2, b->x + b->width, b->y + b->height / 2);
    for (int i = 0; has_room(b, top, i); i++)
        for (int sign = -1; sign <= 1; sign += 2) {
            double y = y_of(b, top, sign * pow(10, tick_db(top, i) / 20));
            draw_line(c, b->x, y, b->x + b->width, y);
        }
}

void draw_amplitude_axis(const canvas *c, const box *b, double top)
{
    char text[32];
    format_number(text, sizeof text, -HUGE_VAL, 0);
    draw_left_tick(c, b, b->y + b->height / 2, text);
    for (int i = 0; has_room(b, top, i); i++)
        for (int sign = -1; sign <= 1; sign += 2) {
            format_number(text, sizeof text, tick_db(top, i), 0);
            draw_left_tick(c, b, y_of(b, top, sign * pow(10, tick_db(top, i) / 20)), text);
        }
}

static void mark_full_scale(const canvas *c, const box *b, double top)
{
    set_colour(c, CLIPPING, 0.8);
    for (int sign = -1; sign <= 1; sign += 2)
        draw_line(c, b->x, y_of(b, top, sign), b->x + b->width, y_of(b, top, sign));
}

void draw_waveform(const canvas *c, const box *b, const ap_plot_track *t, uint32_t channel, double top,
                   double duration_s, unsigned colour)
{
    const ap_envelope *e = t->envelope;
    double width = width_of(b, t, duration_s);
    draw_grid(c, b, top, duration_s);
    cairo_save(c->cr);
    cairo_rectangle(c->cr, b->x, b->y - 1, b->width, b->height + 2);
    cairo_clip(c->cr);
    if (e->count && e->per_bucket == 1 && (double)e->frames < 2 * width * c->scale)
        draw_samples(c, b, e, channel, width, top, colour);
    else if (e->count)
        draw_columns(c, b, e, channel, width, top, colour);
    cairo_restore(c->cr);
    if (top > 1)
        mark_full_scale(c, b, top);
    frame_box(c, b);
}
