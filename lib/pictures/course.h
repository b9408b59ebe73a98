/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * course.h - loudness over time, of a fixed size, whatever the length of the stream: when it is full,
 * neighbours are merged and what comes next is twice as coarse. */
#ifndef AP_PICTURES_COURSE_H
#define AP_PICTURES_COURSE_H

#include "audiopipe.h"

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

#endif
