/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-8d - rotating ("8D") audio: spatialize, reverb, limit. */
#include "front/filter.h"

#include <math.h>

typedef struct config {
    ap_spatialize_options spatial;
    ap_reverb_options reverb;
    ap_limit_options limit;
    int mode, path, direction;
    bool limited;
    ap_sofa *set;
} config;

#define SPATIAL(field) offsetof(config, spatial.field)
#define REVERB(field) offsetof(config, reverb.field)
#define LIMIT(field) offsetof(config, limit.field)

static const option_row rows[] = {
    {'m', "mode", OPTION_CHOICE, NULL, offsetof(config, mode),
     "binaural, for headphones, or between two speakers", 0, 0, "hrtf|pan", NULL, false},
    {0, "sofa", OPTION_TEXT, "FILE", SPATIAL(sofa), "head-related transfer functions (default MIT KEMAR)"},
    {'p', "period", OPTION_NUMBER, "SECONDS", SPATIAL(period_s), "time of one turn", 0.1, 100000},
    {0, "path", OPTION_CHOICE, NULL, offsetof(config, path), "the way around the head", 0, 0,
     "circle|swing|figure8|spiral|random", NULL, false},
    {0, "direction", OPTION_CHOICE, NULL, offsetof(config, direction), "seen from above", 0, 0, "ccw|cw",
     NULL, false},
    {0, "start", OPTION_NUMBER, "DEGREES", SPATIAL(start_deg), "where it begins: 0 front, 90 left", -360,
     360},
    {0, "elevation", OPTION_NUMBER, "DEGREES", SPATIAL(elevation_deg), "height of the path: 90 overhead", -90,
     90},
    {0, "distance", OPTION_NUMBER, "METRES", SPATIAL(distance_m), "distance of the path", 0.1, 100},
    {0, "width", OPTION_NUMBER, "DEGREES", SPATIAL(width_deg), "angle between left and right", 0, 360},
    {0, "bass", OPTION_NUMBER, "HZ", SPATIAL(bass_hz), "what is below does not rotate; 0 = all rotates", 0,
     1000},
    {0, "seed", OPTION_SEED, "N", SPATIAL(seed), "seed of the random path"},
    {'w', "wet", OPTION_NUMBER, "LEVEL", REVERB(wet), "level of the reverberation; 0 = none", 0, 1},
    {0, "room", OPTION_NUMBER, "SIZE", REVERB(room), "size of the room", 0, 1},
    {0, "damping", OPTION_NUMBER, "AMOUNT", REVERB(damping), "how much the room swallows high frequencies", 0,
     1},
    {0, "pre-delay", OPTION_NUMBER, "SECONDS", REVERB(pre_delay_s), "delay of the reverberation", 0, 1},
    {0, "tail", OPTION_NUMBER, "DB", REVERB(tail_db), "go on after the end until the room has faded by this",
     0, 200},
    {'g', "gain", OPTION_NUMBER, "DB", LIMIT(gain_db), "gain before the limiter", -60, 60},
    {0, "ceiling", OPTION_NUMBER, "DBTP", LIMIT(ceiling_dbtp), "the limiter's ceiling", -60, 0},
    {0, "no-limit", OPTION_OFF, NULL, offsetof(config, limited), "no limiter"},
    {0},
};

/* A live source does not have to wait for the HRTF set. */
static bool prepare(void *cfg, ap_error *err)
{
    config *c = cfg;
    if (c->mode == AP_SPATIAL_HRTF)
        c->set = ap_sofa_open(c->spatial.sofa, err);
    return c->set || c->mode != AP_SPATIAL_HRTF;
}

static ap_stream *build(ap_stream *s, const void *cfg, ap_error *err)
{
    const config *c = cfg;
    ap_spatialize_options spatial = c->spatial;
    spatial.mode = (ap_spatial_mode)c->mode;
    spatial.path = (ap_path)c->path;
    spatial.clockwise = c->direction == 1;
    spatial.set = c->set;
    s = ap_spatialize(s, &spatial, err);
    if (c->reverb.wet > 0)
        s = ap_reverb(s, &c->reverb, err);
    if (c->limited)
        return ap_limit(s, &c->limit, err);
    return c->limit.gain_db != 0 ? ap_gain(s, pow(10, c->limit.gain_db / 20), err) : s;
}

int main(int argc, char **argv)
{
    config c = {.limited = true};
    ap_spatialize_defaults(&c.spatial);
    ap_reverb_defaults(&c.reverb);
    ap_limit_defaults(&c.limit);
    c.mode = c.spatial.mode;
    c.path = c.spatial.path;
    c.direction = c.spatial.clockwise;
    c.reverb.wet = 0.25;
    c.reverb.keep_loudness = true;
    const filter f = {
        .command = {"ap-8d", "[INPUT]", "Makes music rotate around the listener's head (\"8D audio\")."},
        .rows = rows,
        .config = &c,
        .build = build,
        .prepare = prepare,
    };
    int status = filter_main(&f, argc, argv);
    ap_sofa_close(c.set);
    return status;
}
