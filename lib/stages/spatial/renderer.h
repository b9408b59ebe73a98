/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * renderer.h - virtual speakers around the listener to two ears. */
#ifndef AP_STAGES_SPATIAL_RENDERER_H
#define AP_STAGES_SPATIAL_RENDERER_H

#include "stages/spatial/trajectory.h"

#include <complex.h>

typedef struct ap_renderer {
    /* Adds the speakers to the ears. The group moves from ends[0] to ends[1] within the block; speaker k
     * stands angle[k] counter-clockwise of the group. */
    void (*render)(void *state, const ap_position ends[2], const double *angle, float *const *in,
                   size_t speakers, float *const out[2]);
    /* The response at both ears to a speaker, at some frequencies. */
    void (*response)(void *state, double azimuth, double elevation, const double *hz, size_t count,
                     double complex *out[2]);
    void (*free)(void *state);
    void *state;
    size_t latency, tail; /* frames */
} ap_renderer;

/* Frames in a block: about 12 ms, a power of two. */
size_t ap_spatial_block(uint32_t rate);

/* Both return a renderer whose state is NULL on failure. */

/* pan.c: equal power between left and right */
ap_renderer ap_pan_renderer(size_t block, ap_error *err);

/* binaural.c: HRTF. Loads the set at path, NULL = the default. */
ap_renderer ap_binaural_renderer(const char *path, const ap_sofa *set, uint32_t rate, size_t block,
                                 size_t speakers, ap_error *err);

#endif
