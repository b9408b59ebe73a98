/* SPDX-License-Identifier: GPL-3.0-or-later
 * spectrogram.c - the spectrum over time as an image. */
#include "pictures/spectrogram.h"
#include "base/error.h"
#include "pictures/plot.h"
#include "plugins/cairo/canvas.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS 256
#define FREQUENCY_SPACING 12 /* units between labels, at least */
#define SCALE_GAP 10         /* between the panel and the colour scale */
#define SCALE_WIDTH 12

/* ---- the image */

static void make_palette(const ap_plot_options *o, uint32_t palette[LEVELS])
{
    for (unsigned i = 0; i < LEVELS; i++)
        palette[i] = map_colour(o->colours, i);
}

/* The power in a stretch [from, to) of columns: their mean, or between two if it is shorter than one. */
static void mean_of_columns(const ap_spectrogram_view *v, double from, double to, float *mean)
{
    size_t first = (size_t)from, end = (size_t)ceil(to - 1e-9);
    end = end < v->columns ? end : v->columns;
    if (to - from < 1) { /* column i is in the middle of [i, i + 1) */
        double at = fmin(fmax((from + to) / 2 - 0.5, 0), (double)v->columns - 1);
        size_t i = (size_t)at, next = i + 1 < v->columns ? i + 1 : i;
        float part = (float)(at - floor(at));
        for (size_t r = 0; r < v->rows; r++)
            mean[r] = v->power[i * v->rows + r] * (1 - part) + v->power[next * v->rows + r] * part;
        return;
    }
    memset(mean, 0, v->rows * sizeof *mean);
    for (size_t i = first; i < end; i++)
        for (size_t r = 0; r < v->rows; r++)
            mean[r] += v->power[i * v->rows + r] / (float)(end - first);
}

/* The power in a stretch [from, to) of rows: the largest, or between two if it is shorter than one. */
static float power_of_rows(const float *column, size_t rows, double from, double to)
{
    if (to - from < 1) {
        double at = fmin(fmax((from + to) / 2 - 0.5, 0), (double)rows - 1);
        size_t i = (size_t)at;
        float part = (float)(at - floor(at));
        return column[i] * (1 - part) + column[i + 1 < rows ? i + 1 : i] * part;
    }
    float most = 0;
    for (size_t r = (size_t)from; r < rows && (double)r < to - 1e-9; r++)
        most = column[r] > most ? column[r] : most;
    return most;
}

static uint32_t colour_of(const uint32_t palette[LEVELS], float power, double range_db)
{
    float level = (10 * log10f(power + 1e-30f) / (float)range_db + 1) * LEVELS;
    return palette[level <= 0 ? 0 : level >= LEVELS - 1 ? LEVELS - 1 : (unsigned)level];
}

/* columns_shown: how many columns of the spectrum the width of the image is. */
static bool paint_image(cairo_surface_t *image, const ap_spectrogram_view *v, const ap_plot_options *o,
                        double columns_shown)
{
    uint32_t palette[LEVELS];
    size_t width = (size_t)cairo_image_surface_get_width(image),
           height = (size_t)cairo_image_surface_get_height(image);
    size_t stride = (size_t)cairo_image_surface_get_stride(image) / 4;
    uint32_t *pixels = (uint32_t *)(void *)cairo_image_surface_get_data(image);
    float *column = malloc(v->rows * sizeof *column);
    if (!column)
        return false;
    make_palette(o, palette);
    double across = columns_shown / (double)width, down = (double)v->rows / (double)height;
    for (size_t x = 0; x < width; x++) {
        mean_of_columns(v, (double)x * across, (double)(x + 1) * across, column);
        for (size_t y = 0; y < height; y++)
            pixels[(height - 1 - y) * stride + x] =
                colour_of(palette, power_of_rows(column, v->rows, (double)y * down, (double)(y + 1) * down),
                          o->range_db);
    }
    free(column);
    return true;
}

/* An image that fills a box, one to one with the pixels. NULL when out of memory. */
static cairo_surface_t *make_image(const canvas *c, const box *b)
{
    int width = (int)fmax(1, round(b->width * c->scale)), height = (int)fmax(1, round(b->height * c->scale));
    cairo_surface_t *image = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    if (cairo_surface_status(image) == CAIRO_STATUS_SUCCESS)
        return image;
    cairo_surface_destroy(image);
    return NULL;
}

