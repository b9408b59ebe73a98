/* SPDX-License-Identifier: GPL-3.0-or-later
 * eq.c - an equaliser of second-order filters in a row.
 *
 * Coefficients: R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients", in
 * the form of the W3C's Audio EQ Cookbook note (2021). */
#include "base/error.h"
#include "stream/gain_tags.h"
#include "stream/processor.h"
#include "stream/stream.h"

#include <math.h>
#include <stdlib.h>

#define MAX_GAIN_DB 60.0
#define MIN_WIDTH 0.01
#define MAX_Q 1000.0
#define MAX_OCTAVES 10.0
#define MAX_SLOPE 1.0 /* beyond this a shelf overshoots, and alpha may be the root of a negative number */

/* Normalised by a0. */
typedef struct biquad {
    double b0, b1, b2, a1, a2;
} biquad;

typedef struct equaliser {
    uint32_t channels;
    size_t count;    /* of filters, the same ones for each channel */
    double gain;     /* linear */
    biquad *filters; /* count */
    double *memory;  /* channels * count * 2, of the transposed direct form II */
} equaliser;

/* ---- kernel */

/* The cookbook's alpha, which says how wide a filter is. */
static double alpha_of(const ap_eq_band *band, double w0, double amplitude)
{
    double half = sin(w0) / 2;
    switch (band->width_unit) {
    case AP_EQ_OCTAVES:
        return 2 * half * sinh(log(2) / 2 * band->width * w0 / sin(w0));
    case AP_EQ_SLOPE:
        return half * sqrt((amplitude + 1 / amplitude) * (1 / band->width - 1) + 2);
    default:
        return half / band->width;
    }
}

static biquad normalised(double b0, double b1, double b2, double a0, double a1, double a2)
{
    return (biquad){b0 / a0, b1 / a0, b2 / a0, a1 / a0, a2 / a0};
}

/* A shelf below the frequency (side 1) or above it (side -1). */
static biquad shelf(double amplitude, double cosine, double alpha, double side)
{
    double a = amplitude, sum = a + 1, difference = (a - 1) * side * cosine, root = 2 * sqrt(a) * alpha;
    double odd_b = side * (a - 1) - sum * cosine, odd_a = side * (a - 1) + sum * cosine;
    return normalised(a * (sum - difference + root), 2 * a * odd_b, a * (sum - difference - root),
                      sum + difference + root, -2 * odd_a, sum + difference - root);
}

static biquad design(const ap_eq_band *band, uint32_t rate)
{
    double w0 = 2 * M_PI * band->frequency_hz / rate, c = cos(w0), a = pow(10, band->gain_db / 40);
    double alpha = alpha_of(band, w0, a);
    switch (band->type) {
    case AP_EQ_HIGH_PASS:
        return normalised((1 + c) / 2, -(1 + c), (1 + c) / 2, 1 + alpha, -2 * c, 1 - alpha);
    case AP_EQ_LOW_PASS:
        return normalised((1 - c) / 2, 1 - c, (1 - c) / 2, 1 + alpha, -2 * c, 1 - alpha);
    case AP_EQ_BAND_PASS:
        return normalised(alpha, 0, -alpha, 1 + alpha, -2 * c, 1 - alpha);
    case AP_EQ_NOTCH:
        return normalised(1, -2 * c, 1, 1 + alpha, -2 * c, 1 - alpha);
    case AP_EQ_LOW_SHELF:
        return shelf(a, c, alpha, 1);
    case AP_EQ_HIGH_SHELF:
        return shelf(a, c, alpha, -1);
    default:
        return normalised(1 + alpha * a, -2 * c, 1 - alpha * a, 1 + alpha / a, -2 * c, 1 - alpha / a);
    }
}

static inline double filter(const biquad *f, double *memory, double x)
{
    double y = f->b0 * x + memory[0];
    memory[0] = f->b1 * x - f->a1 * y + memory[1];
    memory[1] = f->b2 * x - f->a2 * y;
    return y;
}

