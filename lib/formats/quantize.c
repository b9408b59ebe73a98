/* SPDX-License-Identifier: GPL-3.0-or-later
 * quantize.c - floats to integers, with dither. */
#include "formats/quantize.h"
#include "base/error.h"
#include "dsp/hot.h"
#include "dsp/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Frames that are dithered at once. */
#define CHUNK 64

struct ap_quantizer {
    uint32_t channels;
    double scale;
    bool dithering;   /* from the next frame on */
    bool may_dither;  /* at the first sample that is not a number of that many bits already */
    uint64_t state[]; /* of the random numbers of the next CHUNK frames: each channel has a sequence */
};

/* The sum of two independent uniform numbers: triangular, -1 to 1, which makes both the mean and the power of
 * the error independent of the signal (Lipshitz, Wannamaker, Vanderkooy 1992). The sum has 33 bits, which are
 * put where a double has its last ones: no processor before AVX-512 converts such integers side by side. */
static inline double triangular(uint64_t state)
{
    const uint64_t r = ap_random_at(state), two_52 = 0x4330000000000000u;
    const uint64_t bits = two_52 | ((r & UINT32_MAX) + (r >> 32) + 1);
    double sum;
    memcpy(&sum, &bits, sizeof sum);
    return (sum - 0x1p52) * 0x1p-32 - 1;
}

ap_quantizer *ap_quantizer_new(uint32_t channels, unsigned bits, ap_dither dither, uint64_t seed,
                               ap_error *err)
{
    ap_quantizer *q = calloc(1, sizeof *q + (size_t)CHUNK * channels * sizeof *q->state);
    if (!q) {
        ap_fail_memory(err);
        return NULL;
    }
    q->channels = channels;
    q->scale = ldexp(1, (int)bits - 1);
    q->dithering = dither == AP_DITHER_ON;
    q->may_dither = dither == AP_DITHER_AUTO && bits <= 16;
    for (uint32_t c = 0; c < channels; c++)
        q->state[c] = ap_random(&seed) + AP_RANDOM_STEP;
    for (size_t k = channels; k < (size_t)CHUNK * channels; k++)
        q->state[k] = q->state[k - channels] + AP_RANDOM_STEP;
    return q;
}

void ap_quantizer_free(ap_quantizer *q)
{
    free(q);
}

AP_HOT
static size_t count_inexact(const float *in, double scale, size_t count)
{
    uint64_t inexact = 0;
    for (size_t i = 0; i < count; i++)
        inexact += in[i] * scale != rint(in[i] * scale);
    return inexact;
}

/* The first frame with a sample between two integers. Up to there the music was 16 bits and stays as it is;
 * from there on it is more than that, pauses included, and dither must not come and go. */
static size_t first_inexact(const ap_quantizer *q, const float *in, size_t frames)
{
    size_t i = 0, count = frames * q->channels;
    while (i + CHUNK <= count && !count_inexact(in + i, q->scale, CHUNK))
        i += CHUNK;
    for (; i < count; i++)
        if (count_inexact(in + i, q->scale, 1))
            return i / q->channels;
    return frames;
}

static inline int32_t to_integer(double v, double scale)
{
    v = rint(v);
    return (int32_t)(v < -scale ? -scale : v > scale - 1 ? scale - 1 : v);
}

AP_HOT
static void round_all(const float *in, double scale, int32_t *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = to_integer(in[i] * scale, scale);
}

AP_HOT
static void dither_all(const float *in, double scale, const uint64_t *state, int32_t *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = to_integer(in[i] * scale + triangular(state[i]), scale);
}

AP_HOT
static void dither(ap_quantizer *q, const float *in, int32_t *out, size_t frames)
{
    for (size_t n; frames; frames -= n, in += n * q->channels, out += n * q->channels) {
        n = frames < CHUNK ? frames : CHUNK;
        dither_all(in, q->scale, q->state, out, n * q->channels);
        for (size_t k = 0; k < (size_t)CHUNK * q->channels; k++)
            q->state[k] += n * AP_RANDOM_STEP;
    }
}

void ap_quantize(ap_quantizer *q, const float *in, int32_t *out, size_t frames)
{
    size_t plain = q->dithering ? 0 : q->may_dither ? first_inexact(q, in, frames) : frames;
    q->dithering |= plain < frames;
    round_all(in, q->scale, out, plain * q->channels);
    dither(q, in + plain * q->channels, out + plain * q->channels, frames - plain);
}
