/* SPDX-License-Identifier: GPL-3.0-or-later
 * fade.c - fades at the beginning and the end of a stream. */
#include "base/error.h"
#include "base/memory.h"
#include "dsp/curve.h"
#include "stream/gain_tags.h"
#include "stream/replay.h"
#include "stream/stream.h"

#include <math.h>
#include <stdlib.h>

#define MAX_FADE_S 1e6 /* 11 days */

typedef struct fader {
    ap_curve curve;
    uint64_t in, out; /* frames */
} fader;

/* The gain of frame at of total: a fade of n frames goes from 0 in n equal steps, so that its first frame
 * is silent, and at the end the last one. */
static double gain_at(const fader *f, uint64_t at, uint64_t total)
{
    double gain = 1;
    if (at < f->in)
        gain = ap_curve_gain(f->curve, (double)at / (double)f->in);
    if (f->out && total - 1 - at < f->out)
        gain *= ap_curve_gain(f->curve, (double)(total - 1 - at) / (double)f->out);
    return gain;
}

static ptrdiff_t fade_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    const fader *f = s->state;
    uint64_t total = s->format.frames;
    uint32_t channels = s->format.channels;
    ptrdiff_t n = ap_read(s->source, frames, max, err);
    for (size_t i = 0; n > 0 && i < (size_t)n; i++) {
        uint64_t at = s->position + i;
        if (at >= f->in && (!f->out || total - 1 - at >= f->out))
            continue;
        float gain = (float)gain_at(f, at, total);
        for (uint32_t c = 0; c < channels; c++) {
            float *x = &frames[i * channels + c];
            *x = fabsf(*x) <= AP_SANE_MAX ? *x * gain : 0;
        }
    }
    return n;
}

void ap_fade_defaults(ap_fade_options *options)
{
    *options = (ap_fade_options){.curve = AP_CURVE_QUARTER};
}

ap_stream *ap_fade(ap_stream *s, const ap_fade_options *options, ap_error *err)
{
    static const ap_stream_ops ops = {.read = fade_read, .close = free};
    ap_fade_options defaults;
    ap_fade_defaults(&defaults);
    const ap_fade_options *o = options ? options : &defaults;
    if (!s)
        return NULL;
    bool valid =
        ap_check_range("fade-in", o->in_s, 0, MAX_FADE_S, err) &&
        ap_check_range("fade-out", o->out_s, 0, MAX_FADE_S, err) &&
        ((unsigned)o->curve <= AP_CURVE_PARABOLA || ap_fail(err, AP_USAGE, "there is no such curve"));
    if (!valid)
        ap_close(&s);
    else if (o->out_s > 0 && s->format.frames == AP_UNKNOWN)
        s = ap_replay(s, NULL, NULL, err);
    if (!s)
        return NULL;
    fader *f = ap_allocate(1, sizeof *f, err);
    if (f)
        *f = (fader){o->curve, (uint64_t)llrint(o->in_s * s->format.rate),
                     (uint64_t)llrint(o->out_s * s->format.rate)};
    return ap_without_gain_tags(ap_stream_wrap(s, &ops, f, NULL, err), err);
}
