/* SPDX-License-Identifier: GPL-3.0-or-later
 * trajectory.c - where a source that moves around the listener is. */
#include "stages/spatial/trajectory.h"
#include "dsp/random.h"

#include <math.h>

#define TURN (2 * M_PI)
#define RADIANS(degrees) ((degrees) * (M_PI / 180))

/* Half an 8 reaches this high: far enough to be heard, not so far that the source leaves the front. */
#define FIGURE8_ELEVATION RADIANS(30)
#define SPIRAL_TURNS 4
#define RANDOM_ELEVATION RADIANS(30)
/* Turns between two random knots. Cubic B-splines through knots that are uniform in +-1 turn then move as
 * fast (RMS) as the circle does: sqrt(1/3 * 2/3), 2/3 being the integral of the squared derivative of the
 * spline. */
#define RANDOM_KNOT_TURNS 0.4714

/* A well mixed number for each index, without a state to carry along. */
static uint64_t mix(uint64_t x)
{
    return ap_random(&x);
}

/* Knot number index, uniform in -1..1. */
static double knot(uint64_t seed, uint64_t index)
{
    return (double)(mix(mix(seed) ^ index) >> 11) * 0x1p-52 - 1;
}

/* A smooth (twice differentiable) random curve: a uniform cubic B-spline over the knots. */
static double wander(uint64_t seed, double x)
{
    double whole = floor(x), t = x - whole, u = 1 - t;
    uint64_t i = (uint64_t)whole;
    double weight[4] = {u * u * u, (3 * t - 6) * t * t + 4, (3 * u - 6) * u * u + 4, t * t * t};
    double sum = 0;
    for (unsigned k = 0; k < 4; k++)
        sum += weight[k] / 6 * knot(seed, i + k);
    return sum;
}

static ap_position random_walk(uint64_t seed, double turns)
{
    double x = turns / RANDOM_KNOT_TURNS;
    /* The walk begins where the options say: its curve is shifted by where it begins. */
    return (ap_position){TURN * (wander(seed, x) - wander(seed, 0)), RANDOM_ELEVATION * wander(~seed, x), 1};
}

/* The distance swells to three times its least value and back. Scaled so that the mean of 1 / distance^2 is
 * 1: the mean of 1 / (2 - cos)^2 over a period is 2 / 3^(3/2). */
static double spiral_distance(double turns)
{
    return (2 - cos(TURN / SPIRAL_TURNS * turns)) * sqrt(2 / pow(3, 1.5));
}

/* The movement itself: counter-clockwise, from the front. */
static ap_position follow(const ap_spatialize_options *options, double turns)
{
    switch (options->path) {
    case AP_PATH_SWING:
        return (ap_position){M_PI / 2 * sin(TURN * turns), 0, 1};
    case AP_PATH_FIGURE8:
        return (ap_position){M_PI / 2 * sin(TURN * turns), FIGURE8_ELEVATION * sin(2 * TURN * turns), 1};
    case AP_PATH_SPIRAL:
        return (ap_position){TURN * turns, 0, spiral_distance(turns)};
    case AP_PATH_RANDOM:
        return random_walk(options->seed, turns);
    case AP_PATH_CIRCLE:
    default:
        return (ap_position){TURN * turns, 0, 1};
    }
}

ap_position ap_trajectory_at(const ap_spatialize_options *options, double seconds)
{
    ap_position p = follow(options, seconds / options->period_s);
    p.azimuth = RADIANS(options->start_deg) + (options->clockwise ? -p.azimuth : p.azimuth);
    p.elevation += RADIANS(options->elevation_deg);
    p.distance *= options->distance_m;
    return p;
}
