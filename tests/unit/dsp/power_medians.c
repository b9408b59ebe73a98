/* SPDX-License-Identifier: GPL-3.0-or-later
 * Medians of a spectrogram that passes by, against those of one that is all there. */
#include "dsp/power_medians.h"
#include "dsp/mirror.h"
#include "test.h"

#define MOST_BINS 70
#define MOST_SLOTS 60

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

typedef struct task {
    size_t bins, slots, length, ahead;
    ap_zone zones[AP_MAX_ZONES];
    size_t zone_count, channels;
} task;

typedef struct spectrogram {
    float power[MOST_SLOTS][MOST_BINS];
} spectrogram;

static float along_time(const spectrogram *s, const task *k, size_t t, size_t bin)
{
    float window[255];
    for (size_t i = 0; i < k->length; i++)
        window[i] = s->power[ap_mirror((int64_t)(t + i) - (int64_t)(k->length / 2), k->slots)][bin];
    qsort(window, k->length, sizeof *window, by_value);
    return window[k->length / 2];
}

static float along_frequency(const spectrogram *s, const task *k, size_t t, size_t bin)
{
    const ap_zone *zone = k->zones;
    float window[255];
    while (bin >= zone->end)
        zone++;
    for (size_t i = 0; i < zone->length; i++)
        window[i] = s->power[t][ap_mirror((int64_t)(bin + i) - (int64_t)(zone->length / 2), k->bins)];
    qsort(window, zone->length, sizeof *window, by_value);
    return window[zone->length / 2];
}

/* Puts slot t in, its power as it was added up to s. */
static void put(ap_power_medians *g, const task *k, size_t t, spectrogram *s)
{
    ap_power_medians_clear(g, t);
    for (size_t c = 0; c < k->channels; c++) {
        float *spectrum = test_noise(2 * k->bins, 1, t * 8 + c);
        ap_power_medians_add(g, t, spectrum);
        free(spectrum);
    }
    memcpy(s->power[t], ap_power_medians_row(g, t), k->bins * sizeof(float));
}

static void check_power(const spectrogram *s, const task *k)
{
    for (size_t t = 0; t < k->slots; t++)
        for (size_t b = 0; b < k->bins; b++) {
            double power = 0;
            for (size_t c = 0; c < k->channels; c++) {
                float *spectrum = test_noise(2 * k->bins, 1, t * 8 + c);
                power += (double)spectrum[2 * b] * spectrum[2 * b] +
                         (double)spectrum[2 * b + 1] * spectrum[2 * b + 1];
                free(spectrum);
            }
            CHECK_NEAR(s->power[t][b], power, 1e-6 * power);
        }
}

static void check_task(const task *k)
{
    ap_power_medians *g = ap_power_medians_new(k->bins, k->length, k->zones, k->zone_count, k->ahead);
    spectrogram *s = calloc(1, sizeof *s);
    size_t in = 0, wrong_time = 0, wrong_frequency = 0;
    for (size_t t = 0; t < k->slots; t++) {
        const float *time, *frequency;
        for (; in < k->slots && in <= t + k->ahead; in++)
            put(g, k, in, s);
        ap_power_medians_find(g, t, in < k->slots ? AP_UNKNOWN : k->slots, &time, &frequency);
        for (size_t b = 0; b < k->bins; b++) {
            wrong_time += time[b] != along_time(s, k, t, b);
            wrong_frequency += k->zone_count && frequency[b] != along_frequency(s, k, t, b);
        }
    }
    check_power(s, k);
    if (!CHECK(wrong_time == 0) || !CHECK(wrong_frequency == 0))
        fprintf(stderr, "%zu bins, %zu slots, length %zu: %zu and %zu are wrong\n", k->bins, k->slots,
                k->length, wrong_time, wrong_frequency);
    ap_power_medians_free(g);
    free(s);
}

static void any_length_and_any_bins(void)
{
    static const size_t lengths[] = {1, 2, 5, 31, 40}, bins[] = {1, 15, 16, 17, 65}, slots[] = {1, 3, 60};
    for (size_t l = 0; l < 5; l++)
        for (size_t b = 0; b < 5; b++)
            for (size_t s = 0; s < 3; s++)
                check_task(&(task){.bins = bins[b],
                                   .slots = slots[s],
                                   .length = lengths[l],
                                   .ahead = ap_power_medians_ahead(lengths[l]) + l % 3,
                                   .zones = {{bins[b], 1 + 7 * s}},
                                   .zone_count = 1,
                                   .channels = 1 + b % 3});
}

/* Zones of their own lengths; a zone sees over its edges. */
static void zones_have_their_lengths(void)
{
    check_task(&(task){.bins = 70,
                       .slots = 40,
                       .length = 9,
                       .ahead = ap_power_medians_ahead(9),
                       .zones = {{5, 3}, {6, 31}, {50, 8}, {70, 63}},
                       .zone_count = 4,
                       .channels = 1});
}

static void without_zones_only_along_time(void)
{
    check_task(&(task){.bins = 33, .slots = 30, .length = 7, .ahead = 40, .channels = 2});
}

TEST_MAIN(CASE(any_length_and_any_bins), CASE(zones_have_their_lengths), CASE(without_zones_only_along_time))
