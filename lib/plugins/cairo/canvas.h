/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * canvas.h - what the files of the drawing plugin share: a surface to draw on, text, axes, and the panels. */
#ifndef AP_CANVAS_H
#define AP_CANVAS_H

#include "pictures/plot.h"

#include <cairo.h>
#include <pango/pangocairo.h>

#define MINUS "\342\210\222" /* U+2212 */

/* Colours, as 0xRRGGBB. */
#define WHITE 0xffffff
#define INK 0x222222
#define PALE_INK 0x666666
#define GRID 0xe4e4e4
#define FRAME 0x999999

#define LABEL_SIZE 11 /* pixels */

typedef struct canvas {
    cairo_t *cr;
    double scale; /* pixels for a unit; in SVG, how finely curves and images are sampled */
    PangoLayout *layout;
} canvas;

typedef struct box {
    double x, y, width, height;
} box;

/* ---- canvas.c */

typedef struct text_style {
    double size;
    bool bold, upward; /* turned by 90 degrees */
    unsigned colour;
    double across,
        along;   /* which part of the text is at the point: 0 left or top, 0.5 middle, 1 right or bottom */
    double most; /* width, longer text gets an ellipsis; 0 = any */
} text_style;

/* Of cr, to be unreferenced. */
PangoLayout *new_text_layout(cairo_t *cr);
/* Makes the text that of the layout; returns its extent in units of Pango. */
PangoRectangle lay_out_text(const canvas *c, const char *text, const text_style *style);
void set_colour(const canvas *c, unsigned rgb, double alpha);
double text_width(const canvas *c, const char *text, const text_style *style);
/* Returns the width. */
double draw_text(const canvas *c, double x, double y, const char *text, const text_style *style);
void draw_line(const canvas *c, double x1, double y1, double x2, double y2);
/* Aligns to the grid of pixels. */
double snap(const canvas *c, double x);
void fill_box(const canvas *c, const box *b, unsigned rgb, double alpha);
void frame_box(const canvas *c, const box *b);
#define TAB_HEIGHT (LABEL_SIZE + 7.0)
/* A label in the corner of a panel, readable on anything. */
void draw_tab(const canvas *c, const box *b, const char *text, unsigned colour);
/* Numbers with a true minus sign and an infinity that can be read. */
void format_number(char *text, size_t size, double value, int digits);

/* A row of samples of colours and what they mean; from right to left. */
typedef struct legend_entry {
    const char *text;
    unsigned colour;
    double alpha;
    int style; /* 0 area, 1 line, 2 dashes */
} legend_entry;
/* Ends at x, without those that have no room; returns where it begins. */
double draw_legend(const canvas *c, double x, double y, const legend_entry *entries, size_t count);

/* ---- axes.c */

/* Vertical grid lines of the time axis. */
void draw_time_grid(const canvas *c, const box *b, double duration_s);
/* The axis below a panel: ticks, labels, unit. */
void draw_time_axis(const canvas *c, const box *b, double duration_s);
/* A tick and its label left of a panel, within the panel's height. */
void draw_left_tick(const canvas *c, const box *b, double y, const char *label);
/* The short title where the long one has no room. */
void draw_left_title(const canvas *c, const box *b, const char *title, const char *brief);
/* Where the label of a tick at y stands: within the panel. */
double label_y(const box *b, double y);

/* ---- colours.c */

/* Level 0..255 to 0xRRGGBB. */
unsigned map_colour(ap_colours map, unsigned level);
/* Colour number i of those that differ for all kinds of eyes. */
unsigned series_colour(size_t i);

/* ---- panels; each draws into a box. duration_s is the length of the time axis. */

/* waveform.c: one channel, or AP_UNKNOWN_CHANNEL for all together; top: the amplitude at the edge. */
#define ALL_CHANNELS UINT32_MAX
double waveform_peak(const ap_envelope *e);
/* Whether there are enough frames for an RMS of a column. */
bool waveform_has_rms(const canvas *c, const box *b, const ap_envelope *e);
void draw_waveform(const canvas *c, const box *b, const ap_plot_track *t, uint32_t channel, double top,
                   double duration_s, unsigned colour);
void draw_amplitude_axis(const canvas *c, const box *b, double top);

/* spectrogram.c */
bool draw_spectrogram(const canvas *c, const box *b, const ap_plot_track *t, const ap_plot_options *o,
                      double duration_s, ap_error *err);
void draw_frequency_axis(const canvas *c, const box *b, const ap_spectrogram_view *v);
bool draw_colour_scale(const canvas *c, const box *b, const ap_plot_options *o, ap_error *err);

/* loudness.c */
typedef struct loudness_axis {
    double low, high; /* LUFS */
} loudness_axis;
/* label_part: what part of the height a label at the top takes. */
loudness_axis loudness_axis_for(const ap_plot_track *tracks, size_t count, double label_part);
void draw_loudness(const canvas *c, const box *b, const ap_plot_track *t, const loudness_axis *a,
                   double duration_s);
/* The integrated loudness in words. */
void loudness_text(char *text, size_t size, const ap_plot_track *t);
/* t NULL: without the number. Returns where it begins. */
double draw_loudness_legend(const canvas *c, double x, double y, const ap_plot_track *t);

#endif
