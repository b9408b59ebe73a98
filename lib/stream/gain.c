/* SPDX-License-Identifier: GPL-3.0-or-later
 * gain.c - multiplication by a constant. */
#include "base/error.h"
#include "base/memory.h"
#include "stream/gain_tags.h"
#include "stream/stream.h"

#include <math.h>
#include <stdlib.h>

static ptrdiff_t gain_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    const double *factor = s->state;
    float f = (float)*factor;
    ptrdiff_t n = ap_read(s->source, frames, max, err);
    for (size_t i = 0; n > 0 && i < (size_t)n * s->format.channels; i++)
        frames[i] *= f;
    return n;
}

ap_stream *ap_gain(ap_stream *s, double factor, ap_error *err)
{
    static const ap_stream_ops ops = {.read = gain_read, .close = free};
    if (s && !isfinite(factor)) {
        ap_fail(err, AP_USAGE, "a gain of %g makes no sense", factor);
        ap_close(&s);
    }
    if (!s)
        return NULL;
    double *state = ap_allocate(1, sizeof *state, err);
    if (state)
        *state = factor;
    s = ap_stream_wrap(s, &ops, state, NULL, err);
    return factor == 1 ? s : ap_without_gain_tags(s, err);
}
