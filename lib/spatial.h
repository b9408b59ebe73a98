/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * spatial.h - what the files of the spatialize stage share with each other, grouped by the file that
 * implements it. Azimuths are radians counter-clockwise from the front, elevations radians upwards.
 */
#ifndef AP_SPATIAL_H
#define AP_SPATIAL_H

#include "internal.h"

#include <complex.h>

/* ---- path.c: where a moving source is */

typedef struct ap_place {
    double azimuth, elevation; /* not wrapped: they never jump */
    double distance;           /* metres */
} ap_place;

/* A pure, smooth function of the time; the options are taken to be in range. */
ap_place ap_path_at(const ap_spatialize_options *options, double seconds);

/* ---- crossover.c: two bands of two channels, Linkwitz-Riley of the 4th order */

typedef struct ap_crossover {
    bool on;
    double a1, a2, b;                   /* Butterworth: denominator; numerator b * (1 + z^-1)^2 */
    double low_pass[2][4], all_pass[4]; /* states */
} ap_crossover;

/* hz = 0: everything is the high band. */
void ap_crossover_init(ap_crossover *x, double hz, double rate);
/* low + high is the input through an all-pass. high may be in. */
void ap_crossover_run(ap_crossover *x, float *const in[2], float *const low[2], float *const high[2],
                      size_t frames);

/* ---- renderers: virtual speakers around the listener to two ears */

#define AP_SPEAKERS_MAX 11

typedef struct ap_renderer {
    /* Adds the speakers to the ears. The group moves from path[0] to path[1] within the block; speaker k
     * stands angle[k] counter-clockwise of the group. */
    void (*render)(void *state, const ap_place path[2], const double *angle, float *const *in,
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

/* pan.c: equal power between left and right */
ap_renderer ap_pan_renderer(size_t block);

/* binaural.c: HRTF. Loads the set at path, NULL = the default; state is NULL on failure. */
ap_renderer ap_binaural_renderer(const char *path, uint32_t rate, size_t block, size_t speakers,
                                 ap_error *err);

/* ---- speakers.c: which channel stands where, and how loud it has to be */

typedef struct ap_speakers {
    size_t count; /* channels */
    double angle[AP_SPEAKERS_MAX];
    size_t mirror[AP_SPEAKERS_MAX]; /* the channel on the other side, else itself */
    bool turns[AP_SPEAKERS_MAX];    /* false: LFE */
    float bass[AP_SPEAKERS_MAX][2]; /* to the left and the right ear */
    float same[AP_SPEAKERS_MAX];    /* high band: channel c becomes same[c] * c + other[c] * mirror[c] */
    float other[AP_SPEAKERS_MAX];
} ap_speakers;

/* false for a mask with speakers overhead and for one without places. width is in degrees. */
bool ap_speakers_place(ap_speakers *s, const ap_format *format, double width_deg, ap_error *err);
/* Sets same and other so that what is equal in the two channels of a pair, and what is opposite, each keep
 * their loudness, averaged over the path. */
void ap_speakers_balance(ap_speakers *s, const ap_spatialize_options *options, const ap_renderer *renderer,
                         uint32_t rate);

#endif
