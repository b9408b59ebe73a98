/* SPDX-License-Identifier: GPL-3.0-or-later
 * combine.c - sums of stems. */
#include "stream/combine.h"
#include "base/memory.h"
#include "stream/processor.h"
#include "stream/stream.h"

#include <stdlib.h>
#include <string.h>

typedef struct combiner {
    uint32_t channels, from, to; /* from, to: numbers of stems */
    float gains[];               /* [to][from] */
} combiner;

static void add_stem(const combiner *c, const float *in, float *out, float gain, size_t frames)
{
    for (size_t i = 0; i < frames; i++, in += c->from * c->channels, out += c->to * c->channels)
        for (uint32_t k = 0; k < c->channels; k++)
            out[k] += gain * in[k];
}

static void combine(void *state, const float *in, float *out, size_t frames)
{
    const combiner *c = state;
    memset(out, 0, frames * c->to * c->channels * sizeof *out);
    for (uint32_t to = 0; to < c->to; to++)
        for (uint32_t from = 0; from < c->from; from++)
            if (c->gains[to * c->from + from] != 0)
                add_stem(c, in + from * c->channels, out + to * c->channels, c->gains[to * c->from + from],
                         frames);
}

ap_stream *ap_combine(ap_stream *s, uint32_t channels, uint32_t mask, const float *gains, uint32_t count,
                      ap_error *err)
{
    if (!s)
        return NULL;
    uint32_t from = s->format.channels / channels;
    combiner *c = ap_allocate(1, sizeof *c + count * from * sizeof *c->gains, err);
    if (c) {
        *c = (combiner){channels, from, count};
        memcpy(c->gains, gains, count * from * sizeof *gains);
    }
    ap_processor processor = {.process = combine, .free = free};
    return ap_processor_stream(s, count * channels, count == 1 ? mask : 0, &processor, c, err);
}
