/* SPDX-License-Identifier: GPL-3.0-or-later
 * canvas.c - lines, boxes and text. */
#include "plugins/cairo/canvas.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FONT "DejaVu Sans, Liberation Sans, sans-serif"
#define HALO 4 /* around labels on a panel */

void set_colour(const canvas *c, unsigned rgb, double alpha)
{
    cairo_set_source_rgba(c->cr, (rgb >> 16 & 255) / 255.0, (rgb >> 8 & 255) / 255.0, (rgb & 255) / 255.0,
                          alpha);
}

/* With a font map of its own, which is freed: pango's default one stays for the life of the thread. */
PangoLayout *new_text_layout(cairo_t *cr)
{
    PangoFontMap *map = pango_cairo_font_map_new();
    PangoContext *context = pango_font_map_create_context(map);
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF); /* the same layout at all scales */
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    pango_cairo_context_set_font_options(context, options);
    pango_cairo_update_context(cr, context);
    PangoLayout *text = pango_layout_new(context);
    pango_layout_set_single_paragraph_mode(text, TRUE);
    cairo_font_options_destroy(options);
    g_object_unref(context);
    g_object_unref(map);
    return text;
}

/* File names and tags may hold anything. */
static void set_text(PangoLayout *layout, const char *text)
{
    char *valid = g_utf8_make_valid(text, -1);
    for (char *p = valid; *p; p++)
        if (ap_is_control(*p))
            *p = ' ';
    pango_layout_set_text(layout, valid, -1);
    g_free(valid);
}

static void set_font(PangoLayout *layout, const text_style *style)
{
    PangoFontDescription *font = pango_font_description_from_string(FONT);
    pango_font_description_set_absolute_size(font, style->size * PANGO_SCALE);
    if (style->bold)
        pango_font_description_set_weight(font, PANGO_WEIGHT_BOLD);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_layout_set_width(layout, style->most > 0 ? (int)(style->most * PANGO_SCALE) : -1);
    pango_layout_set_ellipsize(layout, style->most > 0 ? PANGO_ELLIPSIZE_END : PANGO_ELLIPSIZE_NONE);
}

PangoRectangle lay_out_text(const canvas *c, const char *text, const text_style *style)
{
    PangoRectangle extent;
    set_font(c->layout, style);
    set_text(c->layout, text);
    pango_layout_get_extents(c->layout, NULL, &extent);
    return extent;
}

double text_width(const canvas *c, const char *text, const text_style *style)
{
    return (double)lay_out_text(c, text, style).width / PANGO_SCALE;
}

double draw_text(const canvas *c, double x, double y, const char *text, const text_style *style)
{
    PangoRectangle extent = lay_out_text(c, text, style);
    double width = (double)extent.width / PANGO_SCALE, height = (double)extent.height / PANGO_SCALE;
    cairo_save(c->cr);
    set_colour(c, style->colour, 1);
    cairo_translate(c->cr, x, y);
    if (style->upward)
        cairo_rotate(c->cr, -M_PI / 2);
    cairo_move_to(c->cr, -style->across * width - (double)extent.x / PANGO_SCALE, -style->along * height);
    pango_cairo_show_layout(c->cr, c->layout);
    cairo_restore(c->cr);
    return width;
}

double snap(const canvas *c, double x)
{
    return round(x * c->scale) / c->scale;
}

/* Horizontal or vertical, one unit wide, on the grid of pixels. */
void draw_line(const canvas *c, double x1, double y1, double x2, double y2)
{
    double half = 0.5;
    cairo_set_line_width(c->cr, 1);
    cairo_move_to(c->cr, x1 == x2 ? snap(c, x1 - half) + half : x1,
                  y1 == y2 ? snap(c, y1 - half) + half : y1);
    cairo_line_to(c->cr, x1 == x2 ? snap(c, x2 - half) + half : x2,
                  y1 == y2 ? snap(c, y2 - half) + half : y2);
    cairo_stroke(c->cr);
}

void fill_box(const canvas *c, const box *b, unsigned rgb, double alpha)
{
    set_colour(c, rgb, alpha);
    cairo_rectangle(c->cr, b->x, b->y, b->width, b->height);
    cairo_fill(c->cr);
}

void frame_box(const canvas *c, const box *b)
{
    set_colour(c, FRAME, 1);
    cairo_set_line_width(c->cr, 1);
    cairo_rectangle(c->cr, b->x - 0.5, b->y - 0.5, b->width + 1, b->height + 1);
    cairo_stroke(c->cr);
}

void draw_tab(const canvas *c, const box *b, const char *text, unsigned colour)
{
    text_style style = {.size = LABEL_SIZE, .bold = true, .colour = colour, .most = b->width / 2};
    double height = (double)lay_out_text(c, text, &style).height / PANGO_SCALE;
    cairo_save(c->cr);
    cairo_move_to(c->cr, b->x + 6, b->y + (TAB_HEIGHT - height) / 2);
    pango_cairo_layout_path(c->cr, c->layout);
    cairo_set_line_join(c->cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_width(c->cr, HALO);
    set_colour(c, WHITE, 0.85);
    cairo_stroke_preserve(c->cr);
    set_colour(c, colour, 1);
    cairo_fill(c->cr);
    cairo_restore(c->cr);
}

void format_number(char *text, size_t size, double value, int digits)
{
    if (isinf(value))
        snprintf(text, size, "%s\342\210\236", value < 0 ? MINUS : "+"); /* U+221E */
    else
        snprintf(text, size, "%s%.*f", value < -0.5 * pow(10, -digits) ? MINUS : "", digits, fabs(value));
}

static void draw_sample(const canvas *c, double x, double y, const legend_entry *e)
{
    static const double dashes[] = {4, 3};
    if (e->style == 0) {
        fill_box(c, &(box){x, y - 4.5, 14, 9}, e->colour, e->alpha);
        return;
    }
    set_colour(c, e->colour, e->alpha);
    cairo_save(c->cr);
    cairo_set_line_width(c->cr, 2);
    cairo_set_dash(c->cr, dashes, e->style == 2 ? 2 : 0, 0);
    cairo_move_to(c->cr, x - 4, y);
    cairo_line_to(c->cr, x + 14, y);
    cairo_stroke(c->cr);
    cairo_restore(c->cr);
}

double draw_legend(const canvas *c, double x, double y, const legend_entry *entries, size_t count)
{
    text_style style = {.size = LABEL_SIZE, .colour = INK, .across = 1, .along = 0.5};
    for (size_t i = count; i-- > 0;) {
        if (text_width(c, entries[i].text, &style) + 40 > x)
            break;
        x -= draw_text(c, x, y, entries[i].text, &style) + 19;
        draw_sample(c, x, y, &entries[i]);
        x -= 16;
    }
    return x;
}
