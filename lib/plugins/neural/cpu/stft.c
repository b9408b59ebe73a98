/* SPDX-License-Identifier: GPL-3.0-or-later
 * stft.c - the centred spectrum with any hop and any even length, and its inverse. */
#include "dsp/fft.h"
#include "plugins/neural/cpu/native.h"
#include "plugins/neural/tensor/backend.h"
#include "plugins/neural/tensor/tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES 16 /* of a piece of work: lines of that many floats are written at a time */

/* Transforms of one length with their window; threads have their own arrays. */
typedef struct plan {
    ap_fft *fft;
    float *window, *frames; /* [n], [threads][n] */
    float complex *bins;    /* [threads][bins] */
    size_t n, count, frame_size, bins_size;
} plan;

static void plan_free(plan *p)
{
    ap_fft_free(p->fft);
    free(p->window);
    free(p->frames);
    free(p->bins);
}

static bool plan_new(plan *p, size_t n, nn_engine *engine)
{
    const size_t threads = (size_t)engine->threads;
    *p = (plan){.n = n, .count = n / 2 + 1};
    p->frame_size = (n + 15) / 16 * 16;
    p->bins_size = (p->count + 7) / 8 * 8;
    p->fft = ap_fft_new(n);
    p->window = malloc(n * sizeof *p->window);
    p->frames = ap_fft_alloc(threads * p->frame_size, sizeof *p->frames);
    p->bins = ap_fft_alloc(threads * p->bins_size * FRAMES, sizeof *p->bins);
    if (!p->fft || !p->window || !p->frames || !p->bins) {
        plan_free(p);
        return nn_engine_fail(engine, AP_TRY_AGAIN, "out of memory");
    }
    for (size_t i = 0; i < n; i++)
        p->window[i] = (float)(0.5 - 0.5 * cos(2 * M_PI * (double)i / (double)n));
    return true;
}

/* ---- forward */

static float reflected(const float *in, int64_t n, int64_t at)
{
    at = at < 0 ? -at : at;
    return in[at < n ? at : 2 * (n - 1) - at];
}

typedef struct job {
    const plan *plan;
    const nn_tensor *x, *y;
    size_t hop;
    float *sums; /* back: [channels][length], then weights[length] */
    size_t length;
} job;

/* Frames first.. of a channel to lines of y. */
static void analyze(const plan *p, const nn_tensor *x, const nn_tensor *y, size_t channel, size_t first,
                    int64_t hop, float *frame, float complex *bins)
{
    const size_t frames = (size_t)y->time, count = frames - first < FRAMES ? frames - first : FRAMES;
    const float *in = nn_floats(x) + channel * (size_t)x->time;
    for (size_t f = 0; f < count; f++) {
        const int64_t start = (int64_t)(first + f) * hop - (int64_t)p->n / 2;
        for (size_t i = 0; i < p->n; i++)
            frame[i] = p->window[i] * reflected(in, x->time, start + (int64_t)i);
        ap_fft_forward(p->fft, frame, bins + f * p->bins_size);
    }
    for (size_t k = 0; k < p->count; k++) {
        float *out = nn_floats(y) + (k * (size_t)y->channels + 2 * channel) * frames + first;
        for (size_t f = 0; f < count; f++) {
            out[f] = crealf(bins[f * p->bins_size + k]);
            out[frames + f] = cimagf(bins[f * p->bins_size + k]);
        }
    }
}

static size_t pieces_of(const nn_tensor *y)
{
    return ((size_t)y->time + FRAMES - 1) / FRAMES;
}

static void analyze_piece(const void *argument, size_t i)
{
    const job *j = argument;
    const plan *p = j->plan;
    const size_t thread = nn_threads_number(), pieces = pieces_of(j->y);
    analyze(p, j->x, j->y, i / pieces, i % pieces * FRAMES, (int64_t)j->hop,
            p->frames + thread * p->frame_size, p->bins + thread * p->bins_size * FRAMES);
}