static void place_image(const canvas *c, const box *b, cairo_surface_t *image)
{
    cairo_surface_mark_dirty(image);
    cairo_save(c->cr);
    cairo_translate(c->cr, b->x, b->y);
    cairo_scale(c->cr, b->width / cairo_image_surface_get_width(image),
                b->height / cairo_image_surface_get_height(image));
    cairo_set_source_surface(c->cr, image, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(c->cr), CAIRO_FILTER_NEAREST);
    cairo_paint(c->cr);
    cairo_restore(c->cr);
}

bool draw_spectrogram(const canvas *c, const box *b, const ap_plot_track *t, const ap_plot_options *o,
                      double duration_s, ap_error *err)
{
    const ap_spectrogram_view *v = &t->spectrogram_view;
    fill_box(c, b, map_colour(o->colours, 0), 1);
    double length_s = (double)t->format.frames / t->format.rate;
    box part = {b->x, b->y, snap(c, b->width * length_s / duration_s), b->height};
    if (v->columns && part.width > 0) {
        cairo_surface_t *image = make_image(c, &part);
        bool ok = image && paint_image(image, v, o, (double)t->format.frames / v->column_frames);
        if (ok)
            place_image(c, &part, image);
        if (image)
            cairo_surface_destroy(image);
        if (!ok)
            return ap_fail_memory(err);
    }
    frame_box(c, b);
    return true;
}

/* ---- axes */

void draw_frequency_axis(const canvas *c, const box *b, const ap_spectrogram_view *v)
{
    static const int steps[] = {1, 2, 5};
    double last = HUGE_VAL;
    for (int decade = 1; decade <= 1000000; decade *= 10)
        for (int i = 0; i < 3; i++) {
            char text[32];
            double hz = decade * steps[i];
            double y = b->y + b->height * (1 - log(hz / v->low_hz) / log(v->high_hz / v->low_hz));
            if (hz < v->low_hz * 0.999 || hz > v->high_hz * 1.001 || last - label_y(b, y) < FREQUENCY_SPACING)
                continue;
            snprintf(text, sizeof text, hz >= 1000 ? "%gk" : "%g", hz >= 1000 ? hz / 1000 : hz);
            draw_left_tick(c, b, y, text);
            last = label_y(b, y);
        }
}

/* Levels from the top down. */
static bool paint_scale(const canvas *c, const box *b, const ap_plot_options *o)
{
    cairo_surface_t *image = make_image(c, b);
    if (!image)
        return false;
    int width = cairo_image_surface_get_width(image), height = cairo_image_surface_get_height(image);
    int stride = cairo_image_surface_get_stride(image) / 4;
    uint32_t *pixels = (uint32_t *)(void *)cairo_image_surface_get_data(image);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            pixels[y * stride + x] = map_colour(
                o->colours, (unsigned)((height - 1 - y) * (LEVELS - 1) / (height > 1 ? height - 1 : 1)));
    place_image(c, b, image);
    cairo_surface_destroy(image);
    return true;
}

bool draw_colour_scale(const canvas *c, const box *b, const ap_plot_options *o, ap_error *err)
{
    text_style style = {.size = LABEL_SIZE, .colour = INK, .along = 0.5};
    box bar = {snap(c, b->x + b->width + SCALE_GAP), b->y, SCALE_WIDTH, b->height};
    if (!paint_scale(c, &bar, o))
        return ap_fail_memory(err);
    frame_box(c, &bar);
    double step = 10;
    while (step / o->range_db * bar.height < 2 * LABEL_SIZE)
        step *= step == 10 || step == 100 ? 2 : 2.5;
    double half = LABEL_SIZE * 0.55, bottom = bar.y + bar.height;
    for (double db = 0; db <= o->range_db; db += step) {
        char text[32];
        double y = bar.y + bar.height * db / o->range_db;
        format_number(text, sizeof text, -db, 0);
        set_colour(c, FRAME, 1);
        draw_line(c, bar.x + bar.width, y, bar.x + bar.width + 3, y);
        draw_text(c, bar.x + bar.width + 6, fmin(fmax(y, bar.y + half), bottom - half), text, &style);
    }
    return true;
}
