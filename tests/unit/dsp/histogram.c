/* SPDX-License-Identifier: GPL-3.0-or-later
 * Gated loudness of blocks against the same computed from all of them, not from classes. */
#include "dsp/histogram.h"
#include "test.h"

#define BLOCKS 3000

static double lufs_of(double energy)
{
    return -0.691 + 10 * log10(energy);
}

/* Mean energy of the blocks above a gate. */
static double mean_above(const double *energies, size_t n, double gate_lufs)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (energies[i] > 0 && lufs_of(energies[i]) > gate_lufs) {
            sum += energies[i];
            count++;
        }
    return count ? sum / (double)count : 0;
}

/* ITU-R BS.1770-4, annex 1. */
static double integrated(const double *energies, size_t n)
{
    return lufs_of(mean_above(energies, n, fmax(-70, lufs_of(mean_above(energies, n, -70)) - 10)));
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* EBU Tech 3342: between the 10th and the 95th percentile of what is above the gates. */
static double range(const double *energies, size_t n)
{
    const double gate = fmax(-70, lufs_of(mean_above(energies, n, -70)) - 20);
    double *kept = malloc(n * sizeof *kept);
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (energies[i] > 0 && lufs_of(energies[i]) > gate)
            kept[count++] = lufs_of(energies[i]);
    qsort(kept, count, sizeof *kept, by_value);
    const double lu =
        kept[(size_t)((double)(count - 1) * 0.95 + 0.5)] - kept[(size_t)((double)(count - 1) * 0.1 + 0.5)];
    free(kept);
    return lu;
}

/* Blocks with loudness around middle, spread by so many LU, some of them silent. */
static void fill(double *energies, size_t n, double middle, double spread, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        const double u = test_random(&seed) * 0x1p-32 + test_random(&seed) * 0x1p-32 - 1;
        energies[i] = i % 50 ? pow(10, (middle + spread * u + 0.691) / 10) : 0;
    }
}

static const double programmes[][2] = {{-23, 0.5}, {-23, 12}, {-14, 30}, {-50, 40}, {-65, 20}, {5, 10}};

static void equals_the_gates_over_all_blocks(void)
{
    double *energies = malloc(BLOCKS * sizeof *energies);
    for (size_t p = 0; p < sizeof programmes / sizeof *programmes; p++) {
        ap_histogram *h = calloc(1, sizeof *h);
        fill(energies, BLOCKS, programmes[p][0], programmes[p][1], p + 1);
        for (size_t i = 0; i < BLOCKS; i++)
            ap_histogram_add(h, energies[i]);
        CHECK_NEAR(ap_histogram_integrated(h, 0), integrated(energies, BLOCKS), 0.01);
        CHECK_NEAR(ap_histogram_range(h), range(energies, BLOCKS), 0.02);
        free(h);
    }
    free(energies);
}

/* As if all blocks had been louder: the absolute gate lies elsewhere then. */
static void a_gain_moves_the_gate(void)
{
    double *energies = malloc(BLOCKS * sizeof *energies);
    ap_histogram *h = calloc(1, sizeof *h);
    fill(energies, BLOCKS, -75, 30, 4);
    for (size_t i = 0; i < BLOCKS; i++)
        ap_histogram_add(h, energies[i]);
    for (double gain = -20; gain <= 60; gain += 13.7) {
        double *louder = malloc(BLOCKS * sizeof *louder);
        for (size_t i = 0; i < BLOCKS; i++)
            louder[i] = energies[i] * pow(10, gain / 10);
        CHECK_NEAR(ap_histogram_integrated(h, gain), integrated(louder, BLOCKS), 0.01);
        free(louder);
    }
    free(h);
    free(energies);
}

static void joined_is_one_programme(void)
{
    double energies[200];
    ap_histogram *both = calloc(3, sizeof *both);
    fill(energies, 200, -20, 15, 8);
    for (size_t i = 0; i < 200; i++) {
        ap_histogram_add(&both[0], energies[i]);
        ap_histogram_add(&both[1 + i % 2], energies[i]);
    }
    ap_histogram_join(&both[1], &both[2]);
    CHECK_NEAR(ap_histogram_integrated(&both[1], 0), ap_histogram_integrated(&both[0], 0), 1e-9);
    CHECK_NEAR(ap_histogram_range(&both[1]), ap_histogram_range(&both[0]), 1e-9);
    free(both);
}

static void silence_passes_no_gate(void)
{
    ap_histogram *h = calloc(1, sizeof *h);
    CHECK(ap_histogram_integrated(h, 0) == -INFINITY && ap_histogram_range(h) == 0);
    ap_histogram_add(h, 0);
    ap_histogram_add(h, 1e-30);
    ap_histogram_add(h, ap_energy_of(-71));
    CHECK(ap_histogram_integrated(h, 0) == -INFINITY && ap_histogram_range(h) == 0);
    CHECK_NEAR(ap_histogram_integrated(h, 2), -69, 0.01);
    ap_histogram_add(h, 1e30); /* beyond the last class */
    CHECK_NEAR(ap_histogram_integrated(h, 0), lufs_of(1e30), 1e-6);
    free(h);
}

static void loudness_and_energy_are_inverse(void)
{
    CHECK_NEAR(ap_loudness_of(1), -0.691, 1e-12);
    for (double lufs = -120; lufs < 30; lufs += 7.3)
        CHECK_NEAR(ap_loudness_of(ap_energy_of(lufs)), lufs, 1e-9);
}

TEST_MAIN(CASE(equals_the_gates_over_all_blocks), CASE(a_gain_moves_the_gate), CASE(joined_is_one_programme),
          CASE(silence_passes_no_gate), CASE(loudness_and_energy_are_inverse))
