/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * centre.h - how much of the spectra of a stereo signal lies in the middle between the speakers. */
#ifndef AP_CENTRE_H
#define AP_CENTRE_H

#include <stddef.h>
#include <stdint.h>

typedef struct ap_centre ap_centre;

/* How many slots have to be put in before slot t can be asked for. */
#define AP_CENTRE_AHEAD 2

/* ahead: slots that are put in before slot t is asked for, AP_CENTRE_AHEAD or more. NULL when out of memory.
 */
ap_centre *ap_centre_new(size_t bins, size_t ahead);
void ap_centre_free(ap_centre *c);

/* Puts the spectra of slot t in, bins pairs of (re, im) each, for slots 0, 1, 2... */
void ap_centre_add(ap_centre *c, uint64_t t, const float *left, const float *right);

/* For each bin, 2 |LR*| / (|L|^2 + |R|^2) of what is in phase, over 5 slots and 5 bins around: 1 where both
 * channels are the same, 0 where they have nothing in common or are opposite. slots as for ap_spectral's
 * give. */
void ap_centre_share(const ap_centre *c, uint64_t t, uint64_t slots, float *share);

#endif
