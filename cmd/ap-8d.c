/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-8d - rotating ("8D") audio: spatialize, reverb, limit. */
#include "front/filter.h"

#include <math.h>

typedef struct config {
    ap_spatialize_options spatial;
    ap_reverb_options reverb;
    ap_limit_options limit;
    int direction; /* true: clockwise */
    bool limited;
    ap_sofa *set;
} config;

#define SPATIAL(field) offsetof(config, spatial.field)
#define REVERB(field) offsetof(config, reverb.field)
#define LIMIT(field) offsetof(config, limit.field)

static const choice modes[] = {{"hrtf", AP_SPATIAL_HRTF}, {"pan", AP_SPATIAL_PAN}, {0}};
static const choice paths[] = {{"circle", AP_PATH_CIRCLE},   {"swing", AP_PATH_SWING},
                               {"figure8", AP_PATH_FIGURE8}, {"spiral", AP_PATH_SPIRAL},
                               {"random", AP_PATH_RANDOM},   {0}};
static const choice directions[] = {{"ccw", false}, {"cw", true}, {0}};

static const option_row rows[] = {
    ROW_CHOICE('m', "mode", modes, SPATIAL(mode), "binaural, for headphones, or between two speakers"),
    ROW_FILE(0, "sofa", "FILE", SPATIAL(sofa), "head-related transfer functions (default MIT KEMAR)"),
    ROW_NUMBER('p', "period", "SECONDS", SPATIAL(period_s), 0.1, 100000, "time of one turn"),
    ROW_CHOICE(0, "path", paths, SPATIAL(path), "the way around the head"),
    ROW_CHOICE(0, "direction", directions, offsetof(config, direction), "seen from above"),
    ROW_NUMBER(0, "start", "DEGREES", SPATIAL(start_deg), -360, 360, "where it begins: 0 front, 90 left"),
    ROW_NUMBER(0, "elevation", "DEGREES", SPATIAL(elevation_deg), -90, 90, "height of the path: 90 overhead"),
    ROW_NUMBER(0, "distance", "METRES", SPATIAL(distance_m), 0.1, 100, "distance of the path"),
    ROW_NUMBER(0, "width", "DEGREES", SPATIAL(width_deg), 0, 360, "angle between left and right"),
    ROW_NUMBER(0, "bass", "HZ", SPATIAL(bass_hz), 0, 1000, "what is below does not rotate; 0 = all rotates",
               .kilo = 1000),
    ROW_SEED(0, "seed", "N", SPATIAL(seed), "seed of the random path"),
    ROW_NUMBER('w', "wet", "LEVEL", REVERB(wet), 0, 1, "level of the reverberation; 0 = none"),
    ROW_NUMBER(0, "room", "SIZE", REVERB(room), 0, 1, "size of the room"),
    ROW_NUMBER(0, "damping", "AMOUNT", REVERB(damping), 0, 1, "how much the room swallows high frequencies"),
    ROW_NUMBER(0, "pre-delay", "SECONDS", REVERB(pre_delay_s), 0, 1, "delay of the reverberation"),
    ROW_NUMBER(0, "tail", "DB", REVERB(tail_db), 0, 200,
               "go on after the end until the room has faded by this"),
    ROW_NUMBER('g', "gain", "DB", LIMIT(gain_db), -60, 60, "gain before the limiter"),
    ROW_NUMBER(0, "ceiling", "DBTP", LIMIT(ceiling_dbtp), -60, 0, "the limiter's ceiling"),
    ROW_OFF(0, "no-limit", offsetof(config, limited), "no limiter"),
    {0},
};

/* A live source does not have to wait for the HRTF set. */
static bool prepare(void *cfg, ap_error *err)
{
    config *c = cfg;
    if (c->spatial.mode == AP_SPATIAL_HRTF)
        c->set = ap_sofa_open(c->spatial.sofa, err);
    return c->set || c->spatial.mode != AP_SPATIAL_HRTF;
}

static ap_stream *build(ap_stream *s, const void *cfg, ap_error *err)
{
    const config *c = cfg;
    ap_spatialize_options spatial = c->spatial;
    spatial.clockwise = c->direction;
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
    c.direction = c.spatial.clockwise;
    c.reverb.wet = 0.25;
    c.reverb.keep_loudness = true;
    const filter f = {
        .command = {"ap-8d", "[INPUT]...", "Makes music rotate around the listener's head (\"8D audio\")."},
        .rows = rows,
        .config = &c,
        .build = build,
        .prepare = prepare,
    };
    int status = filter_main(&f, argc, argv);
    ap_sofa_close(c.set);
    return status;
}
