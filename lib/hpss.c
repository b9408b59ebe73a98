/* SPDX-License-Identifier: GPL-3.0-or-later
 * hpss.c - harmonic-percussive separation by median filtering (Fitzgerald 2010; with margins Driedger,
 * Mueller and Disch 2014), with the definitions of librosa.decompose.hpss.
 *
 * The medians are taken of the power, not of the magnitude: a median is one of its values, so it is the same
 * one. */
#include "median.h"
#include "stems.h"
#include "stft.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HARMONIC, PERCUSSIVE, RESIDUAL, PARTS };

/* What one mask is made from: the channel of its own, or all channels together. */
typedef struct analysis {
    float *ring;   /* power of the slots around the current one */
    float *sorted; /* windows along time */
    float *harmonic;
    float *percussive; /* AP_LANES slots */
} analysis;

typedef struct hpss {
    uint32_t channels;
    uint32_t parts;        /* that are synthesised: 1, or 2 with margins */
    size_t bins, width;    /* width: bins rounded up to AP_LANES */
    size_t row;            /* floats of a spectrum */
    size_t before, length; /* of the kernel along time, slots */
    size_t kernel_percussive;
    size_t slots;            /* in the ring */
    uint64_t percussive_end; /* slots whose percussive medians are known */
    double power;
    float margin_harmonic, margin_percussive; /* to be applied to power spectra: squared */
    float undecided;                          /* mask where both are nothing */
    uint32_t count;                           /* of analyses */
    analysis *analyses;
    float *zeros;                      /* width */
    float *series, *medians, *scratch; /* [bins][AP_LANES] twice, [kernel][AP_LANES] */
    float *mask;                       /* width */
} hpss;

/* ---- power */

static void add_power(float *power, const float *spectrum, size_t bins)
{
    for (size_t b = 0; b < bins; b++)
        power[b] += spectrum[2 * b] * spectrum[2 * b] + spectrum[2 * b + 1] * spectrum[2 * b + 1];
}

static float *ring_slot(const hpss *h, const analysis *a, uint64_t t)
{
    return a->ring + (size_t)(t % h->slots) * h->width;
}

static void hpss_take(void *state, uint64_t t, const float *spectra)
{
    const hpss *h = state;
    for (uint32_t i = 0; i < h->count; i++)
        memset(ring_slot(h, &h->analyses[i], t), 0, h->width * sizeof(float));
    for (uint32_t c = 0; c < h->channels; c++)
        add_power(ring_slot(h, &h->analyses[c % h->count], t), spectra + c * h->row, h->bins);
}

/* ---- medians */

/* The slot at i, where the series of slots ends or begins continued by mirrors. */
static const float *mirrored(const hpss *h, const analysis *a, int64_t i, uint64_t slots)
{
    uint64_t t = slots != AP_UNKNOWN ? ap_mirror(i, slots) : (uint64_t)(i < 0 ? -1 - i : i);
    return ring_slot(h, a, t);
}

/* Moves the windows along time to slot t. */
static void find_harmonic(const hpss *h, analysis *a, uint64_t t, uint64_t slots)
{
    int64_t first = (int64_t)t - (int64_t)h->before, last = first + (int64_t)h->length - 1;
    size_t groups = h->width / AP_LANES;
    for (int64_t i = first; t == 0 && i < last; i++)
        ap_median_step(a->sorted, h->length, groups, h->zeros, mirrored(h, a, i, slots), a->harmonic);
    const float *leaving = t ? mirrored(h, a, first - 1, slots) : h->zeros;
    ap_median_step(a->sorted, h->length, groups, leaving, mirrored(h, a, last, slots), a->harmonic);
}

/* to[j][i] = from[i][j] for rows rows and columns columns. */
static void transpose(const float *from, size_t from_width, float *to, size_t to_width, size_t rows,
                      size_t columns)
{
    for (size_t j = 0; j < columns; j++)
        for (size_t i = 0; i < rows; i++)
            to[j * to_width + i] = from[i * from_width + j];
}

/* Medians along frequency of count slots from t on, 16 at once. */
static void find_percussive(const hpss *h, analysis *a, uint64_t t, size_t count)
{
    for (size_t i = 0; i < count; i++)
        transpose(ring_slot(h, a, t + i), h->width, h->series + i, AP_LANES, 1, h->bins);
    ap_median_series(h->scratch, h->kernel_percussive, h->series, h->bins, h->medians);
    transpose(h->medians, AP_LANES, a->percussive, h->width, h->bins, AP_LANES);
}

/* ---- masks */

/* x^p / (x^p + r^p) of two magnitudes, whose squares are given; margin belongs to r. */
__attribute__((target_clones("default", "avx2"))) static void
wiener_mask(const float *x, const float *r, float margin, float undecided, float *mask, size_t n)
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
        hard_mask(x, r, margin, h->mask, h->width);
    else if (h->power == 2)
        wiener_mask(x, r, margin, h->undecided, h->mask, h->width);
    else
        power_mask(x, r, margin, (float)(h->power / 2), h->undecided, h->mask, h->width);
}

static void apply_mask(const float *mask, const float *spectrum, float *made, size_t bins)
{
    for (size_t b = 0; b < bins; b++) {
        made[2 * b] = mask[b] * spectrum[2 * b];
        made[2 * b + 1] = mask[b] * spectrum[2 * b + 1];
    }
}

