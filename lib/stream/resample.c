/* SPDX-License-Identifier: GPL-3.0-or-later
 * resample.c - sample rate conversion by libsoxr. */
#include "base/error.h"
#include "base/memory.h"
#include "stream/stream.h"

#include <soxr.h>
#include <stdlib.h>
#include <string.h>

typedef struct resampler {
    soxr_t soxr;
    ap_stream *source;
    uint64_t taken; /* frames from the source */
    bool source_ended;
    bool failed;
    ap_error error; /* why the source failed, to be passed on */
    uint32_t from, to;
    float in[]; /* AP_BLOCK frames for libsoxr to take */
} resampler;

static void resample_close(void *state)
{
    resampler *r = state;
    soxr_delete(r->soxr);
    free(r);
}

/* ceil(frames * to / from), AP_UNKNOWN when that is too large. */
static uint64_t scaled_length(uint64_t frames, uint32_t from, uint32_t to)
{
    if (frames == AP_UNKNOWN)
        return AP_UNKNOWN;
    unsigned __int128 n = ((unsigned __int128)frames * to + from - 1) / from;
    return n < AP_UNKNOWN ? (uint64_t)n : AP_UNKNOWN;
}

/* libsoxr asks for input. */
static size_t feed(void *user, soxr_in_t *data, size_t max)
{
    resampler *r = user;
    ptrdiff_t n = r->failed ? -1 : ap_read(r->source, r->in, max < AP_BLOCK ? max : AP_BLOCK, &r->error);
    r->failed = n < 0;
    r->source_ended = n <= 0;
    *data = n < 0 ? NULL : r->in; /* NULL: an error, as opposed to the end */
    r->taken += n > 0 ? (uint64_t)n : 0;
    ap_sanitize(r->in, n > 0 ? (size_t)n * r->source->format.channels : 0);
    return n > 0 ? (size_t)n : 0;
}

/* Frames that may still come out: libsoxr's own count is sometimes one off. */
static size_t allowed(const ap_stream *s, const resampler *r, size_t max)
{
    if (!r->source_ended)
        return max;
    uint64_t left = scaled_length(r->taken, r->from, r->to) - s->position;
    return left < max ? (size_t)left : max;
}

static ptrdiff_t resample_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    resampler *r = s->state;
    size_t n = allowed(s, r, max);
    if (n == 0)
        return 0;
    size_t got = soxr_output(r->soxr, frames, n);
    if (r->failed) {
        *err = r->error;
        return -1;
    }
    if (soxr_error(r->soxr)) {
        ap_fail(err, AP_FAILED, "cannot resample: %s", soxr_strerror(soxr_error(r->soxr)));
        return -1;
    }
    n = allowed(s, r, n);
    if (got < n && r->source_ended) {
        memset(frames + got * s->format.channels, 0, (n - got) * s->format.channels * sizeof *frames);
        got = n;
    }
    return (ptrdiff_t)(got < n ? got : n);
}

static resampler *resampler_new(ap_stream *s, uint32_t rate, ap_error *err)
{
    uint32_t channels = s->format.channels;
    if (!ap_check_range("sample rate", rate, AP_MIN_RATE, AP_MAX_RATE, err))
        return NULL;
    resampler *r = ap_allocate(1, sizeof *r + AP_BLOCK * channels * sizeof *r->in, err);
    if (!r)
        return NULL;
    *r = (resampler){.source = s, .from = s->format.rate, .to = rate};
    soxr_error_t problem = NULL;
    soxr_quality_spec_t quality = soxr_quality_spec(SOXR_VHQ, 0);
    r->soxr = soxr_create(r->from, r->to, channels, &problem, NULL, &quality, NULL);
    if (!problem)
        problem = soxr_set_input_fn(r->soxr, feed, r, AP_BLOCK);
    if (!problem)
        return r;
    ap_fail(err, AP_FAILED, "cannot resample: %s", problem);
    resample_close(r);
    return NULL;
}

ap_stream *ap_resample(ap_stream *s, uint32_t rate, ap_error *err)
{
    static const ap_stream_ops ops = {.read = resample_read, .close = resample_close};
    if (!s || s->format.rate == rate)
        return s;
    ap_format format = s->format;
    format.rate = rate;
    format.frames = scaled_length(format.frames, s->format.rate, rate);
    return ap_stream_wrap(s, &ops, resampler_new(s, rate, err), &format, err);
}
