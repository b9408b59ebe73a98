/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * equalise.h - the timbre of a set. */
#ifndef AP_STAGES_SPATIAL_EQUALISE_H
#define AP_STAGES_SPATIAL_EQUALISE_H

#include "audiopipe.h"
#include "dsp/fft.h"
#include "stages/spatial/sphere.h"

/* Sets are relied on from AP_HRTF_LOW_HZ, where heads begin to matter and loudspeakers to work, to this part
 * of their Nyquist frequency, where their anti-aliasing filter begins. */
#define AP_HRTF_LOW_HZ 200
#define AP_HRTF_HIGH_PART 0.92

/* The logarithm of the gain of each bin of spectra of size; fft is of that size. false: out of memory. */
bool ap_equalise(const ap_sofa *sofa, const ap_sphere *sphere, const ap_fft *fft, size_t size, float *gain);

#endif
