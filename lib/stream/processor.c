/* SPDX-License-Identifier: GPL-3.0-or-later
 * processor.c - the stream around a kernel: blocks, latency compensation, tail. */
#include "stream/processor.h"
#include "base/memory.h"
#include "dsp/denormals.h"
#include "stream/stream.h"

#include <stdlib.h>
#include <string.h>

typedef struct wrapper {
    ap_processor processor;
    void *state;
    float *in, *out;
    size_t block;            /* size of in and out, frames */
    size_t out_at, out_have; /* what is left in out */
    uint64_t taken, given;   /* frames from the source; frames returned */
    uint64_t to_drop;        /* what is left of the latency */
    bool source_ended;
    float memory[]; /* of in and out */
} wrapper;

/* Without its state. */
static wrapper *wrapper_new(const ap_processor *processor, size_t from, size_t to, ap_error *err)
{
    size_t block = processor->block ? processor->block : AP_BLOCK;
    wrapper *w = ap_allocate(1, sizeof *w + block * (from + to) * sizeof *w->memory, err);
    if (w)
        *w = (wrapper){.processor = *processor,
                       .in = w->memory,
                       .out = w->memory + block * from,
                       .block = block,
                       .to_drop = processor->latency};
    return w;
}

static void wrapper_close(void *state)
{
    wrapper *w = state;
    if (w->processor.free)
        w->processor.free(w->state);
    free(w);
}

/* Takes the next block from the source into w->in, zero-padded after its end. Returns its length, -1 on
 * error. */
static ptrdiff_t take_block(ap_stream *s, wrapper *w, ap_error *err)
{
    uint32_t channels = s->source->format.channels;
    size_t have = 0;
    if (!w->source_ended) {
        ptrdiff_t n = w->processor.block ? ap_read_full(s->source, w->in, w->block, err)
                                         : ap_read(s->source, w->in, w->block, err);
        if (n < 0)
            return -1;
        have = (size_t)n;
        ap_sanitize(w->in, have * channels); /* a filter with feedback would never get rid of a NaN */
        w->taken += have;
        w->source_ended = n == 0 || (w->processor.block && have < w->block);
    }
    if (!w->source_ended && !w->processor.block)
        return (ptrdiff_t)have;
    memset(w->in + have * channels, 0, (w->block - have) * channels * sizeof *w->in);
    return (ptrdiff_t)w->block;
}

static void process(const wrapper *w, size_t frames)
{
    unsigned saved = ap_ignore_denormals();
    w->processor.process(w->state, w->in, w->out, frames);
    ap_restore_denormals(saved);
}

/* Runs the kernel once and drops what is left of the latency from its output. */
static bool refill(ap_stream *s, wrapper *w, ap_error *err)
{
    ptrdiff_t n = take_block(s, w, err);
    if (n < 0)
        return false;
    process(w, (size_t)n);
    uint64_t drop = w->to_drop < (uint64_t)n ? w->to_drop : (uint64_t)n;
    w->to_drop -= drop;
    w->out_at = (size_t)drop;
    w->out_have = (size_t)n - (size_t)drop;
    return true;
}

/* Frames still to be given; a stream without frames has no tail either. */
static uint64_t frames_left(const wrapper *w)
{
    if (!w->source_ended)
        return AP_UNKNOWN;
    return w->taken ? ap_frames_add(w->taken, w->processor.tail) - w->given : 0;
}

static ptrdiff_t wrapper_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    wrapper *w = s->state;
    while (w->out_have == 0 && frames_left(w) > 0)
        if (!refill(s, w, err))
            return -1;
    size_t n = w->out_have < max ? w->out_have : max;
    if (n > frames_left(w))
        n = (size_t)frames_left(w);
    memcpy(frames, w->out + w->out_at * s->format.channels, n * s->format.channels * sizeof *frames);
    w->out_at += n;
    w->out_have -= n;
    w->given += n;
    return (ptrdiff_t)n;
}

ap_stream *ap_processor_stream(ap_stream *source, uint32_t channels, uint32_t mask,
                               const ap_processor *processor, void *state, ap_error *err)
{
    static const ap_stream_ops ops = {.read = wrapper_read, .close = wrapper_close};
    wrapper *w = source && (state || !processor->free)
                     ? wrapper_new(processor, source->format.channels, channels, err)
                     : NULL;
    if (w)
        w->state = state;
    else if (state && processor->free)
        processor->free(state);
    if (!source)
        return NULL;
    uint64_t frames = source->format.frames ? ap_frames_add(source->format.frames, processor->tail) : 0;
    ap_format format = {source->format.rate, channels, mask, frames};
    return ap_stream_wrap(source, &ops, w, &format, err);
}
