/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * convolve.h - filters that move. */
#ifndef AP_STAGES_SPATIAL_CONVOLVE_H
#define AP_STAGES_SPATIAL_CONVOLVE_H

#include "dsp/fft.h"

#include <stddef.h>

typedef struct ap_convolver ap_convolver;

/* Lines have an input and a filter each; line k is heard by ear k % 2. NULL when out of memory. */
ap_convolver *ap_convolver_new(size_t block, size_t lines);
void ap_convolver_free(ap_convolver *c);
/* Where the next block of a line goes, and the spectrum of its filter (block + 1 bins) at the end of it. */
float *ap_convolver_input(ap_convolver *c, size_t line);
ap_split ap_convolver_filter(ap_convolver *c, size_t line);
/* Adds a block of output: from the last filters, faded over to the new ones. */
void ap_convolver_run(ap_convolver *c, float *const out[2]);

#endif
