/* SPDX-License-Identifier: GPL-3.0-or-later
 * power_medians.c - medians of a spectrogram that passes by.
 *
 * Of the power, not of the magnitude: a median is one of its values, so it is the same one. */
#include "dsp/power_medians.h"
#include "audiopipe.h"
#include "dsp/fft.h"
#include "dsp/median.h"
#include "dsp/mirror.h"

#include <stdlib.h>
#include <string.h>

struct ap_power_medians {
    size_t bins, width;   /* width: bins rounded up to AP_LANES */
    size_t length, slots; /* along time; in the ring */
    ap_zone zones[AP_MAX_ZONES];
    size_t zone_count;
    float *ring;
    float *sorted; /* windows along time */
    float *along_time;
    float *along_frequency;            /* AP_LANES slots */
    uint64_t known;                    /* slots whose medians along frequency were found */
    float *zeros;                      /* width */
    float *series, *medians, *scratch; /* [bins][AP_LANES] twice, [length][AP_LANES] */
};

size_t ap_power_medians_ahead(size_t length)
{
    return length / 2 < AP_LANES - 1 ? AP_LANES - 1 : length / 2; /* the other medians are found 16 at once */
}

static float *row_of(const ap_power_medians *g, uint64_t t)
{
    return g->ring + (size_t)(t % g->slots) * g->width;
}

const float *ap_power_medians_row(const ap_power_medians *g, uint64_t t)
{
    return row_of(g, t);
}

void ap_power_medians_clear(ap_power_medians *g, uint64_t t)
{
    memset(row_of(g, t), 0, g->width * sizeof(float));
}

void ap_power_medians_add(ap_power_medians *g, uint64_t t, const float *spectrum)
{
    float *power = row_of(g, t);
    for (size_t b = 0; b < g->bins; b++)
        power[b] += spectrum[2 * b] * spectrum[2 * b] + spectrum[2 * b + 1] * spectrum[2 * b + 1];
}

/* ---- medians */

/* The row at i, where the slots are continued by mirrors before the first one and after the last. */
static const float *mirrored(const ap_power_medians *g, int64_t i, uint64_t slots)
{
    return row_of(g, slots != AP_UNKNOWN ? ap_mirror(i, slots) : (uint64_t)(i < 0 ? -1 - i : i));
}

/* Moves the windows along time to slot t. */
static void find_along_time(const ap_power_medians *g, uint64_t t, uint64_t slots)
{
    int64_t first = (int64_t)t - (int64_t)(g->length / 2), last = first + (int64_t)g->length - 1;
    size_t groups = g->width / AP_LANES;
    for (int64_t i = first; t == 0 && i < last; i++)
        ap_median_step(g->sorted, g->length, groups, g->zeros, mirrored(g, i, slots), g->along_time);
    const float *leaving = t ? mirrored(g, first - 1, slots) : g->zeros;
    ap_median_step(g->sorted, g->length, groups, leaving, mirrored(g, last, slots), g->along_time);
}

/* to[j][i] = from[i][j] for rows rows and columns columns. */
static void transpose(const float *from, size_t from_width, float *to, size_t to_width, size_t rows,
                      size_t columns)
{
    for (size_t j = 0; j < columns; j++)
        for (size_t i = 0; i < rows; i++)
            to[j * to_width + i] = from[i * from_width + j];
}

/* Medians of g->series from bin first to the zone's end. */
static void find_zone(const ap_power_medians *g, size_t first, const ap_zone *zone)
{
    size_t reach = zone->length / 2;
    size_t from = first > reach ? first - reach : 0,
           to = zone->end + reach < g->bins ? zone->end + reach : g->bins;
    ap_median_series(g->scratch, zone->length, g->series + from * AP_LANES, to - from, g->medians);
    transpose(g->medians + (first - from) * AP_LANES, AP_LANES, g->along_frequency + first, g->width,
              zone->end - first, AP_LANES);
}

/* Of count slots from t on, 16 at once. */
static void find_along_frequency(const ap_power_medians *g, uint64_t t, size_t count)
{
    size_t first = 0;
    for (size_t i = 0; i < count; i++)
        transpose(row_of(g, t + i), g->width, g->series + i, AP_LANES, 1, g->bins);
    for (size_t i = 0; i < g->zone_count; i++) {
        find_zone(g, first, &g->zones[i]);
        first = g->zones[i].end;
    }
}

void ap_power_medians_find(ap_power_medians *g, uint64_t t, uint64_t slots, const float **along_time,
                           const float **along_frequency)
{
    find_along_time(g, t, slots);
    if (g->zone_count && t == g->known) {
        size_t count = slots - t < AP_LANES ? (size_t)(slots - t) : AP_LANES;
        find_along_frequency(g, t, count);
        g->known += count;
    }
    *along_time = g->along_time;
    *along_frequency = g->along_frequency + (size_t)(t % AP_LANES) * g->width;
}

/* ---- making */

void ap_power_medians_free(ap_power_medians *g)
{
    if (!g)
        return;
    free(g->ring);
    free(g->sorted);
    free(g->along_time);
    free(g->along_frequency);
    free(g->zeros);
    free(g->series);
    free(g->medians);
    free(g->scratch);
    free(g);
}

static bool allocate(ap_power_medians *g)
{
    size_t longest = 0;
    for (size_t i = 0; i < g->zone_count; i++)
        longest = g->zones[i].length > longest ? g->zones[i].length : longest;
    g->ring = ap_fft_alloc(g->slots * g->width, sizeof *g->ring);
    g->sorted = ap_fft_alloc(g->length * g->width, sizeof *g->sorted);
    g->along_time = ap_fft_alloc(g->width, sizeof *g->along_time);
    g->along_frequency = ap_fft_alloc(AP_LANES * g->width, sizeof *g->along_frequency);
    g->zeros = ap_fft_alloc(g->width, sizeof *g->zeros);
    g->series = ap_fft_alloc(g->width * AP_LANES, sizeof *g->series);
    g->medians = ap_fft_alloc(g->width * AP_LANES, sizeof *g->medians);
    g->scratch = ap_fft_alloc(longest * AP_LANES, sizeof *g->scratch);
    return g->ring && g->sorted && g->along_time && g->along_frequency && g->zeros && g->series &&
           g->medians && g->scratch;
}

ap_power_medians *ap_power_medians_new(size_t bins, size_t length, const ap_zone *zones, size_t zone_count,
                                       size_t ahead)
{
    ap_power_medians *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->bins = bins;
    g->width = (bins + AP_LANES - 1) / AP_LANES * AP_LANES;
    g->length = length;
    g->slots = length / 2 + 2 + ahead;
    for (size_t i = 0; i < zone_count; i++)
        g->zones[i] = zones[i];
    g->zone_count = zone_count;
    if (allocate(g))
        return g;
    ap_power_medians_free(g);
    return NULL;
}