nn_tensor *nn_native_stft(nn_tensor *x, int nfft, int hop)
{
    plan p;
    const int64_t frames = x->time / hop + 1;
    if (!plan_new(&p, (size_t)nfft, x->engine))
        return NULL;
    nn_tensor *y = nn_native_new(x->engine, nfft / 2 + 1, 2 * x->channels, frames);
    const job j = {.plan = &p, .x = x, .y = y, .hop = (size_t)hop};
    if (y)
        nn_native_each(x->engine, (size_t)x->channels * pieces_of(y), analyze_piece, &j);
    plan_free(&p);
    return y;
}

/* ---- back */

/* Adds the windowed frames of a channel to sum, which starts nfft / 2 before the signal. */
static void synthesize(const plan *p, const nn_tensor *x, size_t channel, size_t hop, float *frame,
                       float complex *bins, float *sum)
{
    const size_t frames = (size_t)x->time;
    for (size_t first = 0; first < frames; first += FRAMES) {
        const size_t count = frames - first < FRAMES ? frames - first : FRAMES;
        for (size_t k = 0; k < p->count; k++) {
            const float *in = nn_floats(x) + (k * (size_t)x->channels + 2 * channel) * frames + first;
            const bool real = k == 0 || k == p->count - 1;
            for (size_t f = 0; f < count; f++)
                bins[f * p->bins_size + k] = in[f] + (real ? 0 : in[frames + f]) * (float complex)I;
        }
        for (size_t f = 0; f < count; f++) {
            ap_fft_inverse(p->fft, bins + f * p->bins_size, frame);
            for (size_t i = 0; i < p->n; i++)
                sum[(first + f) * hop + i] += frame[i] * p->window[i];
        }
    }
}

/* weights[i] = nfft times the sum of the squared windows: what to divide by. */
static void sum_windows(const plan *p, size_t frames, size_t hop, float *weights)
{
    for (size_t f = 0; f < frames; f++)
        for (size_t i = 0; i < p->n; i++)
            weights[f * hop + i] += p->window[i] * p->window[i] * (float)p->n;
}

static void synthesize_channel(const void *argument, size_t c)
{
    const job *j = argument;
    const plan *p = j->plan;
    const size_t thread = nn_threads_number(), channels = (size_t)j->y->channels, time = (size_t)j->y->time;
    float *sum = j->sums + c * j->length, *out = nn_floats(j->y) + c * time;
    const float *weights = j->sums + channels * j->length + p->n / 2;
    synthesize(p, j->x, c, j->hop, p->frames + thread * p->frame_size,
               p->bins + thread * p->bins_size * FRAMES, sum);
    for (size_t i = 0; i < time; i++)
        out[i] = sum[p->n / 2 + i] / weights[i];
}

nn_tensor *nn_native_istft(nn_tensor *x, int hop, int64_t time)
{
    plan p;
    const size_t n = 2 * ((size_t)x->rows - 1), frames = (size_t)x->time, channels = (size_t)x->channels / 2;
    const size_t length = (frames - 1) * (size_t)hop + n;
    if (!plan_new(&p, n, x->engine))
        return NULL;
    nn_tensor *y = nn_native_new(x->engine, 1, x->channels / 2, time);
    float *sums = nn_native_buffer(x->engine, (channels + 1) * length);
    const bool ok = y && sums;
    if (ok) {
        memset(sums, 0, (channels + 1) * length * sizeof *sums);
        sum_windows(&p, frames, (size_t)hop, sums + channels * length);
        const job j = {.plan = &p, .x = x, .y = y, .hop = (size_t)hop, .sums = sums, .length = length};
        nn_native_each(x->engine, channels, synthesize_channel, &j);
    }
    plan_free(&p);
    if (ok)
        return y;
    nn_drop(y);
    return NULL;
}
