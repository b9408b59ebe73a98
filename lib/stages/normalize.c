/* SPDX-License-Identifier: GPL-3.0-or-later
 * normalize.c - a constant gain that reaches a target. */
#include "base/error.h"
#include "stages/measure.h"
#include "stream/gain_tags.h"
#include "stream/replay.h"
#include "stream/stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOSE_ENOUGH 0.01 /* LU or dB; the promise is 0.05 */
#define PROMISE 0.05
#define MOST_PASSES 8     /* of the search for a gain through the limiter */
#define LEAST_SLOPE 0.05  /* LU per dB: with less, more gain makes it no louder */
#define FURTHEST_STEP 6.0 /* dB */

/* ---- the gain */

/* Everything that a search looks at. */
typedef struct search {
    ap_open_fn *open;
    void *user;
    size_t count;
    const ap_normalize_options *options;
    ap_meter *meter;
} search;

static double ceiling_of(const ap_normalize_options *o)
{
    return o->unit == AP_NORMALIZE_PEAK ? o->target : o->ceiling_dbtp;
}

static double peak_of(const ap_normalize_options *o, const ap_measurement *m)
{
    return o->true_peak ? m->true_peak_dbtp : m->sample_peak_dbfs;
}

static double value_of(const ap_normalize_options *o, const ap_measurement *m)
{
    switch (o->unit) {
    case AP_NORMALIZE_PEAK:
        return peak_of(o, m);
    case AP_NORMALIZE_RMS:
        return m->rms_dbfs;
    default:
        return m->integrated_lufs;
    }
}

static ap_stream *amplify(ap_stream *s, double gain_db, bool limited, const ap_normalize_options *o,
                          ap_error *err)
{
    ap_limit_options limit;
    ap_limit_defaults(&limit);
    limit.ceiling_dbtp = ceiling_of(o);
    limit.true_peak = o->true_peak;
    if (gain_db != 0)
        s = ap_gain(s, pow(10, gain_db / 20), err);
    return limited ? ap_limit(s, &limit, err) : s;
}

/* Reads the stream to its end and closes it. */
static bool drain(ap_stream *s, float *block, ap_error *err)
{
    ptrdiff_t n = s ? 1 : -1;
    while (n > 0)
        n = ap_read(s, block, AP_BLOCK, err);
    ap_close(&s);
    return n == 0;
}

static bool listen(search *h, size_t index, double gain_db, bool limited, ap_error *err)
{
    ap_stream *s = h->open(h->user, index, err);
    s = amplify(s, gain_db, limited, h->options, err);
    s = ap_measure(s, h->meter, err);
    float *block = s ? malloc(AP_BLOCK * s->format.channels * sizeof *block) : NULL;
    if (s && !block) {
        ap_fail_memory(err);
        ap_close(&s);
    }
    bool ok = drain(s, block, err);
    free(block);
    return ok;
}

/* One pass over all inputs. result is that of all together. */
static bool pass(search *h, double gain_db, bool limited, ap_measurement *result, ap_error *err)
{
    ap_meter_options meter;
    ap_meter_defaults(&meter);
    meter.dual_mono = h->options->dual_mono;
    meter.levels_only = h->options->unit != AP_NORMALIZE_LUFS;
    ap_meter_free(&h->meter);
    h->meter = ap_meter_new(&meter, err);
    bool ok = h->meter;
    for (size_t i = 0; ok && i < h->count; i++)
        ok = listen(h, i, gain_db, limited, err);
    if (ok)
        ap_meter_total(h->meter, result);
    return ok;
}

/* The gain that would do if nothing were in the way. A gain may lift blocks above the absolute gate, and so
 * change the loudness by something else than itself. */
static double wanted_gain(const search *h, double value)
{
    double gain = h->options->target - value, missing = 1;
    for (int i = 0; h->options->unit == AP_NORMALIZE_LUFS && i < 20 && fabs(missing) > 1e-6; i++) {
        missing = h->options->target - ap_meter_loudness_at(h->meter, gain);
        gain += isfinite(missing) ? missing : 0;
    }
    return gain;
}

/* What a gain without limiter leads to. */
static double value_after(const search *h, double value, double gain)
{
    return h->options->unit == AP_NORMALIZE_LUFS ? ap_meter_loudness_at(h->meter, gain) : value + gain;
}

/* Moves plan->gain_db until the target is reached after the limiter, by the secant through the last two
 * points. The first one is the gain from, where the limiter starts to work and the value is at. */
static bool search_limited(search *h, ap_normalization *plan, double from, double at, ap_error *err)
{
    double most = h->options->lower_only ? 0 : INFINITY;
    for (int i = 1;; i++) {
        ap_measurement m;
        if (!pass(h, plan->gain_db, true, &m, err))
            return false;
        plan->after = value_of(h->options, &m);
        double gain = plan->gain_db, missing = h->options->target - plan->after;
        double slope = (plan->after - at) / (gain - from);
        bool stuck = !(slope > LEAST_SLOPE) || (gain >= most && missing > 0);
        if (fabs(missing) <= CLOSE_ENOUGH || stuck || i == MOST_PASSES)
            return true;
        double step = fmax(-FURTHEST_STEP, fmin(FURTHEST_STEP, missing / slope));
        from = gain;
        at = plan->after;
        plan->gain_db = fmin(most, gain + step);
    }
}

