/* SPDX-License-Identifier: GPL-3.0-or-later
 * hpss.c - harmonic-percussive separation by median filtering (Fitzgerald 2010; with margins Driedger,
 * Mueller and Disch 2014), with the definitions of librosa.decompose.hpss.
 */
#include "base/error.h"
#include "base/memory.h"
#include "dsp/hot.h"
#include "dsp/power_medians.h"
#include "stream/combine.h"
#include "stream/gain_tags.h"
#include "stream/stft.h"
#include "stream/stream.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HARMONIC, PERCUSSIVE, RESIDUAL, PARTS };

typedef struct hpss {
    uint32_t channels, parts; /* parts: that are made from spectra, the last one being what is left */
    size_t bins, row;         /* row: floats of a spectrum */
    double power;
    float margin_harmonic, margin_percussive; /* squared, as they are applied to power */
    float undecided;                          /* mask where both are nothing */
    uint32_t count;
    ap_power_medians **medians; /* what a mask is made from: a channel of its own, or all together */
    float *mask;
} hpss;

static void hpss_take(void *state, uint64_t t, const float *spectra)
{
    const hpss *h = state;
    for (uint32_t i = 0; i < h->count; i++)
        ap_power_medians_clear(h->medians[i], t);
    for (uint32_t c = 0; c < h->channels; c++)
        ap_power_medians_add(h->medians[c % h->count], t, spectra + c * h->row);
}

/* ---- masks */

/* x^p / (x^p + r^p) of two magnitudes, whose squares are given; margin belongs to r. */
AP_HOT static void wiener_mask(const float *x, const float *r, float margin, float undecided, float *mask,
                               size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float sum = x[i] + margin * r[i];
        mask[i] = sum < FLT_MIN ? undecided : x[i] / sum;
    }
}

static void power_mask(const float *x, const float *r, float margin, float power, float undecided,
                       float *mask, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float ref = margin * r[i], z = x[i] > ref ? x[i] : ref;
        float a = powf(x[i] / z, power), b = powf(ref / z, power);
        mask[i] = z < FLT_MIN ? undecided : a / (a + b);
    }
}

static void hard_mask(const float *x, const float *r, float margin, float *mask, size_t n)
{
    for (size_t i = 0; i < n; i++)
        mask[i] = x[i] > margin * r[i] ? 1 : 0;
}

static void make_mask(const hpss *h, const float *x, const float *r, float margin)
{
    if (h->power == INFINITY)
        hard_mask(x, r, margin, h->mask, h->bins);
    else if (h->power == 2)
        wiener_mask(x, r, margin, h->undecided, h->mask, h->bins);
    else
        power_mask(x, r, margin, (float)(h->power / 2), h->undecided, h->mask, h->bins);
}

static void apply_mask(const float *mask, const float *spectrum, float *made, size_t bins)
{
    for (size_t b = 0; b < bins; b++) {
        made[2 * b] = mask[b] * spectrum[2 * b];
        made[2 * b + 1] = mask[b] * spectrum[2 * b + 1];
    }
}

/* Makes the parts of those channels that share a mask. */
static void make_parts(const hpss *h, uint32_t number, const float *harmonic, const float *percussive,
                       const float *spectra, float *made)
{
    for (uint32_t part = 0; part < h->parts; part++) {
        if (part == HARMONIC)
            make_mask(h, harmonic, percussive, h->margin_harmonic);
        else
            make_mask(h, percussive, harmonic, h->margin_percussive);
        for (uint32_t c = number; c < h->channels; c += h->count)
            apply_mask(h->mask, spectra + c * h->row, made + (part * h->channels + c) * h->row, h->bins);
    }
}

static void hpss_give(void *state, uint64_t t, uint64_t slots, const float *spectra, float *made)
{
    const hpss *h = state;
    for (uint32_t i = 0; i < h->count; i++) {
        const float *harmonic, *percussive;
        ap_power_medians_find(h->medians[i], t, slots, &harmonic, &percussive);
        make_parts(h, i, harmonic, percussive, spectra, made);
    }
}

/* ---- stream */

static void hpss_free(void *state)
{
    hpss *h = state;
    if (!h)
        return;
    for (uint32_t i = 0; h->medians && i < h->count; i++)
        ap_power_medians_free(h->medians[i]);
    free(h->medians);
    free(h->mask);
    free(h);
}

static bool allocate(hpss *h, const ap_hpss_options *o)
{
    ap_zone all = {h->bins, o->kernel_percussive};
    h->mask = calloc(h->bins, sizeof *h->mask);
    h->medians = calloc(h->count, sizeof *h->medians);
    bool ok = h->mask && h->medians;
    for (uint32_t i = 0; ok && i < h->count; i++)
        ok = (h->medians[i] = ap_power_medians_new(h->bins, o->kernel_harmonic, &all, 1,
                                                   ap_power_medians_ahead(o->kernel_harmonic)));
    return ok;
}

