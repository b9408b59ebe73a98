/* SPDX-License-Identifier: GPL-3.0-or-later
 * course.c - loudness over time (EBU Tech 3341: momentary 400 ms, short-term 3 s) of a stream of any length
 * in a fixed number of points. Filtering and the integrated loudness are libebur128's; the two windows are
 * sums of the energies of 100 ms, which is much faster than asking it for each window. */
#include "pictures/course.h"
#include "dsp/histogram.h"
#include "stream/kweighting.h"

#include <math.h>
#include <stdlib.h>

#define STEP_MS 100 /* the windows move by this (EBU Tech 3341, 2.2) */
#define MOMENTARY 4 /* steps */
#define SHORT_TERM 30

struct ap_course {
    ebur128_state *meter;
    uint32_t channels;
    size_t step;                 /* frames */
    size_t filled;               /* frames of this step */
    double energies[SHORT_TERM]; /* ring, of the last steps */
    uint64_t steps;
    size_t capacity, count;
    uint64_t per_point; /* steps */
    ap_course_point *points;
};

ap_course *ap_course_new(const ap_format *format, size_t capacity)
{
    ap_course *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    *c = (ap_course){.channels = format->channels,
                     .step = (format->rate * STEP_MS + 500) / 1000,
                     .capacity = capacity,
                     .per_point = 1};
    c->points = malloc(capacity * sizeof *c->points);
    /* The histogram makes memory constant; its steps of 0.1 LU hardly move the mean of many blocks. */
    c->meter = ap_kweighting_new(format, EBUR128_MODE_M | EBUR128_MODE_I | EBUR128_MODE_HISTOGRAM);
    if (c->points && c->meter)
        return c;
    ap_course_free(c);
    return NULL;
}

void ap_course_free(ap_course *c)
{
    if (!c)
        return;
    if (c->meter)
        ebur128_destroy(&c->meter);
    free(c->points);
    free(c);
}

/* Loudness of the last steps, which are at most SHORT_TERM. */
static float loudness(const ap_course *c, unsigned steps)
{
    double sum = 0;
    for (unsigned i = 0; i < steps; i++)
        sum += c->energies[(c->steps - 1 - i) % SHORT_TERM];
    return sum > 0 ? (float)ap_loudness_of(sum / steps) : -HUGE_VALF;
}

static void widen(float *low, float *high, float low_too, float high_too)
{
    if (low_too > high_too)
        return;
    bool first = *low > *high;
    *low = first || low_too < *low ? low_too : *low;
    *high = first || high_too > *high ? high_too : *high;
}

static void halve(ap_course *c)
{
    for (size_t i = 0; i < c->count / 2; i++) {
        ap_course_point p = c->points[2 * i], q = c->points[2 * i + 1];
        widen(&p.momentary_low, &p.momentary_high, q.momentary_low, q.momentary_high);
        widen(&p.short_low, &p.short_high, q.short_low, q.short_high);
        c->points[i] = p;
    }
    c->count /= 2;
    c->per_point *= 2;
}

static void add_point(ap_course *c)
{
    if (c->steps > c->count * c->per_point) {
        if (c->count == c->capacity)
            halve(c);
        c->points[c->count++] = (ap_course_point){1, 0, 1, 0};
    }
    ap_course_point *p = &c->points[c->count - 1];
    if (c->steps >= MOMENTARY) {
        float m = loudness(c, MOMENTARY);
        widen(&p->momentary_low, &p->momentary_high, m, m);
    }
    if (c->steps >= SHORT_TERM) {
        float s = loudness(c, SHORT_TERM);
        widen(&p->short_low, &p->short_high, s, s);
    }
}

static void end_step(ap_course *c)
{
    double lufs = -HUGE_VAL;
    ebur128_loudness_window(c->meter, STEP_MS, &lufs);
    c->energies[c->steps++ % SHORT_TERM] = lufs > -HUGE_VAL ? ap_energy_of(lufs) : 0;
    c->filled = 0;
    add_point(c);
}

bool ap_course_add(ap_course *c, const float *frames, size_t count)
{
    while (count) {
        size_t n = c->step - c->filled < count ? c->step - c->filled : count;
        if (ebur128_add_frames_float(c->meter, frames, n) != EBUR128_SUCCESS)
            return false;
        c->filled += n;
        if (c->filled == c->step)
            end_step(c);
        frames += n * c->channels;
        count -= n;
    }
    return true;
}

ap_course_view ap_course_finish(ap_course *c)
{
    double integrated = -HUGE_VAL;
    ebur128_loudness_global(c->meter, &integrated);
    return (ap_course_view){c->count, (double)c->per_point * STEP_MS / 1000, integrated, c->points};
}
