/* SPDX-License-Identifier: GPL-3.0-or-later
 * hrtf.c - head-related transfer functions of any direction, from a measured set.
 *
 * Each measured response is taken apart into its minimum-phase filter and its time of arrival. Filters of
 * neighbours have nearly the same phase, so that they can be mixed without cancelling each other, and times
 * can be mixed as numbers. Done when a direction is asked for the first time. */
#include "stages/spatial/hrtf.h"
#include "base/error.h"
#include "dsp/fft.h"
#include "dsp/hot.h"
#include "stages/spatial/equalise.h"
#include "stages/spatial/sofa.h"
#include "stages/spatial/sphere.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Below AP_HRTF_LOW_HZ the level runs to 0 dB at 0 Hz, where a head casts no shade; the measured one takes
 * over up to here. */
#define LOW_TO_HZ 400
/* Where the times of arrival are compared: ears use interaural time below 1.5 kHz (Wightman and Kistler
 * 1992). A wider band finds notches of the pinna instead, and jumps by up to 8 samples within 5 degrees on
 * KEMAR. */
#define ARRIVAL_LOW_HZ 400
#define ARRIVAL_HIGH_HZ 1500
/* Deeper notches than this (80 dB, as a power) are noise, and ring. */
#define FLOOR 1e-8f
/* The largest error of the frequency scale that goes unnoticed when a rate is changed. */
#define WARP 2e-4

typedef struct ready {
    bool is;
    double delay[2]; /* frames at the output rate */
} ready;

struct ap_hrtf {
    ap_sofa_kept kept; /* stands first */
    const ap_sofa *sofa;
    ap_sofa *opened; /* sofa, unless it is the caller's */
    ap_sphere *sphere;
    ready *directions;
    float *filters;       /* of both ears of each direction; pages that are not used are not there */
    size_t stride, count; /* between real and imaginary parts of a filter; directions */
    double rate, sofa_rate;
    /* Spectra of measured_size at the set's rate and of size at the output rate have the same spacing. */
    size_t measured_size, size, block;
    ap_fft *measured_fft, *fft, *filter_fft;
    float *equaliser; /* log gain of each bin of measured_size */
    float *band;      /* weight of each bin for the time of arrival */
    float *time;      /* scratch */
    float complex *bins, *minimum;
    float *level;
    double centre; /* mean time of arrival */
    bool complete; /* can be used */
};

/* ---- sizes */

static bool factors_are_small(size_t n)
{
    for (size_t p = 2; p <= 7; p++)
        while (n % p == 0)
            n /= p;
    return n == 1;
}

/* Finds sizes whose ratio is that of the rates, which then shares bins between the rates, without resampling.
 */
static void choose_sizes(ap_hrtf *h)
{
    size_t least = 4 * ap_sofa_length(h->sofa);
    double best = INFINITY;
    if ((double)least < h->sofa_rate / 44)
        least = (size_t)(h->sofa_rate / 44) / 2 * 2;
    for (size_t n = least; n <= 4 * least && best > WARP; n += 2) {
        size_t m = (size_t)lround((double)n * h->rate / h->sofa_rate / 2) * 2;
        double error = fabs((double)m / (double)n / (h->rate / h->sofa_rate) - 1);
        if (!factors_are_small(n) || !factors_are_small(m) || m < 16 || error >= best)
            continue;
        best = error;
        h->measured_size = n;
        h->size = m;
    }
    if (!h->size) { /* very low rates */
        h->measured_size = least;
        h->size = (size_t)fmax(16, 2 * round((double)least * h->rate / h->sofa_rate / 2));
    }
}

static double bin_hz(const ap_hrtf *h, size_t bin)
{
    return (double)bin * h->sofa_rate / (double)h->measured_size;
}

static size_t hz_bin(const ap_hrtf *h, double hz)
{
    size_t last = h->measured_size / 2;
    double bin = hz / h->sofa_rate * (double)h->measured_size;
    return bin < (double)last ? (size_t)lround(bin) : last;
}

