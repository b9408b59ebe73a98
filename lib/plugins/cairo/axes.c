/* SPDX-License-Identifier: GPL-3.0-or-later
 * axes.c - ticks, labels, units. */
#include "plugins/cairo/canvas.h"

#include <math.h>
#include <stdio.h>

#define TICK 4          /* length */
#define TIME_SPACING 72 /* at least, between the labels of the time axis */

/* Units of the time axis, by the length that begins to use them. */
typedef struct time_unit {
    double from_s, factor;
    const char *title;
} time_unit;

static const time_unit units[] = {{3600, 1, "time (h:min:s)"},
                                  {60, 1, "time (min:s)"},
                                  {1, 1, "time (s)"},
                                  {1e-3, 1e3, "time (ms)"},
                                  {0, 1e6, "time (\302\265s)"}}; /* micro sign */

static const time_unit *unit_for(double duration_s)
{
    const time_unit *u = units;
    while (duration_s < u->from_s)
        u++;
    return u;
}

/* The smallest step of 1, 2, 5 times a power of ten, and in minutes and hours of what divides them. */
static double time_step(double least_s)
{
    static const double sexagesimal[] = {10,  15,   20,   30,   60,   120,   300,   600,
                                         900, 1200, 1800, 3600, 7200, 10800, 21600, 43200};
    for (size_t i = 0; least_s > 5 && i < sizeof sexagesimal / sizeof *sexagesimal; i++)
        if (sexagesimal[i] >= least_s)
            return sexagesimal[i];
    double unit = least_s > 43200 ? 86400 : 1;
    double decade = pow(10, floor(log10(least_s / unit) + 1e-9)) * unit;
    return least_s <= 1.001 * decade ? decade
           : least_s <= 2 * decade   ? 2 * decade
           : least_s <= 5 * decade   ? 5 * decade
                                     : 10 * decade;
}

static double step_for(const box *b, double duration_s)
{
    double ticks = fmax(2, floor(b->width / TIME_SPACING));
    return time_step(duration_s / ticks);
}

static void format_time(char *text, size_t size, const time_unit *u, double t, double step)
{
    double value = t * u->factor, gap = step * u->factor;
    if (u->from_s < 60) {
        int digits = gap >= 0.999 ? 0 : (int)ceil(-log10(gap) - 1e-6);
        snprintf(text, size, "%.*f", digits, value);
        return;
    }
    unsigned long seconds = (unsigned long)lrint(value);
    if (u->from_s < 3600)
        snprintf(text, size, "%lu:%02lu", seconds / 60, seconds % 60);
    else
        snprintf(text, size, "%lu:%02lu:%02lu", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

void draw_time_grid(const canvas *c, const box *b, double duration_s)
{
    double step = step_for(b, duration_s);
    set_colour(c, GRID, 1);
    for (int i = 1; i * step < duration_s * 0.9999; i++) {
        double x = b->x + i * step / duration_s * b->width;
        draw_line(c, x, b->y, x, b->y + b->height);
    }
}

void draw_time_axis(const canvas *c, const box *b, double duration_s)
{
    char text[64];
    const time_unit *u = unit_for(duration_s);
    double step = step_for(b, duration_s), bottom = b->y + b->height;
    text_style style = {.size = LABEL_SIZE, .colour = INK, .across = 0.5};
    for (int i = 0; i * step <= duration_s * 1.0001; i++) {
        double x = b->x + i * step / duration_s * b->width;
        set_colour(c, FRAME, 1);
        draw_line(c, x, bottom, x, bottom + TICK);
        format_time(text, sizeof text, u, i * step, step);
        draw_text(c, x, bottom + TICK + 1, text, &style);
    }
    style.colour = PALE_INK;
    draw_text(c, b->x + b->width / 2, bottom + TICK + 16, u->title, &style);
}

double label_y(const box *b, double y)
{
    double half = LABEL_SIZE * 0.55;
    return fmin(fmax(y, b->y + half), b->y + b->height - half);
}

void draw_left_tick(const canvas *c, const box *b, double y, const char *label)
{
    text_style style = {.size = LABEL_SIZE, .colour = INK, .across = 1, .along = 0.5};
    set_colour(c, FRAME, 1);
    draw_line(c, b->x - TICK, y, b->x, y);
    draw_text(c, b->x - TICK - 3, label_y(b, y), label, &style);
}

void draw_left_title(const canvas *c, const box *b, const char *title, const char *brief)
{
    text_style style = {.size = LABEL_SIZE, .colour = PALE_INK, .across = 0.5, .along = 0.5, .upward = true};
    bool fits = text_width(c, title, &style) <= b->height;
    draw_text(c, 12, b->y + b->height / 2, fits ? title : brief, &style);
}
