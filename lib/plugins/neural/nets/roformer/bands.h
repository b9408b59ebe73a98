/* SPDX-License-Identifier: GPL-3.0-or-later
 * bands.h - the bands that a spectrum is taken apart into. */
#ifndef NN_ROFORMER_BANDS_H
#define NN_ROFORMER_BANDS_H

#include "plugins/neural/files/checkpoint.h"

#define NN_MAX_BANDS 1024

/* Bins from[b]..from[b] + count[b] of a band; those of Mel overlap. */
typedef struct nn_bands {
    int number, from[NN_MAX_BANDS], count[NN_MAX_BANDS];
} nn_bands;

/* freqs_per_bands, one after the other; NULL: the list that the original has. */
bool nn_bands_of_list(nn_bands *bands, const cJSON *list, int bins, const char *name, ap_error *err);
/* Triangles at equal distances on Slaney's scale (his Auditory Toolbox, 1998), as librosa.filters.mel has
 * them. */
bool nn_bands_of_mel(nn_bands *bands, int number, int nfft, int rate, const char *name, ap_error *err);

#endif
