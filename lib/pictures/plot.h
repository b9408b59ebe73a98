/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * plot.h - what the plugin that draws is given. */
#ifndef AP_PICTURES_PLOT_H
#define AP_PICTURES_PLOT_H

#include "base/output.h"
#include "base/plugin.h"
#include "pictures/course.h"
#include "pictures/envelope.h"
#include "pictures/lettering.h"
#include "pictures/spectrogram.h"

typedef struct ap_plot_track {
    const char *name;
    ap_format format; /* with the true length */
    ap_envelope *envelope;
    ap_spectrogram *spectrogram;
    ap_course *course;
    ap_spectrogram_view spectrogram_view;
    ap_course_view course_view;
} ap_plot_track;

typedef struct ap_plot_picture {
    const ap_plot_options *options;
    bool svg;
    const char *title;
    const ap_plot_track *tracks;
    size_t count;
} ap_plot_picture;

/* What the plugin on cairo offers. */
typedef struct ap_cairo_plugin {
    ap_plugin_head head;
    bool (*draw)(const ap_plot_picture *picture, ap_output *out, ap_error *err);
    ap_letter_fn *letter;
} ap_cairo_plugin;

#define AP_CAIRO_VERSION 2

/* NULL if it is missing. */
static inline const ap_cairo_plugin *ap_cairo_load(ap_error *err)
{
    return (const ap_cairo_plugin *)ap_plugin_load("cairo.so", AP_CAIRO_VERSION, sizeof(ap_cairo_plugin),
                                                   err);
}

#endif