/* Makes the parts of those channels that share the mask. */
static void make_parts(const hpss *h, uint32_t number, uint64_t t, const float *spectra, float *made)
{
    const analysis *a = &h->analyses[number];
    const float *percussive = a->percussive + (size_t)(t % AP_LANES) * h->width;
    for (uint32_t part = 0; part < h->parts; part++) {
        if (part == HARMONIC)
            make_mask(h, a->harmonic, percussive, h->margin_harmonic);
        else
            make_mask(h, percussive, a->harmonic, h->margin_percussive);
        for (uint32_t c = number; c < h->channels; c += h->count)
            apply_mask(h->mask, spectra + c * h->row, made + (part * h->channels + c) * h->row, h->bins);
    }
}

static void hpss_give(void *state, uint64_t t, uint64_t slots, const float *spectra, float *made)
{
    hpss *h = state;
    size_t count = slots - t < AP_LANES ? (size_t)(slots - t) : AP_LANES;
    for (uint32_t i = 0; i < h->count; i++) {
        find_harmonic(h, &h->analyses[i], t, slots);
        if (t == h->percussive_end)
            find_percussive(h, &h->analyses[i], t, count);
        make_parts(h, i, t, spectra, made);
    }
    if (t == h->percussive_end)
        h->percussive_end += count;
}

/* ---- stream */

static void hpss_free(void *state)
{
    hpss *h = state;
    if (!h)
        return;
    for (uint32_t i = 0; h->analyses && i < h->count; i++) {
        free(h->analyses[i].ring);
        free(h->analyses[i].sorted);
        free(h->analyses[i].harmonic);
        free(h->analyses[i].percussive);
    }
    free(h->analyses);
    free(h->zeros);
    free(h->series);
    free(h->medians);
    free(h->scratch);
    free(h->mask);
    free(h);
}

static bool make_analysis(const hpss *h, analysis *a)
{
    a->ring = calloc(h->slots * h->width, sizeof *a->ring);
    a->sorted = calloc(h->length * h->width, sizeof *a->sorted);
    a->harmonic = calloc(h->width, sizeof *a->harmonic);
    a->percussive = calloc(AP_LANES * h->width, sizeof *a->percussive);
    return a->ring && a->sorted && a->harmonic && a->percussive;
}

static bool allocate(hpss *h)
{
    h->analyses = calloc(h->count, sizeof *h->analyses);
    h->zeros = calloc(h->width, sizeof *h->zeros);
    h->series = calloc(h->width * AP_LANES, sizeof *h->series);
    h->medians = calloc(h->width * AP_LANES, sizeof *h->medians);
    h->scratch = calloc(h->kernel_percussive * AP_LANES, sizeof *h->scratch);
    h->mask = calloc(h->width, sizeof *h->mask);
    bool ok = h->analyses && h->zeros && h->series && h->medians && h->scratch && h->mask;
    for (uint32_t i = 0; ok && i < h->count; i++)
        ok = make_analysis(h, &h->analyses[i]);
    return ok;
}

static hpss *hpss_make(const ap_hpss_options *o, uint32_t channels, size_t ahead)
{
    hpss *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    bool margins = o->margin_harmonic != 1 || o->margin_percussive != 1;
    h->channels = channels;
    h->parts = margins || o->power == INFINITY ? 2 : 1; /* all or nothing: a tie goes to neither */
    h->bins = o->window / 2 + 1;
    h->width = (h->bins + AP_LANES - 1) / AP_LANES * AP_LANES;
    h->row = ap_stft_row(o->window);
    h->length = o->kernel_harmonic;
    h->before = h->length / 2;
    h->kernel_percussive = o->kernel_percussive;
    h->slots = h->before + 2 + ahead;
    h->power = o->power;
    h->margin_harmonic = (float)(o->margin_harmonic * o->margin_harmonic);
    h->margin_percussive = (float)(o->margin_percussive * o->margin_percussive);
    h->undecided = margins ? 0 : 0.5f;
    h->count = o->compat ? channels : 1;
    if (allocate(h))
        return h;
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
    return ap_stems_combine(s, format->channels, format->mask, gains, count, err);
}

ap_stream *ap_hpss(ap_stream *s, const ap_hpss_options *options, ap_error *err)
{
    ap_hpss_options defaults;
    ap_hpss_defaults(&defaults);
    const ap_hpss_options *o = options ? options : &defaults;
    if (!s)
        return NULL;
    ap_format format = s->format;
    size_t ahead = o->kernel_harmonic / 2 < AP_LANES - 1 ? AP_LANES - 1 : o->kernel_harmonic / 2;
    bool valid = check_options(o, err);
    if (valid && format.channels * PARTS > AP_MAX_CHANNELS)
        valid = ap_fail(err, AP_FAILED, "'%s' has %u channels, more than the %d that can be taken apart",
                        ap_stream_name(s), format.channels, AP_MAX_CHANNELS / PARTS);
    hpss *h = valid ? hpss_make(o, format.channels, ahead) : NULL;
    if (!h) {
        if (valid)
            ap_fail_memory(err);
        ap_close(&s);
        return NULL;
    }
    uint32_t hop = o->hop ? o->hop : o->window / 4;
    ap_spectral spectral = {o->window, hop,       0,         format.channels, h->parts,
                            ahead,     hpss_take, hpss_give, hpss_free};
    uint32_t groups = h->parts + 1;
    s = ap_stft_stream(s, &spectral, h, err);
    return s ? select_parts(s, o->parts, groups, &format, err) : NULL;
}
