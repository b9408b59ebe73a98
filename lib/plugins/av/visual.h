/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * visual.h - what the files that draw sound share: all of it is made of bars. */
#ifndef AP_VISUAL_H
#define AP_VISUAL_H

#include "plugins/av/video.h"

/* ---- bars.c */

typedef struct ap_colour {
    uint8_t y, cb, cr;
} ap_colour;

/* Of 0xRRGGBB, in BT.709. */
ap_colour ap_colour_of(unsigned rgb);
/* A colour of the rainbow that bars have, at 0 <= x <= 1 of the width. */
ap_colour ap_bar_colour(double x);

/* An upright bar with round ends, in pixels. */
typedef struct ap_bar {
    double middle, width; /* across */
    double top, bottom;   /* at least width apart, or it is drawn so */
    ap_colour colour;
    double opacity; /* 0..1 */
} ap_bar;

void ap_bar_draw(AVFrame *picture, const ap_bar *bar);

/* ---- waveform.c, spectrum_bars.c */

/* Where to draw. */
typedef struct ap_drawing_area {
    double width, top, bottom;
} ap_drawing_area;

typedef struct ap_drawing {
    void *state;
    double ahead_s; /* of the sound that has to be heard before a moment can be drawn */
    void (*hear)(void *state, const float *frames, size_t count);
    /* Draws what is heard at time_s over what is in the picture. */
    void (*draw)(void *state, double time_s, AVFrame *picture);
    void (*free)(void *state);
} ap_drawing;

/* state is NULL when out of memory. */
ap_drawing ap_waveform_drawing(const ap_format *format, ap_drawing_area area);
ap_drawing ap_spectrum_drawing(const ap_format *format, AVRational fps, ap_drawing_area area);

#endif
