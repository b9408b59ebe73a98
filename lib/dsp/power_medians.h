/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * power_medians.h - the power of the slots around the current one, and its medians along time and frequency.
 */
#ifndef AP_POWER_MEDIANS_H
#define AP_POWER_MEDIANS_H

#include <stddef.h>
#include <stdint.h>

#define AP_MAX_ZONES 4

/* From the end of the zone before, or 0, to this bin, the medians along frequency have this length. */
typedef struct ap_zone {
    size_t end, length; /* bins */
} ap_zone;

typedef struct ap_power_medians ap_power_medians;

/* length: of the medians along time, slots. The last zone ends at bins; without zones there are no medians
 * along frequency. ahead: slots that are put in before slot t is asked for, ap_power_medians_ahead(length) or
 * more. NULL when out of memory. */
ap_power_medians *ap_power_medians_new(size_t bins, size_t length, const ap_zone *zones, size_t zone_count,
                                       size_t ahead);
void ap_power_medians_free(ap_power_medians *g);
/* How many slots have to be put in before slot t can be asked for. */
size_t ap_power_medians_ahead(size_t length);

/* Slots are added in order: clear makes the row of slot t zero, add adds a spectrum's power to it. */
void ap_power_medians_clear(ap_power_medians *g, uint64_t t);
void ap_power_medians_add(ap_power_medians *g, uint64_t t, const float *spectrum);
const float *ap_power_medians_row(const ap_power_medians *g, uint64_t t);

/* Finds the medians of slot t, to be called for slots 0, 1, 2...; slots as for ap_spectral's give. They are
 * valid until the next call. */
void ap_power_medians_find(ap_power_medians *g, uint64_t t, uint64_t slots, const float **along_time,
                           const float **along_frequency);

#endif
