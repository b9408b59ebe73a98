/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stft.h - stages that work on the short-time Fourier transform of a stream. */
#ifndef AP_STFT_H
#define AP_STFT_H

#include "audiopipe.h"

/* A spectrum is bins pairs of (re, im), in rows of ap_stft_row(window) floats, a row for each channel. A
 * "frame" of the transform is called a slot here, to keep it apart from the frames of the stream: slot t is
 * centred on frame t * hop; a stream of n frames has 1 + n / hop of them, and silence around it. */
typedef struct ap_spectral {
    uint32_t window, hop; /* frames; periodic Hann; the hop is at most window / 4 */
    uint32_t pass;        /* the first channels of the source go through untouched */
    uint32_t channels;    /* of each of the groups that are made; at most source channels - pass */
    uint32_t groups;      /* signals that give makes of each slot */
    size_t ahead;         /* slots that are taken before slot t is given, as far as there are any */
    /* Looks at the spectra of the source's channels from pass on. Called for slots 0, 1, 2... */
    void (*take)(void *state, uint64_t t, const float *spectra);
    /* Writes groups * channels rows. spectra is what take was given for slot t. slots is the number of slots
     * of the whole stream once it is known, else AP_UNKNOWN; it is known if t + ahead is beyond. */
    void (*give)(void *state, uint64_t t, uint64_t slots, const float *spectra, float *made);
    void (*free)(void *state);
} ap_spectral;

/* Floats in a row of a spectrum: at least 2 * bins, and rows are aligned for SIMD. */
size_t ap_stft_row(uint32_t window);

/* A stage of the channels [pass | group 0 | group 1 | ... | remainder], where the remainder is what the
 * groups leave of the source's channels pass to pass + channels. A slot that is given as it was taken comes
 * back exactly; latency 0. Samples that are not finite count as 0. Takes source and state over,
 * also on failure; either may be NULL (stream.h). */
ap_stream *ap_stft_stream(ap_stream *source, const ap_spectral *spectral, void *state, ap_error *err);

#endif
