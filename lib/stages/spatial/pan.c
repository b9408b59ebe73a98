/* SPDX-License-Identifier: GPL-3.0-or-later
 * pan.c - virtual speakers panned between left and right with equal power. */
#include "base/error.h"
#include "dsp/hot.h"
#include "stages/spatial/renderer.h"
#include "stages/spatial/trajectory.h"

#include <math.h>
#include <stdlib.h>

/* Gains are exact this many times per block and ramp between. */
#define RAMPS 4

typedef struct panner {
    size_t block;
} panner;

/* The quarter circle from right to left, gone through with the sine of the azimuth. */
static void gains(double azimuth, double elevation, float gain[2])
{
    double pan = (1 + sin(azimuth) * cos(elevation)) / 2;
    gain[0] = (float)sin(M_PI / 2 * pan);
    gain[1] = (float)cos(M_PI / 2 * pan);
}

AP_HOT
static void add_ramp(const float *restrict in, float *restrict out, size_t frames, float from, float to)
{
    float step = (to - from) / (float)frames;
    for (int i = 0; i < (int)frames; i++)
        out[i] += in[i] * (from + step * (float)i);
}

static void pan_render(void *state, const ap_position ends[2], const double *angle, float *const *in,
                       size_t speakers, float *const out[2])
{
    size_t frames = ((const panner *)state)->block / RAMPS;
    for (size_t s = 0; s < speakers; s++) {
        float from[2], to[2];
        gains(ends[0].azimuth + angle[s], ends[0].elevation, from);
        for (size_t r = 0; r < RAMPS; r++) {
            double part = (double)(r + 1) / RAMPS;
            gains(ends[0].azimuth + part * (ends[1].azimuth - ends[0].azimuth) + angle[s],
                  ends[0].elevation + part * (ends[1].elevation - ends[0].elevation), to);
            for (int ear = 0; ear < 2; ear++) {
                add_ramp(in[s] + r * frames, out[ear] + r * frames, frames, from[ear], to[ear]);
                from[ear] = to[ear];
            }
        }
    }
}

static void pan_response(void *state, double azimuth, double elevation, const double *hz, size_t count,
                         double complex *out[2])
{
    (void)state, (void)hz;
    float gain[2];
    gains(azimuth, elevation, gain);
    for (size_t i = 0; i < count; i++)
        out[0][i] = (double)gain[0], out[1][i] = (double)gain[1];
}

ap_renderer ap_pan_renderer(size_t block, ap_error *err)
{
    panner *p = malloc(sizeof *p);
    if (p)
        p->block = block;
    else
        ap_fail_memory(err);
    return (ap_renderer){.render = pan_render, .response = pan_response, .free = free, .state = p};
}