/* ---- one direction */

static void measured_bins(ap_hrtf *h, size_t direction, int ear)
{
    size_t length = ap_sofa_length(h->sofa);
    memcpy(h->time, ap_sofa_response(h->sofa, direction, ear), length * sizeof *h->time);
    memset(h->time + length, 0, (h->measured_size - length) * sizeof *h->time);
    ap_fft_forward(h->measured_fft, h->time, h->bins);
}

static float power(float complex z)
{
    return crealf(z) * crealf(z) + cimagf(z) * cimagf(z);
}

static void extend_low(const ap_hrtf *h)
{
    size_t from = hz_bin(h, AP_HRTF_LOW_HZ), to = hz_bin(h, LOW_TO_HZ);
    float mean = 0;
    for (size_t k = from; k <= to; k++)
        mean += h->level[k] / (float)(to - from + 1);
    for (size_t k = 0; k < to; k++) {
        float slope = mean * fminf(1, (float)k / (0.5f * (float)(from + to)));
        float measured = k > from ? (float)(k - from) / (float)(to - from) : 0;
        h->level[k] += (1 - measured) * (slope - h->level[k]);
    }
}

/* The level of each bin of the output's spectrum, as a logarithm, from h->bins. */
static void take_level(const ap_hrtf *h)
{
    size_t measured = h->measured_size / 2 + 1, bins = h->size / 2 + 1;
    size_t high = hz_bin(h, AP_HRTF_HIGH_PART * h->sofa_rate / 2);
    float most = 1e-30f;
    for (size_t k = 0; k < measured; k++)
        most = fmaxf(most, power(h->bins[k]));
    for (size_t k = 0; k < bins; k++) {
        size_t at = k < high ? k : high;
        h->level[k] = 0.5f * logf(power(h->bins[at]) + FLOOR * most) + h->equaliser[at];
    }
    extend_low(h);
}

/* The minimum-phase spectrum of a level: its phase is the Hilbert transform of the level, by folding the
 * cepstrum (Oppenheim and Schafer, 13.5). */
static void make_minimum_phase(const ap_hrtf *h)
{
    size_t n = h->size, bins = n / 2 + 1;
    for (size_t k = 0; k < bins; k++)
        h->minimum[k] = h->level[k];
    ap_fft_inverse(h->fft, h->minimum, h->time);
    for (size_t i = 0; i < n; i++)
        h->time[i] *= (i == 0 || i == n / 2 ? 1.0f : i < n / 2 ? 2.0f : 0.0f) / (float)n;
    ap_fft_forward(h->fft, h->time, h->minimum);
    for (size_t k = 0; k < bins; k++) {
        float gain = expf(crealf(h->minimum[k])), phase = cimagf(h->minimum[k]);
        h->minimum[k] = CMPLXF(gain * cosf(phase), gain * sinf(phase));
    }
}

static float band_weight(double hz)
{
    double low = ARRIVAL_LOW_HZ / fmax(hz, 1), high = hz / ARRIVAL_HIGH_HZ;
    return (float)(1 / ((1 + pow(low, 8)) * (1 + pow(high, 8))));
}

/* Time of arrival in samples of the set: the maximum of the cross-correlation of a response and its
 * minimum-phase version (Nam, Abel and Smith 2008), here within the band of interaural time. All of the band
 * counts alike (Knapp and Carter's phase transform): the times between the ears then are within 1 us of those
 * measured, weighted by level they are off by 25 us RMS. */