static bool choose_gain(search *h, ap_normalization *plan, ap_error *err)
{
    const ap_normalize_options *o = h->options;
    double room = ceiling_of(o) - peak_of(o, &plan->measured), gain = wanted_gain(h, plan->before);
    plan->gain_db = o->lower_only ? fmin(gain, 0) : gain;
    plan->limited = o->limit && plan->gain_db > room && o->unit != AP_NORMALIZE_PEAK;
    double clean = fmin(plan->gain_db, room);
    plan->after = value_after(h, plan->before, clean);
    if (!plan->limited)
        plan->gain_db = clean;
    else if (!search_limited(h, plan, room, plan->after, err))
        return false;
    bool wanted = !(o->lower_only && gain > 0);
    plan->held = wanted && fabs(o->target - plan->after) > PROMISE;
    return true;
}

static void fill_warning(ap_normalization *p)
{
    static const char *const units[] = {"LUFS", "dBTP", "dBFS RMS"};
    const ap_normalize_options *o = &p->options;
    if (p->silent)
        snprintf(p->warning, sizeof p->warning, "silent: it stays as it is");
    else if (p->held)
        snprintf(p->warning, sizeof p->warning,
                 "now at %.2f %s, not at %g: a ceiling of %g dB%s allows no more%s", p->after, units[o->unit],
                 o->target, o->ceiling_dbtp, o->true_peak ? "TP" : "FS",
                 p->limited ? "" : " without a limiter");
}

static bool check_options(const ap_normalize_options *o, ap_error *err)
{
    bool loudness = o->unit == AP_NORMALIZE_LUFS;
    return ap_check_range("target", o->target, loudness ? -70 : -100, 0, err) &&
           ap_check_range("ceiling", o->ceiling_dbtp, -60, 0, err);
}

void ap_normalize_defaults(ap_normalize_options *options)
{
    /* -14 LUFS and -1 dBTP: what streaming services play at (AES TD1008, 2021, and their own pages) */
    *options = (ap_normalize_options){
        .unit = AP_NORMALIZE_LUFS, .target = -14, .ceiling_dbtp = -1, .true_peak = true};
}

bool ap_normalize_plan(ap_open_fn *open, void *user, size_t count, const ap_normalize_options *options,
                       ap_normalization *plan, ap_error *err)
{
    *plan = (ap_normalization){.inputs = count};
    ap_normalize_defaults(&plan->options);
    if (options)
        plan->options = *options;
    search h = {open, user, count, &plan->options, NULL};
    bool ok = check_options(h.options, err) && pass(&h, 0, false, &plan->measured, err);
    if (ok) {
        plan->before = plan->after = value_of(h.options, &plan->measured);
        plan->silent = !isfinite(plan->before);
        ok = plan->silent || choose_gain(&h, plan, err);
        fill_warning(plan);
    }
    ap_meter_free(&h.meter);
    return ok;
}

/* ---- the stream */

/* A stage of its own, for the warning. */
static ptrdiff_t pass_on(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    return ap_read(s->source, frames, max, err);
}

ap_stream *ap_normalize_apply(ap_stream *s, const ap_normalization *plan, ap_error *err)
{
    static const ap_stream_ops ops = {.read = pass_on};
    s = amplify(s, plan->gain_db, plan->limited, &plan->options, err);
    if (!s || !(s = ap_without_gain_tags(ap_stream_wrap(s, &ops, NULL, NULL, err), err)))
        return NULL;
    if (plan->warning[0] && plan->inputs == 1)
        ap_warn(s, "'%s' is %s", ap_stream_name(s), plan->warning);
    return s;
}

/* ---- on a replay */

static ptrdiff_t read_replay(void *user, float *frames, size_t max, ap_error *err)
{
    return ap_read(user, frames, max, err);
}

/* The replay from its first frame, in a stream that may be closed without it. */
static ap_stream *open_replay(void *user, size_t index, ap_error *err)
{
    (void)index;
    ap_stream *replay = user;
    if (!ap_replay_rewind(replay, err))
        return NULL;
    return ap_source(&replay->format, read_replay, NULL, replay, err);
}

ap_stream *ap_normalize(ap_stream *s, const ap_normalize_options *options, ap_normalization *plan,
                        ap_error *err)
{
    ap_normalization scratch = {0};
    plan = plan ? plan : &scratch;
    if (options && !check_options(options, err))
        ap_close(&s);
    if (!s || !(s = ap_replay(s, NULL, NULL, err)))
        return NULL;
    if (!ap_normalize_plan(open_replay, s, 1, options, plan, err) || !ap_replay_rewind(s, err)) {
        ap_close(&s);
        return NULL;
    }
    return ap_normalize_apply(s, plan, err);
}