/* Sample by sample through all filters: the filters of one sample overlap with those of the next in the
 * processor, where one filter after the other would wait for each of its own results. */
static void equalise(void *state, const float *in, float *out, size_t frames)
{
    const equaliser *e = state;
    for (size_t i = 0; i < frames * e->channels; i += e->channels)
        for (size_t c = 0; c < e->channels; c++) {
            double x = e->gain * (double)in[i + c], *memory = e->memory + c * e->count * 2;
            for (size_t k = 0; k < e->count; k++)
                x = filter(&e->filters[k], memory + 2 * k, x);
            out[i + c] = (float)x;
        }
}

/* ---- stream */

static void equaliser_free(void *state)
{
    equaliser *e = state;
    if (!e)
        return;
    free(e->filters);
    free(e->memory);
    free(e);
}

static equaliser *equaliser_make(const ap_eq_options *o, uint32_t rate, uint32_t channels)
{
    equaliser *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    *e = (equaliser){.channels = channels, .count = o->count, .gain = pow(10, o->gain_db / 20)};
    e->filters = calloc(o->count + 1, sizeof *e->filters);
    e->memory = calloc(channels * o->count * 2 + 1, sizeof *e->memory);
    if (!e->filters || !e->memory) {
        equaliser_free(e);
        return NULL;
    }
    for (size_t i = 0; i < o->count; i++)
        e->filters[i] = design(&o->bands[i], rate);
    return e;
}

static bool check_band(const ap_eq_band *band, const ap_stream *s, ap_error *err)
{
    static const double widest[] = {MAX_Q, MAX_OCTAVES, MAX_SLOPE};
    static const char *const names[] = {"q", "octaves", "slope"};
    if ((unsigned)band->type > AP_EQ_HIGH_SHELF || (unsigned)band->width_unit > AP_EQ_SLOPE)
        return ap_fail(err, AP_USAGE, "there is no such band of an equaliser");
    if (!(band->frequency_hz > 0) || !(band->frequency_hz < s->format.rate / 2.0))
        return ap_fail(err, AP_USAGE, "a band at %g Hz is out of range: '%s' has the frequencies up to %g Hz",
                       band->frequency_hz, ap_stream_name(s), s->format.rate / 2.0);
    return ap_check_range("gain", band->gain_db, -MAX_GAIN_DB, MAX_GAIN_DB, err) &&
           ap_check_range(names[band->width_unit], band->width, MIN_WIDTH, widest[band->width_unit], err);
}

static bool check_options(const ap_eq_options *o, const ap_stream *s, ap_error *err)
{
    if (o->count > AP_MAX_EQ_BANDS)
        return ap_fail(err, AP_USAGE, "%zu bands are too many (at most %d)", o->count, AP_MAX_EQ_BANDS);
    for (size_t i = 0; i < o->count; i++)
        if (!check_band(&o->bands[i], s, err))
            return false;
    return ap_check_range("gain", o->gain_db, -MAX_GAIN_DB, MAX_GAIN_DB, err);
}

void ap_eq_defaults(ap_eq_options *options)
{
    *options = (ap_eq_options){0};
}

ap_stream *ap_eq(ap_stream *s, const ap_eq_options *options, ap_error *err)
{
    static const ap_eq_options defaults = {0};
    static const ap_processor processor = {equalise, equaliser_free};
    const ap_eq_options *o = options ? options : &defaults;
    if (!s)
        return NULL;
    bool valid = check_options(o, s, err);
    equaliser *e = valid ? equaliser_make(o, s->format.rate, s->format.channels) : NULL;
    if (valid && !e)
        ap_fail_memory(err);
    s = ap_processor_stream(s, s->format.channels, s->format.mask, &processor, e, err);
    return ap_without_gain_tags(s, err);
}
