/* SPDX-License-Identifier: GPL-3.0-or-later
 * draw.c - the whole picture: its size, its panels one above the other, its surface. */
#include "base/error.h"
#include "base/output.h"
#include "base/plugin.h"
#include "pictures/plot.h"
#include "plugins/cairo/canvas.h"
#include "plugins/cairo/lettering.h"

#include <cairo-svg.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In units, which are pixels at scale 1. */
#define LEFT 58
#define RIGHT 16
#define RIGHT_OF_SPECTROGRAM 68 /* room for the colour scale */
#define TOP 56
#define BOTTOM 42
#define TITLE_SIZE 16
#define TITLE_Y 9
#define SUBTITLE_Y 42
#define LEGEND_HEIGHT 22 /* of the line above all groups but the first */
#define GAP 8            /* between the panels of a group */
#define LEAST_HEIGHT 16
#define SVG_SAMPLING 2

/* The panels of one kind, one above the other. */
typedef struct group {
    unsigned kind;
    size_t panels;
    double panel_height;
    box box; /* around all of them */
} group;

typedef struct layout {
    double width, height, duration_s;
    group groups[3];
    size_t count;
} layout;

/* ---- layout */

/* What one panel of a kind would like: less if there are more of them. */
static double wanted_height(unsigned kind, size_t panels)
{
    double alone = kind == AP_PLOT_WAVEFORM ? 180 : kind == AP_PLOT_SPECTROGRAM ? 340 : 240;
    double least = kind == AP_PLOT_WAVEFORM ? 46 : kind == AP_PLOT_SPECTROGRAM ? 90 : 70;
    return fmax(least, round(alone * 2 / ((double)panels + 1)));
}

static void choose_groups(layout *l, const ap_plot_picture *p)
{
    for (unsigned kind = 1; kind <= AP_PLOT_LOUDNESS; kind *= 2)
        if (p->options->panels & kind) {
            bool channels = kind == AP_PLOT_WAVEFORM && p->count == 1;
            size_t panels = channels ? p->tracks[0].format.channels : p->count;
            l->groups[l->count++] =
                (group){.kind = kind, .panels = panels, .panel_height = wanted_height(kind, panels)};
        }
}

/* Height of everything but the panels. */
static double fixed_height(const layout *l)
{
    double height = TOP + BOTTOM;
    for (size_t i = 0; i < l->count; i++)
        height += (double)(l->groups[i].panels - 1) * GAP + (i ? LEGEND_HEIGHT : 0);
    return height;
}

static bool fit_height(layout *l, const ap_plot_options *o, ap_error *err)
{
    double fixed = fixed_height(l), flexible = 0;
    for (size_t i = 0; i < l->count; i++)
        flexible += (double)l->groups[i].panels * l->groups[i].panel_height;
    double factor = o->height ? (o->height - fixed) / flexible : 1;
    l->height = o->height ? o->height : fixed + flexible;
    for (size_t i = 0; i < l->count; i++) {
        l->groups[i].panel_height *= factor;
        if (l->groups[i].panel_height < LEAST_HEIGHT)
            return ap_fail(err, AP_USAGE, "a height of %u is too small for what is to be plotted", o->height);
    }
    return true;
}

static bool make_layout(layout *l, const ap_plot_picture *p, ap_error *err)
{
    *l = (layout){.width = p->options->width};
    for (size_t i = 0; i < p->count; i++)
        l->duration_s = fmax(l->duration_s, (double)p->tracks[i].format.frames / p->tracks[i].format.rate);
    if (l->duration_s == 0)
        l->duration_s = 1;
    choose_groups(l, p);
    if (!fit_height(l, p->options, err))
        return false;
    double right = p->options->panels & AP_PLOT_SPECTROGRAM ? RIGHT_OF_SPECTROGRAM : RIGHT, y = TOP;
    for (size_t i = 0; i < l->count; i++) {
        group *g = &l->groups[i];
        y += i ? LEGEND_HEIGHT : 0;
        double height = (double)g->panels * g->panel_height + (double)(g->panels - 1) * GAP;
        g->box = (box){LEFT, y, l->width - LEFT - right, height};
        y += height;
    }
    return true;
}

static box panel_box(const canvas *c, const group *g, size_t i)
{
    double top = snap(c, g->box.y + (double)i * (g->panel_height + GAP));
    double bottom = snap(c, g->box.y + (double)i * (g->panel_height + GAP) + g->panel_height);
    return (box){g->box.x, top, g->box.width, bottom - top};
}

/* ---- words */

static const char *speaker_name(const ap_format *format, uint32_t channel)
{
    static const char *const names[] = {"L", "R", "C", "LFE", "BL", "BR", "LC", "RC", "BC", "SL", "SR"};
    uint32_t mask = format->mask;
    for (uint32_t i = 0; i < channel; i++)
        mask &= mask - 1;
    int bit = __builtin_ffs((int)mask) - 1;
    return bit >= 0 && bit < (int)(sizeof names / sizeof *names) ? names[bit] : NULL;
}