static double find_arrival(ap_hrtf *h)
{
    size_t bins = h->size / 2 + 1, last = ap_sofa_length(h->sofa) - 1, best = 0;
    for (size_t k = 0; k <= h->measured_size / 2; k++) {
        if (k >= bins || h->band[k] < 1e-3f) {
            h->bins[k] = 0;
            continue;
        }
        float w = h->band[k] / (sqrtf(power(h->bins[k]) * power(h->minimum[k])) + 1e-30f);
        float a = crealf(h->bins[k]), b = cimagf(h->bins[k]), c = crealf(h->minimum[k]),
              d = cimagf(h->minimum[k]);
        h->bins[k] = CMPLXF(w * (a * c + b * d), w * (b * c - a * d));
    }
    ap_fft_inverse(h->measured_fft, h->bins, h->time);
    for (size_t i = 1; i < last; i++)
        if (h->time[i] > h->time[best])
            best = i;
    if (best == 0)
        return 0;
    double a = (double)h->time[best - 1], b = (double)h->time[best], c = (double)h->time[best + 1];
    return (double)best + (a - 2 * b + c < 0 ? 0.5 * (a - c) / (a - 2 * b + c) : 0);
}

/* From h->minimum to the spectrum of a filter of block + 1 taps, the last quarter of which is faded out. */
static void make_filter(ap_hrtf *h, ap_split out)
{
    size_t taps = h->block + 1, fade = taps / 4, have = h->size < taps ? h->size : taps;
    ap_fft_inverse(h->fft, h->minimum, h->time);
    for (size_t i = 0; i < have; i++) {
        double t = i + fade < taps ? 0 : (double)(i + fade - taps + 1) / (double)(fade + 1);
        h->time[i] *= (float)(0.5 + 0.5 * cos(M_PI * t)) / (float)h->size;
    }
    memset(h->time + have, 0, (2 * h->block - have) * sizeof *h->time);
    ap_fft_forward(h->filter_fft, h->time, h->bins);
    for (size_t k = 0; k <= h->block; k++) {
        out.re[k] = crealf(h->bins[k]);
        out.im[k] = cimagf(h->bins[k]);
    }
}

static ap_split filter_of(const ap_hrtf *h, size_t direction, size_t ear)
{
    float *re = h->filters + 2 * (2 * direction + ear) * h->stride;
    return (ap_split){re, re + h->stride};
}

static const ready *get(ap_hrtf *h, size_t direction)
{
    ready *d = &h->directions[direction];
    for (int ear = 0; ear < 2 && !d->is; ear++) {
        measured_bins(h, direction, ear);
        take_level(h);
        make_minimum_phase(h);
        double arrival = find_arrival(h) + ap_sofa_delay(h->sofa, direction, ear);
        d->delay[ear] = arrival * h->rate / h->sofa_rate;
        make_filter(h, filter_of(h, direction, (size_t)ear));
    }
    d->is = true;
    return d;
}

/* ---- the set */

/* The mean over the six axes: what is left then is the head's. */
static void find_centre(ap_hrtf *h)
{
    double sum = 0;
    for (int axis = 0; axis < 6; axis++) {
        double direction[3] = {0};
        size_t hint = 0;
        ap_corners corners;
        direction[axis / 2] = axis % 2 ? -1 : 1;
        ap_sphere_find(h->sphere, direction, &hint, &corners);
        const ready *d = get(h, corners.index[0]);
        sum += (d->delay[0] + d->delay[1]) / 12;
    }
    h->centre = sum;
}

static bool allocate(ap_hrtf *h)
{
    const double(*direction)[3];
    h->count = ap_sofa_directions(h->sofa, &direction);
    choose_sizes(h);
    size_t most = h->measured_size > h->size ? h->measured_size : h->size;
    most = most > 2 * h->block ? most : 2 * h->block;
    h->stride = (h->block + 1 + 15) / 16 * 16;
    return (h->filters = aligned_alloc(64, h->count * 4 * h->stride * sizeof *h->filters)) &&
           (h->sphere = ap_sphere_new(direction, h->count)) &&
           (h->directions = calloc(h->count, sizeof *h->directions)) &&
           (h->measured_fft = ap_fft_new(h->measured_size)) && (h->fft = ap_fft_new(h->size)) &&
           (h->filter_fft = ap_fft_new(2 * h->block)) && (h->time = ap_fft_alloc(most, sizeof *h->time)) &&
           (h->bins = ap_fft_alloc(most / 2 + 1, sizeof *h->bins)) &&
           (h->minimum = ap_fft_alloc(most / 2 + 1, sizeof *h->minimum)) &&
           (h->level = ap_fft_alloc(most / 2 + 1, sizeof *h->level)) &&
           (h->equaliser = ap_fft_alloc(most / 2 + 1, sizeof *h->equaliser)) &&
           (h->band = ap_fft_alloc(most / 2 + 1, sizeof *h->band));
}

