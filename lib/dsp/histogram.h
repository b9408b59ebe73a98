/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * histogram.h - energies of blocks (BS.1770-4: 1 = -0.691 LUFS), counted in classes of 0.01 LU. */
#ifndef AP_DSP_HISTOGRAM_H
#define AP_DSP_HISTOGRAM_H

#include <stdint.h>

#define AP_CLASSES 16000 /* from -130 to +30 LUFS */

/* How many blocks were in each class, and the sum of their energies. */
typedef struct ap_histogram {
    uint64_t counts[AP_CLASSES];
    double energies[AP_CLASSES];
} ap_histogram;

double ap_loudness_of(double energy);
double ap_energy_of(double lufs);
void ap_histogram_add(ap_histogram *h, double energy);
void ap_histogram_join(ap_histogram *h, const ap_histogram *more);
/* LUFS, gated, if all blocks were louder by gain_db; -INFINITY if none passes the gate. */
double ap_histogram_integrated(const ap_histogram *h, double gain_db);
/* LU */
double ap_histogram_range(const ap_histogram *h);

#endif
