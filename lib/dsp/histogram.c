/* SPDX-License-Identifier: GPL-3.0-or-later
 * histogram.c - energies of blocks, counted in classes of loudness, and the loudness that follows from those
 * above the gates. */
#include "dsp/histogram.h"

#include <math.h>
#include <stddef.h>

#define OFFSET_LU (-0.691)    /* loudness = this + 10 lg(energy) (BS.1770-4, annex 1) */
#define ABSOLUTE_GATE (-70.0) /* LUFS (the same) */
#define RELATIVE_GATE (-10.0) /* LU (the same) */
#define RANGE_GATE (-20.0)    /* LU (EBU Tech 3342, 3) */
#define RANGE_LOW 0.10        /* percentiles between which the range extends (the same) */
#define RANGE_HIGH 0.95       /* the same */

#define LOWEST (-130.0) /* LUFS, of the first class: a gain may raise what is below the gate */
#define PER_LU 100      /* classes of 0.01 LU */

double ap_loudness_of(double energy)
{
    return OFFSET_LU + 10 * log10(energy);
}

double ap_energy_of(double lufs)
{
    return pow(10, (lufs - OFFSET_LU) / 10);
}

void ap_histogram_add(ap_histogram *h, double energy)
{
    double place = energy > 0 ? (ap_loudness_of(energy) - LOWEST) * PER_LU : -1;
    if (place < 0)
        return;
    size_t i = place < AP_CLASSES ? (size_t)place : AP_CLASSES - 1;
    h->counts[i]++;
    h->energies[i] += energy;
}

void ap_histogram_join(ap_histogram *h, const ap_histogram *more)
{
    for (size_t i = 0; i < AP_CLASSES; i++) {
        h->counts[i] += more->counts[i];
        h->energies[i] += more->energies[i];
    }
}

/* The first class whose blocks are louder than the gate. */
static size_t first_above(const ap_histogram *h, double gate_lufs)
{
    double least = ap_energy_of(gate_lufs);
    size_t i = 0;
    while (i < AP_CLASSES && h->energies[i] <= least * (double)h->counts[i])
        i++;
    return i;
}

/* Mean energy from class number first, 0 if there is none. */
static double mean_from(const ap_histogram *h, size_t first)
{
    double sum = 0;
    uint64_t count = 0;
    for (size_t i = first; i < AP_CLASSES; i++) {
        sum += h->energies[i];
        count += h->counts[i];
    }
    return count ? sum / (double)count : 0;
}

/* The first class above both gates: the relative one counts from the mean above the absolute one. */
static size_t gate(const ap_histogram *h, double absolute, double relative)
{
    size_t first = first_above(h, absolute);
    size_t second = first_above(h, ap_loudness_of(mean_from(h, first)) + relative);
    return second > first ? second : first;
}

double ap_histogram_integrated(const ap_histogram *h, double gain_db)
{
    return ap_loudness_of(mean_from(h, gate(h, ABSOLUTE_GATE - gain_db, RELATIVE_GATE))) + gain_db;
}

/* Loudness of value number rank of those from class number first. */
static double ranked(const ap_histogram *h, size_t first, uint64_t rank)
{
    size_t i = first;
    for (uint64_t below = 0; below + h->counts[i] <= rank; i++)
        below += h->counts[i];
    return ap_loudness_of(h->energies[i] / (double)h->counts[i]);
}

double ap_histogram_range(const ap_histogram *h)
{
    size_t first = gate(h, ABSOLUTE_GATE, RANGE_GATE);
    uint64_t count = 0;
    for (size_t i = first; i < AP_CLASSES; i++)
        count += h->counts[i];
    if (count == 0)
        return 0;
    double last = (double)(count - 1);
    return ranked(h, first, (uint64_t)(last * RANGE_HIGH + 0.5)) -
           ranked(h, first, (uint64_t)(last * RANGE_LOW + 0.5));
}