static void destroy(ap_sofa_kept *kept)
{
    ap_hrtf *h = (ap_hrtf *)kept;
    if (!h)
        return;
    free(h->directions);
    free(h->filters);
    ap_sphere_free(h->sphere);
    ap_sofa_close(h->opened);
    ap_fft_free(h->measured_fft);
    ap_fft_free(h->fft);
    ap_fft_free(h->filter_fft);
    free(h->equaliser);
    free(h->band);
    free(h->time);
    free(h->bins);
    free(h->minimum);
    free(h->level);
    free(h);
}

void ap_hrtf_free(ap_hrtf *h)
{
    const bool stays = h && h->complete && !h->opened;
    destroy(stays ? ap_sofa_swap(h->sofa, &h->kept) : (ap_sofa_kept *)h);
}

ap_hrtf *ap_hrtf_open(const char *path, const ap_sofa *set, uint32_t rate, size_t block, ap_error *err)
{
    ap_hrtf *h = set ? (ap_hrtf *)ap_sofa_swap(set, NULL) : NULL;
    if (h && h->rate == rate && h->block == block)
        return h;
    destroy((ap_sofa_kept *)h);
    h = calloc(1, sizeof *h);
    if (!h) {
        ap_fail_memory(err);
        return NULL;
    }
    *h = (ap_hrtf){.kept = {destroy}, .rate = rate, .block = block};
    if (!set && !(h->opened = ap_sofa_open(path, err)))
        goto fail;
    h->sofa = set ? set : h->opened;
    h->sofa_rate = ap_sofa_rate(h->sofa);
    if (allocate(h) && ap_equalise(h->sofa, h->sphere, h->measured_fft, h->measured_size, h->equaliser)) {
        for (size_t k = 0; k <= h->measured_size / 2; k++)
            h->band[k] = band_weight(bin_hz(h, k));
        find_centre(h);
        h->complete = true;
        return h;
    }
    ap_fail_memory(err);
fail:
    ap_hrtf_free(h);
    return NULL;
}

AP_HOT
static void add_scaled(const float *restrict in, float weight, float *restrict out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] += weight * in[i];
}

AP_HOT
static void scale(const float *restrict in, float weight, float *restrict out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = weight * in[i];
}

void ap_hrtf_at(ap_hrtf *h, double azimuth, double elevation, size_t *hint, const ap_split bins[2],
                double delay[2])
{
    double direction[3] = {cos(azimuth) * cos(elevation), sin(azimuth) * cos(elevation), sin(elevation)};
    double limit = AP_HRTF_DELAY_S * h->rate;
    ap_corners corners;
    ap_sphere_find(h->sphere, direction, hint, &corners);
    delay[0] = delay[1] = -h->centre;
    for (size_t i = 0; i < corners.count; i++) {
        const ready *d = get(h, corners.index[i]);
        const float weight = (float)corners.weight[i];
        for (size_t ear = 0; ear < 2; ear++) {
            ap_split filter = filter_of(h, corners.index[i], ear);
            (i == 0 ? scale : add_scaled)(filter.re, weight, bins[ear].re, h->block + 1);
            (i == 0 ? scale : add_scaled)(filter.im, weight, bins[ear].im, h->block + 1);
            delay[ear] += corners.weight[i] * d->delay[ear];
        }
    }
    for (int ear = 0; ear < 2; ear++)
        delay[ear] = fmax(-limit, fmin(limit, delay[ear]));
}
