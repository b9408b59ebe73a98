/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * hrtf.h - a set of HRTFs made ready for one sample rate: equalised, minimum phase and delay apart. */
#ifndef AP_STAGES_SPATIAL_HRTF_H
#define AP_STAGES_SPATIAL_HRTF_H

#include "audiopipe.h"
#include "dsp/fft.h"

typedef struct ap_hrtf ap_hrtf;

/* set NULL: opens path. Filters have block + 1 taps; their spectra, of 2 * block, have block + 1 bins. */
ap_hrtf *ap_hrtf_open(const char *path, const ap_sofa *set, uint32_t rate, size_t block, ap_error *err);
/* The tables of a set stay with it, for the next one who asks for that rate and block. */
void ap_hrtf_free(ap_hrtf *h);
/* The filters of both ears for any direction, and the delays to go with them in frames; their mean over the
 * directions is about 0, and they stay within AP_HRTF_DELAY_S. hint as for ap_sphere_find. */
#define AP_HRTF_DELAY_S 1e-3
void ap_hrtf_at(ap_hrtf *h, double azimuth, double elevation, size_t *hint, const ap_split bins[2],
                double delay[2]);

#endif