static void describe_length(char *text, size_t size, double seconds)
{
    unsigned long whole = (unsigned long)(seconds + 0.5);
    if (seconds == 0)
        snprintf(text, size, "empty");
    else if (seconds < 1e-3)
        snprintf(text, size, "%.3g \302\265s", seconds * 1e6);
    else if (seconds < 1)
        snprintf(text, size, "%.3g ms", seconds * 1e3);
    else if (seconds < 60)
        snprintf(text, size, "%.4g s", seconds);
    else if (seconds < 3600)
        snprintf(text, size, "%lu:%02lu min", whole / 60, whole % 60);
    else
        snprintf(text, size, "%lu:%02lu:%02lu h", whole / 3600, whole / 60 % 60, whole % 60);
}

static void describe_channels(char *text, size_t size, const ap_format *format)
{
    bool lfe = format->mask & AP_LOW_FREQUENCY;
    if (format->channels <= 2)
        snprintf(text, size, format->channels == 1 ? "mono" : "stereo");
    else if (lfe)
        snprintf(text, size, "%u.1 channels", format->channels - 1);
    else
        snprintf(text, size, "%u channels", format->channels);
}

static void describe(char *text, size_t size, const ap_plot_picture *p, const layout *l)
{
    char length[64], channels[64], peak[32];
    const ap_plot_track *t = &p->tracks[0];
    describe_length(length, sizeof length, t->format.frames || p->count > 1 ? l->duration_s : 0);
    describe_channels(channels, sizeof channels, &t->format);
    int n = p->count > 1 ? snprintf(text, size, "%zu stems \302\267 %s", p->count, length)
                         : snprintf(text, size, "%s \302\267 %g kHz \302\267 %s", length,
                                    t->format.rate / 1000.0, channels);
    if (p->count > 1 || !t->envelope)
        return;
    format_number(peak, sizeof peak, 20 * log10(waveform_peak(t->envelope)), 1);
    snprintf(text + n, size - (size_t)n, " \302\267 peak %s dBFS", peak);
}

/* ---- the groups */

static double amplitude_at_top(const ap_plot_picture *p)
{
    double most = 0;
    for (size_t i = 0; i < p->count; i++)
        most = fmax(most, waveform_peak(p->tracks[i].envelope));
    most *= 1.02;
    return p->options->fit && most > 0 ? most : fmax(1, most > 1.02 ? most : 1);
}

static void draw_waveforms(const canvas *c, const group *g, const layout *l, const ap_plot_picture *p)
{
    double top = amplitude_at_top(p);
    for (size_t i = 0; i < g->panels; i++) {
        box b = panel_box(c, g, i);
        bool stems = p->count > 1;
        const ap_plot_track *t = &p->tracks[stems ? i : 0];
        char number[32];
        snprintf(number, sizeof number, "%zu", i + 1);
        const char *speaker = stems ? t->name : speaker_name(&t->format, (uint32_t)i);
        draw_waveform(c, &b, t, stems ? ALL_CHANNELS : (uint32_t)i, top, l->duration_s,
                      series_colour(stems ? i : 0));
        draw_amplitude_axis(c, &b, top);
        if (g->panels > 1)
            draw_tab(c, &b, speaker ? speaker : number, INK);
    }
    draw_left_title(c, &g->box, "level (dBFS)", "dBFS");
}

static bool draw_spectrograms(const canvas *c, const group *g, const layout *l, const ap_plot_picture *p,
                              ap_error *err)
{
    text_style style = {.size = LABEL_SIZE, .colour = PALE_INK, .along = 0.5};
    for (size_t i = 0; i < g->panels; i++) {
        box b = panel_box(c, g, i);
        if (!draw_spectrogram(c, &b, &p->tracks[i], p->options, l->duration_s, err))
            return false;
        draw_frequency_axis(c, &b, &p->tracks[i].spectrogram_view);
        if (g->panels > 1)
            draw_tab(c, &b, p->tracks[i].name, INK);
    }
    draw_left_title(c, &g->box, "frequency (Hz)", "Hz");
    draw_text(c, g->box.x + g->box.width + 10, g->box.y - 12, "dBFS", &style);
    return draw_colour_scale(c, &g->box, p->options, err);
}

static void draw_loudnesses(const canvas *c, const group *g, const layout *l, const ap_plot_picture *p)
{
    loudness_axis axis =
        loudness_axis_for(p->tracks, p->count, g->panels > 1 ? TAB_HEIGHT / g->panel_height : 0);
    for (size_t i = 0; i < g->panels; i++) {
        box b = panel_box(c, g, i);
        char number[64], text[512];
        draw_loudness(c, &b, &p->tracks[i], &axis, l->duration_s);
        loudness_text(number, sizeof number, &p->tracks[i]);
        snprintf(text, sizeof text, "%s, %s", p->tracks[i].name, number);
        if (g->panels > 1)
            draw_tab(c, &b, text, INK);
    }
    draw_left_title(c, &g->box, "loudness (LUFS)", "LUFS");
}

