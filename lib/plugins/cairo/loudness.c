/* SPDX-License-Identifier: GPL-3.0-or-later
 * loudness.c - loudness over time. */
#include "pictures/course.h"
#include "pictures/plot.h"
#include "plugins/cairo/canvas.h"

#include <math.h>
#include <stdio.h>

#define BELOW_INTEGRATED 30 /* LU that the axis shows at least */
#define LOWEST -70          /* LUFS, the absolute gate of EBU R128 */
#define MOMENTARY_S 0.4     /* EBU Tech 3341 */
#define TICK_SPACING 18     /* units between labels, at least */

static const unsigned momentary_colour = 0x8cc5ea, short_colour = 0x0072b2, integrated_colour = 0xd55e00;

static double loudest(const ap_course_view *v)
{
    double most = -HUGE_VAL;
    for (size_t i = 0; i < v->count; i++)
        if (v->points[i].momentary_low <= v->points[i].momentary_high)
            most = fmax(most, v->points[i].momentary_high);
    return most;
}

/* One axis for all, around what there is, with room for a label at the top. */
loudness_axis loudness_axis_for(const ap_plot_track *tracks, size_t count, double label_part)
{
    double most = -HUGE_VAL, least = HUGE_VAL;
    for (size_t i = 0; i < count; i++) {
        most = fmax(most, loudest(&tracks[i].course_view));
        if (tracks[i].course_view.integrated > LOWEST)
            least = fmin(least, tracks[i].course_view.integrated);
    }
    if (!(most > LOWEST))
        return (loudness_axis){LOWEST, 0};
    double low = fmax(LOWEST, 10 * floor((fmin(least, most) - BELOW_INTEGRATED) / 10));
    double high = fmax(most + 1, low + 20);
    return (loudness_axis){low, 5 * ceil((high + (high - low) * label_part) / 5)};
}

static double y_of(const box *b, const loudness_axis *a, double lufs)
{
    double y = b->y + b->height * (a->high - fmax(lufs, a->low - 100)) / (a->high - a->low);
    return fmin(y, b->y + b->height + 50); /* silence is far below */
}

static void draw_scale(const canvas *c, const box *b, const loudness_axis *a)
{
    char text[32];
    double step = 5;
    while (step / (a->high - a->low) * b->height < TICK_SPACING)
        step *= 2;
    for (double lufs = step * ceil(a->low / step); lufs <= a->high; lufs += step) {
        double y = y_of(b, a, lufs);
        set_colour(c, GRID, 1);
        draw_line(c, b->x, y, b->x + b->width, y);
        format_number(text, sizeof text, lufs, 0);
        draw_left_tick(c, b, y, text);
    }
}

/* A line through what was lowest and what was highest in each point, which is heard at its end. */
static void trace(const canvas *c, const box *b, const loudness_axis *a, const ap_course_view *v,
                  bool momentary, double duration_s)
{
    for (size_t i = 0; i < v->count; i++) {
        const ap_course_point *p = &v->points[i];
        float low = momentary ? p->momentary_low : p->short_low,
              high = momentary ? p->momentary_high : p->short_high;
        double x = b->x + b->width * fmin((double)(i + 1) * v->step_s / duration_s, 1);
        if (low > high)
            continue;
        cairo_line_to(c->cr, x, y_of(b, a, high));
        if (low < high)
            cairo_line_to(c->cr, x, y_of(b, a, low));
    }
    cairo_stroke(c->cr);
}

static void draw_integrated(const canvas *c, const box *b, const loudness_axis *a, double lufs)
{
    static const double dashes[] = {6, 4};
    double y = y_of(b, a, lufs);
    set_colour(c, integrated_colour, 1);
    cairo_save(c->cr);
    cairo_set_line_width(c->cr, 1.5);
    cairo_set_dash(c->cr, dashes, 2, 0);
    cairo_move_to(c->cr, b->x, y);
    cairo_line_to(c->cr, b->x + b->width, y);
    cairo_stroke(c->cr);
    cairo_restore(c->cr);
}

void draw_loudness(const canvas *c, const box *b, const ap_plot_track *t, const loudness_axis *a,
                   double duration_s)
{
    const ap_course_view *v = &t->course_view;
    draw_time_grid(c, b, duration_s);
    draw_scale(c, b, a);
    cairo_save(c->cr);
    cairo_rectangle(c->cr, b->x, b->y, b->width, b->height);
    cairo_clip(c->cr);
    cairo_set_line_join(c->cr, CAIRO_LINE_JOIN_ROUND);
    set_colour(c, momentary_colour, 1);
    cairo_set_line_width(c->cr, 1);
    trace(c, b, a, v, true, duration_s);
    set_colour(c, short_colour, 1);
    cairo_set_line_width(c->cr, 1.8);
    trace(c, b, a, v, false, duration_s);
    if (v->integrated > -HUGE_VAL)
        draw_integrated(c, b, a, v->integrated);
    cairo_restore(c->cr);
    frame_box(c, b);
}

void loudness_text(char *text, size_t size, const ap_plot_track *t)
{
    char number[32];
    format_number(number, sizeof number, t->course_view.integrated, 1);
    bool measured = (double)t->format.frames >= MOMENTARY_S * t->format.rate;
    snprintf(text, size, measured ? "%s LUFS" : "unknown: shorter than 0.4 s", number);
}

double draw_loudness_legend(const canvas *c, double x, double y, const ap_plot_track *t)
{
    char number[64], text[128];
    if (t)
        loudness_text(number, sizeof number, t);
    snprintf(text, sizeof text, "integrated%s%s", t ? " " : "", t ? number : "");
    const legend_entry entries[] = {{"momentary", momentary_colour, 1, 1},
                                    {"short-term", short_colour, 1, 1},
                                    {text, integrated_colour, 1, 2}};
    return draw_legend(c, x, y, entries, 3);
}
