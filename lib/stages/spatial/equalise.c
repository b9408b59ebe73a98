/* SPDX-License-Identifier: GPL-3.0-or-later
 * equalise.c - the equaliser of a set of HRTFs: one for all directions, that makes their average flat.
 *
 * Headphones are made for that (Theile 1986, diffuse field), and it takes out the ear canal and the
 * loudspeaker of the measurement, up to 20 dB. Music that moves through the directions keeps its timbre. */
#include "stages/spatial/equalise.h"
#include "stages/spatial/sofa.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DB 18.0
/* Sine of 25 degrees. */
#define HORIZON 0.42
/* A sixth of an octave, about what the ear can tell apart. */
#define BAND (1.0 / 6)
/* Evenly chosen among them, so many directions are enough. */
#define ENOUGH 800

/* Only directions near the horizon count, if there are any: trajectories keep there, and the average of all
 * is up to 5 dB away from theirs (KEMAR at 12 kHz). */
static void keep_horizon(const ap_sofa *sofa, double *area)
{
    const double(*direction)[3];
    size_t count = ap_sofa_directions(sofa, &direction);
    bool any = false;
    for (size_t i = 0; i < count; i++)
        any = any || fabs(direction[i][2]) < HORIZON;
    for (size_t i = 0; any && i < count; i++)
        if (fabs(direction[i][2]) >= HORIZON)
            area[i] = 0;
}

static void add_power(const ap_sofa *sofa, size_t direction, const ap_fft *fft, float *time,
                      float complex *bins, size_t size, double weight, double *sum)
{
    size_t length = ap_sofa_length(sofa);
    for (int ear = 0; ear < 2; ear++) {
        memset(time, 0, size * sizeof *time);
        memcpy(time, ap_sofa_response(sofa, direction, ear), length * sizeof *time);
        ap_fft_forward(fft, time, bins);
        for (size_t k = 0; k <= size / 2; k++)
            sum[k] +=
                weight * (double)(crealf(bins[k]) * crealf(bins[k]) + cimagf(bins[k]) * cimagf(bins[k]));
    }
}

/* Level of the average power of the directions, each for the part of the sphere that it stands for, as a
 * logarithm. */
static bool average(const ap_sofa *sofa, const ap_sphere *sphere, const ap_fft *fft, size_t size,
                    double *level)
{
    const double(*direction)[3];
    size_t count = ap_sofa_directions(sofa, &direction), step = (count + ENOUGH - 1) / ENOUGH;
    double *area = calloc(count, sizeof *area), total = 0;
    float *time = ap_fft_alloc(size, sizeof *time);
    float complex *bins = ap_fft_alloc(size / 2 + 1, sizeof *bins);
    bool fine = area && time && bins;
    if (fine) {
        ap_sphere_areas(sphere, area);
        keep_horizon(sofa, area);
    }
    for (size_t i = 0; fine && i < count; i += step) {
        if (area[i] > 0)
            add_power(sofa, i, fft, time, bins, size, area[i], level);
        total += area[i];
    }
    for (size_t k = 0; fine && k <= size / 2; k++)
        level[k] = 0.5 * log(level[k] / (2 * total) + 1e-30);
    free(area);
    free(time);
    free(bins);
    return fine;
}

/* The mean of level[0..last] in the band around a bin. */
static double band_mean(const double *level, size_t last, size_t bin)
{
    size_t from = (size_t)floor((double)bin * exp2(-BAND / 2)),
           to = (size_t)ceil((double)bin * exp2(BAND / 2));
    double sum = 0;
    to = to < last ? to : last;
    for (size_t k = from; k <= to; k++)
        sum += level[k];
    return sum / (double)(to - from + 1);
}

bool ap_equalise(const ap_sofa *sofa, const ap_sphere *sphere, const ap_fft *fft, size_t size, float *gain)
{
    size_t low = (size_t)lround(AP_HRTF_LOW_HZ / ap_sofa_rate(sofa) * (double)size);
    size_t high = (size_t)(AP_HRTF_HIGH_PART * (double)size / 2);
    double *level = calloc(size / 2 + 1, sizeof *level);
    bool fine = level && average(sofa, sphere, fft, size, level);
    for (size_t k = 0; fine && k <= size / 2; k++)
        gain[k] = (float)fmin(-band_mean(level, high,
                                         k < low    ? low
                                         : k < high ? k
                                                    : high),
                              MAX_DB * M_LN10 / 20);
    free(level);
    return fine;
}
