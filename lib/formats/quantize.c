/* SPDX-License-Identifier: GPL-3.0-or-later
 * quantize.c - floats to integers, with dither. */
#include "formats/quantize.h"
#include "base/error.h"
#include "dsp/random.h"

#include <math.h>
#include <stdlib.h>

struct ap_quantizer {
    uint32_t channels;
    double scale;
    bool dithering;  /* from the next frame on */
    bool may_dither; /* at the first sample that is not a number of that many bits already */
    uint64_t random[AP_MAX_CHANNELS];
};

/* The sum of two independent uniform numbers: triangular, -1 to 1, which makes both the mean and the power of
 * the error independent of the signal (Lipshitz, Wannamaker, Vanderkooy 1992). */
static double triangular(uint64_t *state)
{
    uint64_t r = ap_random(state);
    return ((double)(uint32_t)r + (double)(r >> 32) + 1) * 0x1p-32 - 1;
}

ap_quantizer *ap_quantizer_new(uint32_t channels, unsigned bits, ap_dither dither, uint64_t seed,
                               ap_error *err)
{
    ap_quantizer *q = calloc(1, sizeof *q);
    if (!q) {
        ap_fail_memory(err);
        return NULL;
    }
    q->channels = channels;
    q->scale = ldexp(1, (int)bits - 1);
    q->dithering = dither == AP_DITHER_ON;
    q->may_dither = dither == AP_DITHER_AUTO && bits <= 16;
    for (uint32_t c = 0; c < channels; c++)
        q->random[c] = ap_random(&seed);
    return q;
}

void ap_quantizer_free(ap_quantizer *q)
{
    free(q);
}

/* The first frame with a sample between two integers. Up to there the music was 16 bits and stays as it is;
 * from there on it is more than that, pauses included, and dither must not come and go. */
static size_t first_inexact(const ap_quantizer *q, const float *in, size_t frames)
{
    for (size_t i = 0; i < frames * q->channels; i++) {
        double v = in[i] * q->scale;
        if (v != rint(v))
            return i / q->channels;
    }
    return frames;
}

static int32_t to_integer(double v, double scale)
{
    v = rint(v);
    return (int32_t)(v < -scale ? -scale : v > scale - 1 ? scale - 1 : v);
}

void ap_quantize(ap_quantizer *q, const float *in, int32_t *out, size_t frames)
{
    size_t plain = q->dithering ? 0 : q->may_dither ? first_inexact(q, in, frames) : frames;
    q->dithering |= plain < frames;
    for (size_t i = 0; i < plain * q->channels; i++)
        out[i] = to_integer(in[i] * q->scale, q->scale);
    for (size_t i = plain; i < frames; i++)
        for (size_t c = 0; c < q->channels; c++) {
            size_t k = i * q->channels + c;
            out[k] = to_integer(in[k] * q->scale + triangular(&q->random[c]), q->scale);
        }
}