/* Returns where the legend begins. */
static double draw_group_legend(const canvas *c, const group *g, double y, const ap_plot_picture *p)
{
    double right = g->box.x + g->box.width;
    unsigned colour = p->count > 1 ? PALE_INK : series_colour(0);
    const legend_entry entries[] = {{"peak", colour, 0.5, 0}, {"RMS", colour, 1, 0}};
    bool rms = g->kind == AP_PLOT_WAVEFORM;
    for (size_t i = 0; rms && i < p->count; i++)
        rms = waveform_has_rms(c, &g->box, p->tracks[i].envelope);
    if (g->kind == AP_PLOT_LOUDNESS)
        return draw_loudness_legend(c, right, y, p->count > 1 ? NULL : &p->tracks[0]);
    return rms ? draw_legend(c, right, y, entries, 2) : right;
}

static bool draw_group(const canvas *c, const group *g, const layout *l, const ap_plot_picture *p,
                       ap_error *err)
{
    if (g->kind == AP_PLOT_SPECTROGRAM)
        return draw_spectrograms(c, g, l, p, err);
    if (g->kind == AP_PLOT_WAVEFORM)
        draw_waveforms(c, g, l, p);
    else
        draw_loudnesses(c, g, l, p);
    return true;
}

static bool draw_all(const canvas *c, const layout *l, const ap_plot_picture *p, ap_error *err)
{
    char text[256];
    text_style title = {.size = TITLE_SIZE, .bold = true, .colour = INK, .most = l->width - LEFT - RIGHT};
    fill_box(c, &(box){0, 0, l->width, l->height}, WHITE, 1);
    draw_text(c, LEFT, TITLE_Y, p->title, &title);
    double legend = l->width;
    for (size_t i = 0; i < l->count; i++) {
        const group *g = &l->groups[i];
        if (!draw_group(c, g, l, p, err))
            return false;
        double x = draw_group_legend(c, g, i ? g->box.y - LEGEND_HEIGHT / 2.0 : SUBTITLE_Y, p);
        legend = i ? legend : x;
    }
    const group *last = &l->groups[l->count - 1];
    draw_time_axis(c, &last->box, l->duration_s);
    describe(text, sizeof text, p, l);
    text_style subtitle = {
        .size = LABEL_SIZE, .colour = PALE_INK, .along = 0.5, .most = fmax(1, legend - LEFT - 16)};
    draw_text(c, LEFT, SUBTITLE_Y, text, &subtitle);
    return true;
}

/* ---- the surface */

typedef struct target {
    ap_output *out;
    ap_error *err;
    bool failed;
} target;

static cairo_status_t write_bytes(void *closure, const unsigned char *bytes, unsigned size)
{
    target *t = closure;
    t->failed = t->failed || !ap_output_write(t->out, bytes, size, t->err);
    return t->failed ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

static bool check(cairo_status_t status, const target *t, ap_error *err)
{
    if (status == CAIRO_STATUS_SUCCESS && !t->failed)
        return true;
    return t->failed
               ? false
               : ap_fail(err, status == CAIRO_STATUS_NO_MEMORY ? AP_TRY_AGAIN : AP_FAILED,
                         "cannot draw '%s': %s", ap_output_name(t->out), cairo_status_to_string(status));
}

static bool draw_on(cairo_surface_t *surface, double scale, const layout *l, const ap_plot_picture *p,
                    target *t, ap_error *err)
{
    cairo_t *cr = cairo_create(surface);
    if (!p->svg)
        cairo_scale(cr, scale, scale);
    canvas c = {cr, p->svg ? SVG_SAMPLING : scale, new_text_layout(cr)};
    bool ok = draw_all(&c, l, p, err) && check(cairo_status(cr), t, err);
    g_object_unref(c.layout);
    cairo_destroy(cr);
    return ok;
}

static bool draw(const ap_plot_picture *p, ap_output *out, ap_error *err)
{
    layout l;
    target t = {.out = out, .err = err};
    double scale = p->options->scale;
    if (!make_layout(&l, p, err))
        return false;
    cairo_surface_t *surface =
        p->svg ? cairo_svg_surface_create_for_stream(write_bytes, &t, l.width, l.height)
               : cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)round(l.width * scale),
                                            (int)round(l.height * scale));
    if (p->svg)
        cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
    bool ok = check(cairo_surface_status(surface), &t, err) && draw_on(surface, scale, &l, p, &t, err);
    if (ok && !p->svg)
        ok = check(cairo_surface_write_to_png_stream(surface, write_bytes, &t), &t, err);
    cairo_surface_finish(surface);
    ok = ok && check(cairo_surface_status(surface), &t, err);
    cairo_surface_destroy(surface);
    return ok;
}

AP_PLUGIN_EXPORT extern const ap_cairo_plugin AP_PLUGIN_TABLE;
const ap_cairo_plugin AP_PLUGIN_TABLE = {
    .head = {AP_CAIRO_VERSION, sizeof(ap_cairo_plugin)}, .draw = draw, .letter = draw_lettering};
