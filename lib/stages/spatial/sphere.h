/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sphere.h - triangles between directions. */
#ifndef AP_STAGES_SPATIAL_SPHERE_H
#define AP_STAGES_SPATIAL_SPHERE_H

#include <stddef.h>

typedef struct ap_sphere ap_sphere;

/* The measured directions around another one: at most three, their weights add up to 1. */
typedef struct ap_corners {
    size_t count;
    size_t index[3];
    double weight[3];
} ap_corners;

/* Unit vectors. NULL when out of memory. */
ap_sphere *ap_sphere_new(const double (*direction)[3], size_t count);
void ap_sphere_free(ap_sphere *s);
/* hint: any number at first, then what was left there for a direction nearby. */
void ap_sphere_find(const ap_sphere *s, const double direction[3], size_t *hint, ap_corners *out);
/* The part of the sphere that each direction stands for, in any unit. */
void ap_sphere_areas(const ap_sphere *s, double *area);

#endif
