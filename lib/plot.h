/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * plot.h - what is gathered of a stream for its picture. All of it is of a fixed size, whatever the length of
 * the stream: when it is full, neighbours are merged and what comes next is twice as coarse. */
#ifndef AP_PLOT_H
#define AP_PLOT_H

#include "internal.h"

/* ---- envelope.c: peaks and RMS */

typedef struct ap_bucket {
    float low, high;
    double squares; /* sum */
} ap_bucket;

typedef struct ap_envelope {
    uint32_t channels;
    size_t capacity, count; /* buckets; the last one may not be full */
    uint64_t per_bucket;    /* frames */
    uint64_t frames;        /* seen */
    ap_bucket *buckets;     /* [capacity][channels] */
} ap_envelope;

/* capacity: a power of two. NULL when out of memory. */
ap_envelope *ap_envelope_new(uint32_t channels, size_t capacity);
void ap_envelope_add(ap_envelope *e, const float *frames, size_t count);
/* Frames in a bucket. */
uint64_t ap_envelope_frames(const ap_envelope *e, size_t bucket);
void ap_envelope_free(ap_envelope *e);

/* ---- spectrum.c: power over time and the logarithm of frequency */

typedef struct ap_spectrum ap_spectrum;

/* One column after the other, the lowest frequency first; power 1 = a sine of full scale. */
typedef struct ap_spectrum_view {
    size_t rows, columns;
    double column_frames; /* column i is about the time i * column_frames */
    double low_hz, high_hz;
    const float *power;
} ap_spectrum_view;

/* columns: at most, a power of two. frames: the length, AP_UNKNOWN if it is not known: the result is the
 * same, unless the stream is shorter than some windows. NULL when out of memory. */
ap_spectrum *ap_spectrum_new(const ap_format *format, double low_hz, double high_hz, size_t rows,
                             size_t columns);
void ap_spectrum_add(ap_spectrum *s, const float *frames, size_t count);
/* To be called once, after all was added. */
ap_spectrum_view ap_spectrum_finish(ap_spectrum *s);
void ap_spectrum_free(ap_spectrum *s);

/* ---- course.c: loudness over time */

/* Loudness in LUFS of a stretch of time; -HUGE_VAL: silence, low > high: not enough was heard yet. */
typedef struct ap_course_point {
    float momentary_low, momentary_high, short_low, short_high;
} ap_course_point;

typedef struct ap_course ap_course;

typedef struct ap_course_view {
    size_t count;
    double step_s;     /* point i is about the time from i * step_s to (i + 1) * step_s */
    double integrated; /* LUFS */
    const ap_course_point *points;
} ap_course_view;

/* capacity: a power of two. NULL when out of memory. */
ap_course *ap_course_new(const ap_format *format, size_t capacity);
bool ap_course_add(ap_course *c, const float *frames, size_t count);
ap_course_view ap_course_finish(ap_course *c);
void ap_course_free(ap_course *c);

/* ---- plot.c, and lib/plot/, the plugin that draws */

typedef struct ap_plot_track {
    const char *name;
    ap_format format; /* with the true length */
    ap_envelope *envelope;
    ap_spectrum *spectrum;
    ap_course *course;
    ap_spectrum_view spectrum_view;
    ap_course_view course_view;
} ap_plot_track;

typedef struct ap_plot_picture {
    const ap_plot_options *options;
    bool svg;
    const char *title;
    const ap_plot_track *tracks;
    size_t count;
} ap_plot_picture;

#define AP_PLOT_PLUGIN "plot.so"
#define AP_PLOT_DRAW "ap_plot_draw"
typedef bool ap_plot_draw_fn(const ap_plot_picture *picture, ap_output *out, ap_error *err);

#endif