static hpss *hpss_make(const ap_hpss_options *o, uint32_t channels, ap_error *err)
{
    hpss *h = ap_allocate(1, sizeof *h, err);
    if (!h)
        return NULL;
    bool margins = o->margin_harmonic != 1 || o->margin_percussive != 1;
    h->channels = channels;
    h->parts = margins || o->power == INFINITY ? 2 : 1; /* all or nothing: a tie goes to neither */
    h->bins = o->window / 2 + 1;
    h->row = ap_stft_row(o->window);
    h->power = o->power;
    h->margin_harmonic = (float)(o->margin_harmonic * o->margin_harmonic);
    h->margin_percussive = (float)(o->margin_percussive * o->margin_percussive);
    h->undecided = margins ? 0 : 0.5f;
    h->count = o->compat ? channels : 1;
    if (allocate(h, o))
        return h;
    ap_fail_memory(err);
    hpss_free(h);
    return NULL;
}

void ap_hpss_defaults(ap_hpss_options *options)
{
    *options = (ap_hpss_options){.parts = AP_HARMONIC,
                                 .window = 2048, /* all of these: librosa */
                                 .kernel_harmonic = 31,
                                 .kernel_percussive = 31,
                                 .margin_harmonic = 1,
                                 .margin_percussive = 1,
                                 .power = 2};
}

static bool check_options(const ap_hpss_options *o, ap_error *err)
{
    if (o->parts == 0 || o->parts > (AP_HARMONIC | AP_PERCUSSIVE | AP_RESIDUAL))
        return ap_fail(err, AP_USAGE, "no parts were asked for");
    if (!ap_check_range("n-fft", o->window, 64, 32768, err) ||
        !ap_check_range("kernel", o->kernel_harmonic, 1, 255, err) ||
        !ap_check_range("kernel", o->kernel_percussive, 1, 255, err) ||
        !ap_check_range("margin", o->margin_harmonic, 1, 1000, err) ||
        !ap_check_range("margin", o->margin_percussive, 1, 1000, err) ||
        (o->power != INFINITY && !ap_check_range("power", o->power, 0.1, 100, err)))
        return false;
    if (o->window % 2)
        return ap_fail(err, AP_USAGE, "n-fft %u is odd", o->window);
    if (o->hop > o->window / 4)
        return ap_fail(err, AP_USAGE, "hop %u is out of range (1 to %u, a quarter of n-fft)", o->hop,
                       o->window / 4);
    return true;
}

/* Rows: harmonic, percussive, residual; columns: the signals of the transform. Where the harmonic part's
 * remainder is the percussive part there is no residual. */
static const float without_residual[PARTS][2] = {{1, 0}, {0, 1}, {0, 0}};
static const float with_residual[PARTS][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};

static ap_stream *select_parts(ap_stream *s, unsigned wanted, uint32_t groups, const ap_format *format,
                               ap_error *err)
{
    float gains[PARTS * PARTS];
    uint32_t count = 0;
    for (unsigned part = 0; part < PARTS; part++)
        if (wanted >> part & 1)
            memcpy(gains + groups * count++, groups == 2 ? without_residual[part] : with_residual[part],
                   groups * sizeof *gains);
    return ap_without_gain_tags(ap_combine(s, format->channels, format->mask, gains, count, err), err);
}

ap_stream *ap_hpss(ap_stream *s, const ap_hpss_options *options, ap_error *err)
{
    ap_hpss_options defaults;
    ap_hpss_defaults(&defaults);
    const ap_hpss_options *o = options ? options : &defaults;
    if (!s)
        return NULL;
    ap_format format = s->format;
    size_t ahead = ap_power_medians_ahead(o->kernel_harmonic);
    bool valid = check_options(o, err);
    if (valid && format.channels * PARTS > AP_MAX_CHANNELS)
        valid = ap_fail(err, AP_FAILED, "'%s' has %u channels, more than the %d that can be taken apart",
                        ap_stream_name(s), format.channels, AP_MAX_CHANNELS / PARTS);
    hpss *h = valid ? hpss_make(o, format.channels, err) : NULL;
    ap_spectral spectral = {.window = o->window,
                            .hop = o->hop ? o->hop : o->window / 4,
                            .channels = format.channels,
                            .groups = h ? h->parts : 0,
                            .ahead = ahead,
                            .take = hpss_take,
                            .give = hpss_give,
                            .free = hpss_free};
    s = ap_stft_stream(s, &spectral, h, err);
    return s ? select_parts(s, o->parts, spectral.groups + 1, &format, err) : NULL;
}
