/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * spatial.h - what the files of the spatialize stage share with each other, grouped by the file that
 * implements it. Azimuths are radians counter-clockwise from the front, elevations radians upwards.
 */
#ifndef AP_SPATIAL_H
#define AP_SPATIAL_H

#include "fft.h"
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

/* ---- sofa.c: sets of head-related impulse responses */

double ap_sofa_rate(const ap_sofa *s);   /* Hz */
size_t ap_sofa_length(const ap_sofa *s); /* taps */
/* Unit vectors (x front, y left, z up), no two alike; returns how many. Owned by the set. */
size_t ap_sofa_directions(const ap_sofa *s, const double (**direction)[3]);
const float *ap_sofa_response(const ap_sofa *s, size_t direction, int ear);
/* By how many samples the response has to be delayed besides. */
double ap_sofa_delay(const ap_sofa *s, size_t direction, int ear);

/* ---- sphere.c: triangles between directions */

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

/* ---- equalise.c: the timbre of a set */

/* Sets are relied on from AP_HRTF_LOW_HZ, where heads begin to matter and loudspeakers to work, to this part
 * of their Nyquist frequency, where their anti-aliasing filter begins. */
#define AP_HRTF_LOW_HZ 200
#define AP_HRTF_HIGH_PART 0.92

/* The logarithm of the gain of each bin of spectra of size; fft is of that size. false: out of memory. */
bool ap_equalise(const ap_sofa *sofa, const ap_sphere *sphere, const ap_fft *fft, size_t size, float *gain);

/* ---- hrtf.c: a set of HRTFs made ready for one sample rate: equalised, minimum phase and delay apart */

typedef struct ap_hrtf ap_hrtf;

/* set NULL: opens path. Filters have block + 1 taps; their spectra, of 2 * block, have block + 1 bins. */
ap_hrtf *ap_hrtf_open(const char *path, const ap_sofa *set, uint32_t rate, size_t block, ap_error *err);
void ap_hrtf_free(ap_hrtf *h);
/* The filters of both ears for any direction, and the delays to go with them in frames; their mean over the
 * directions is about 0, and they stay within AP_HRTF_DELAY_S. hint as for ap_sphere_find. */
#define AP_HRTF_DELAY_S 1e-3
void ap_hrtf_at(ap_hrtf *h, double azimuth, double elevation, size_t *hint, float complex *const bins[2],
                double delay[2]);

/* ---- delay.c: fractional delays that move */

/* The coefficients, AP_DELAY_TAPS for each phase; to be freed by free(). NULL when out of memory. */
#define AP_DELAY_TAPS 32
float *ap_delay_table(void);
/* in[0] is the first frame, with its past at negative indices. The delay goes from from to to, which are at
 * least AP_DELAY_TAPS / 2 and differ by less than half of the frames; frames is a multiple of 16. The past
 * reaches back by the delay and AP_DELAY_TAPS / 2 more. */
void ap_delay_run(const float *table, const float *in, double from, double to, float *out, size_t frames);

/* ---- convolve.c: filters that move */

typedef struct ap_convolver ap_convolver;

/* Lines have an input and a filter each; line k is heard by ear k % 2. NULL when out of memory. */
ap_convolver *ap_convolver_new(size_t block, size_t lines);
void ap_convolver_free(ap_convolver *c);
/* Where the next block of a line goes, and the spectrum of its filter (block + 1 bins) at the end of it. */
float *ap_convolver_input(ap_convolver *c, size_t line);
float complex *ap_convolver_filter(ap_convolver *c, size_t line);
/* Adds a block of output: from the last filters, faded over to the new ones. */
void ap_convolver_run(ap_convolver *c, float *const out[2]);

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

/* Both return a renderer whose state is NULL on failure. */

/* pan.c: equal power between left and right */
ap_renderer ap_pan_renderer(size_t block, ap_error *err);

/* binaural.c: HRTF. Loads the set at path, NULL = the default. */
ap_renderer ap_binaural_renderer(const char *path, const ap_sofa *set, uint32_t rate, size_t block,
                                 size_t speakers, ap_error *err);

/* ---- speakers.c: which channel stands where */

typedef struct ap_speakers {
    size_t count; /* channels */
    double angle[AP_SPEAKERS_MAX];
    size_t mirror[AP_SPEAKERS_MAX]; /* the channel on the other side, else itself */
    bool turns[AP_SPEAKERS_MAX];    /* false: LFE */
    float bass[AP_SPEAKERS_MAX][2]; /* to the left and the right ear */
} ap_speakers;

/* false for a mask with speakers overhead and for one without places. width is in degrees. */
bool ap_speakers_place(ap_speakers *s, const ap_format *format, double width_deg, ap_error *err);

/* ---- balance.c: how loud each channel has to be */

typedef struct ap_shelf {
    float low, high; /* gains */
    double state;
} ap_shelf;

typedef struct ap_balance {
    const ap_speakers *speakers;
    double pole;
    ap_shelf mid[AP_SPEAKERS_MAX]; /* of pairs, at their first channel; also of channels without a mirror */
    ap_shelf side[AP_SPEAKERS_MAX];
} ap_balance;

/* Keeps speakers. What is equal in the two channels of a pair, and what is opposite, will each have its
 * loudness at the ears, averaged over the path. */
void ap_balance_init(ap_balance *b, const ap_speakers *speakers, const ap_spatialize_options *options,
                     const ap_renderer *renderer, uint32_t rate);
/* In place. */
void ap_balance_run(ap_balance *b, float *const *plane, size_t frames);

#endif
