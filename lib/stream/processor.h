/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * processor.h - the stream around a kernel that works in blocks and has latency or a tail. */
#ifndef AP_STREAM_PROCESSOR_H
#define AP_STREAM_PROCESSOR_H

#include "audiopipe.h"

typedef struct ap_processor {
    /* Reads frames * channels in, writes frames * channels out; both never overlap. */
    void (*process)(void *state, const float *in, float *out, size_t frames);
    void (*free)(void *state);
    size_t block;     /* process always gets exactly this many frames (the last block is padded with zeros);
                         0 = any number from 1 to AP_BLOCK */
    uint64_t latency; /* leading output frames to drop */
    uint64_t tail;    /* frames by which the output is longer than the input */
} ap_processor;

/* A stage of rate and length (plus tail) of its source, with channels channels of the given mask. Takes
 * source and state over, also on failure; either may be NULL (stream.h). */
ap_stream *ap_processor_stream(ap_stream *source, uint32_t channels, uint32_t mask,
                               const ap_processor *processor, void *state, ap_error *err);

#endif
