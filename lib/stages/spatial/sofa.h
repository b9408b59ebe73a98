/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sofa.h - sets of head-related impulse responses. */
#ifndef AP_STAGES_SPATIAL_SOFA_H
#define AP_STAGES_SPATIAL_SOFA_H

#include "audiopipe.h"

double ap_sofa_rate(const ap_sofa *s);   /* Hz */
size_t ap_sofa_length(const ap_sofa *s); /* taps */
/* Unit vectors (x front, y left, z up), no two alike; returns how many. Owned by the set. */
size_t ap_sofa_directions(const ap_sofa *s, const double (**direction)[3]);
const float *ap_sofa_response(const ap_sofa *s, size_t direction, int ear);
/* The further delay of the response, in samples. */
double ap_sofa_delay(const ap_sofa *s, size_t direction, int ear);
/* What is made of a set can be left with it by who does not need it any more, for the next one. It begins
 * with this. */
typedef struct ap_sofa_kept {
    void (*destroy)(struct ap_sofa_kept *kept);
} ap_sofa_kept;

/* Leaves kept, which the set destroys in the end, and takes what was there; NULL: nothing. Any thread may do
 * so. */
ap_sofa_kept *ap_sofa_swap(const ap_sofa *s, ap_sofa_kept *kept);

#endif
