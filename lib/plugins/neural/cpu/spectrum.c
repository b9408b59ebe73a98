/* SPDX-License-Identifier: GPL-3.0-or-later
 * spectrum.c - the short-time spectrum and its inverse. A transform works on 16 lanes at once, each of
 * them two real frames as one complex signal, so that consecutive frames are consecutive floats throughout.
 */
#include "plugins/neural/cpu/kernels.h"
#include "plugins/neural/cpu/native.h"
#include "plugins/neural/tensor/tensor.h"

#include <math.h>
#include <string.h>

#define FRAMES (2 * NN_FFT_LANES) /* of one transform */

static size_t reverse_bits(size_t i, size_t n)
{
    size_t r = 0;
    for (; n > 1; n /= 2, i /= 2)
        r = 2 * r + i % 2;
    return r;
}

/* The periodic Hann window, times factor. */
static void fill_window(float *window, size_t n, double factor)
{
    for (size_t i = 0; i < n; i++)
        window[i] = (float)(factor * (0.5 - 0.5 * cos(2 * M_PI * (double)i / (double)n)));
}

/* The signal with left and right more samples. Reflection needs more signal than it adds: a short one gets
 * zeros first, as many as it lacks, on the right if possible (Demucs' pad1d). */
static void pad_signal(const float *in, int64_t n, int64_t left, int64_t right, bool reflect, float *out)
{
    const int64_t most = left > right ? left : right, lacks = most - n + 1 > 0 ? most - n + 1 : 0;
    const int64_t zeros_right = lacks < right ? lacks : right, zeros_left = lacks - zeros_right;
    const int64_t length = n + zeros_left + zeros_right;
    for (int64_t i = 0; i < left + n + right; i++) {
        int64_t at = i - (left - zeros_left);
        if (reflect && at < 0)
            at = -at;
        if (reflect && at >= length)
            at = 2 * (length - 1) - at;
        at = reflect ? at - zeros_left : i - left;
        out[i] = at >= 0 && at < n ? in[at] : 0;
    }
}

/* ---- forward */

/* Windowed frames first..first + 32 of a padded signal into the lanes; those past the last are silent. */
static void load_frames(const float *signal, const float *window, size_t n, size_t first, size_t frames,
                        float *re, float *im)
{
    for (size_t i = 0; i < n; i++) {
        const size_t to = reverse_bits(i, n) * NN_FFT_LANES;
        for (size_t l = 0; l < NN_FFT_LANES; l++) {
            const size_t a = first + l, b = a + NN_FFT_LANES;
            re[to + l] = a < frames ? signal[a * (n / 4) + i] * window[i] : 0;
            im[to + l] = b < frames ? signal[b * (n / 4) + i] * window[i] : 0;
        }
    }
}

/* Takes the two real signals' spectra apart: A = (Z[k] + conj Z[n-k]) / 2, B = (Z[k] - conj Z[n-k]) / 2i. */
static void store_bins(const nn_tensor *y, size_t channel, size_t first, size_t n, const float *re,
                       const float *im)
{
    const size_t frames = (size_t)y->time;
    for (size_t k = 0; k < n / 2; k++) {
        float *out = nn_floats(y) + (k * (size_t)y->channels + 2 * channel) * frames;
        const size_t p = k * NN_FFT_LANES, q = (n - k) % n * NN_FFT_LANES;
        for (size_t l = 0; l < NN_FFT_LANES; l++) {
            const size_t a = first + l, b = a + NN_FFT_LANES;
            if (a < frames) {
                out[a] = (re[p + l] + re[q + l]) / 2;
                out[frames + a] = (im[p + l] - im[q + l]) / 2;
            }
            if (b < frames) {
                out[b] = (im[p + l] + im[q + l]) / 2;
                out[frames + b] = (re[q + l] - re[p + l]) / 2;
            }
        }
    }
}

/* Padded signals of x (forward) or none, window, and the transform's tables. */
typedef struct transform {
    const nn_tensor *x, *y;
    size_t n, length; /* of a transform, of the padded signal */
    const float *signals, *window, *cosines, *sines;
    int64_t offset;
} transform;

static size_t batches_of(size_t frames)
{
    return (frames + FRAMES - 1) / FRAMES;
}

static void analyze(const void *job, size_t i)
{
    const transform *t = job;
    const nn_engine *engine = t->y->engine;
    const size_t frames = (size_t)t->y->time, c = i / batches_of(frames),
                 first = i % batches_of(frames) * FRAMES;
    float *re = nn_native_scratch(engine), *im = re + t->n * NN_FFT_LANES;
    load_frames(t->signals + c * t->length, t->window, t->n, first, frames, re, im);
    nn_native_kernels(engine)->fft(re, im, t->n, t->cosines, t->sines, -1);
    store_bins(t->y, c, first, t->n, re, im);
}

nn_tensor *nn_native_spectrum(nn_tensor *x, int nfft, bool reflect)
{
    const size_t n = (size_t)nfft, hop = n / 4, frames = ((size_t)x->time + hop - 1) / hop;
    const size_t length = (frames + 3) * hop, channels = (size_t)x->channels;
    const int64_t left = (int64_t)(n / 8 * 3);
    const float *cosines, *sines;
    float *buffer = nn_native_buffer(x->engine, channels * length + n);
    nn_tensor *y = nn_native_new(x->engine, nfft / 2, 2 * x->channels, (int64_t)frames);
    if (!buffer || !y || !nn_native_reserve(x->engine, 2 * n * NN_FFT_LANES) ||
        !nn_native_twiddles(x->engine, n, &cosines, &sines)) {
        nn_drop(y);
        return NULL;
    }
    float *window = buffer + channels * length;
    fill_window(window, n, 1 / sqrt((double)n));
    for (size_t c = 0; c < channels; c++)
        pad_signal(nn_floats(x) + c * (size_t)x->time, x->time, left, (int64_t)length - left - x->time,
                   reflect, buffer + c * length);
    const transform t = {.y = y,
                         .n = n,
                         .length = length,
                         .signals = buffer,
                         .window = window,
                         .cosines = cosines,
                         .sines = sines};
    nn_native_each(x->engine, channels * batches_of(frames), analyze, &t);
    return y;
}

/* ---- back */

/* The bins of two frames in each lane as the spectrum of one complex signal: Z = A + i B, and what belongs to
 * real signals at the negative frequencies. */
static void load_bins(const nn_tensor *x, size_t channel, size_t first, size_t n, float *re, float *im)
{
    const size_t frames = (size_t)x->time, nyquist = reverse_bits(n / 2, n) * NN_FFT_LANES;
    memset(re + nyquist, 0, NN_FFT_LANES * sizeof *re);
    memset(im + nyquist, 0, NN_FFT_LANES * sizeof *im);
    for (size_t k = 0; k < n / 2; k++) {
        const float *in = nn_floats(x) + (k * (size_t)x->channels + 2 * channel) * frames;
        const size_t p = reverse_bits(k, n) * NN_FFT_LANES, q = reverse_bits((n - k) % n, n) * NN_FFT_LANES;
        for (size_t l = 0; l < NN_FFT_LANES; l++) {
            const size_t a = first + l, b = a + NN_FFT_LANES;
            const float ar = a < frames ? in[a] : 0, ai = a < frames && k ? in[frames + a] : 0;
            const float br = b < frames ? in[b] : 0, bi = b < frames && k ? in[frames + b] : 0;
            re[q + l] = ar + bi;
            im[q + l] = br - ai;
            re[p + l] = ar - bi;
            im[p + l] = br + ai;
        }
    }
}

static void add_frames(const float *re, const float *im, const float *window, size_t n, size_t first,
                       size_t frames, float *sum)
{
    for (size_t l = 0; l < FRAMES && first + l < frames; l++) {
        const float *from = (l < NN_FFT_LANES ? re : im) + l % NN_FFT_LANES;
        float *to = sum + (first + l) * (n / 4);
        for (size_t i = 0; i < n; i++)
            to[i] += from[i * NN_FFT_LANES] * window[i];
    }
}

/* The sum of the squared windows at a sample, to which two silent frames on both sides belong. */
static double weight_at(int64_t sample, int64_t frames, size_t n)
{
    const int64_t hop = (int64_t)n / 4;
    double sum = 0;
    for (int64_t f = sample / hop - 3; f <= sample / hop; f++) {
        const int64_t i = f < -2 || f >= frames + 2 ? -1 : sample - f * hop;
        const double w = i < 0 || i >= (int64_t)n ? 0 : 0.5 - 0.5 * cos(2 * M_PI * (double)i / (double)n);
        sum += w * w;
    }
    return sum;
}

/* Cuts the samples wanted out of the sum and divides by the weight: 1.5 wherever four windows overlap. */
static void finish_signal(const float *sum, const nn_tensor *y, size_t channel, int64_t offset,
                          int64_t frames, size_t n)
{
    float *out = nn_floats(y) + channel * (size_t)y->time;
    const int64_t hop = (int64_t)n / 4;
    for (int64_t i = 0; i < y->time; i++) {
        const int64_t at = i + offset;
        const bool inside = at >= hop && at < (frames + 2) * hop;
        out[i] = sum[at] / (inside ? 1.5f : (float)weight_at(at, frames, n));
    }
}

/* A channel. */
static void synthesize(const void *job, size_t c)
{
    const transform *t = job;
    const nn_engine *engine = t->y->engine;
    const size_t n = t->n, frames = (size_t)t->x->time;
    float *re = nn_native_scratch(engine), *im = re + n * NN_FFT_LANES, *sum = im + n * NN_FFT_LANES;
    memset(sum, 0, t->length * sizeof *sum);
    for (size_t first = 0; first < frames; first += FRAMES) {
        load_bins(t->x, c, first, n, re, im);
        nn_native_kernels(engine)->fft(re, im, n, t->cosines, t->sines, 1);
        add_frames(re, im, t->window, n, first, frames, sum);
    }
    finish_signal(sum, t->y, c, t->offset, (int64_t)frames, n);
}

nn_tensor *nn_native_signal(nn_tensor *x, int64_t offset, int64_t time)
{
    const size_t n = 2 * (size_t)x->rows, frames = (size_t)x->time, channels = (size_t)x->channels / 2;
    const size_t length = (frames + 3) * (n / 4);
    const float *cosines, *sines;
    float *window = nn_native_buffer(x->engine, n);
    nn_tensor *y = nn_native_new(x->engine, 1, x->channels / 2, time);
    if (!window || !y || !nn_native_reserve(x->engine, 2 * n * NN_FFT_LANES + length) ||
        !nn_native_twiddles(x->engine, n, &cosines, &sines)) {
        nn_drop(y);
        return NULL;
    }
    fill_window(window, n, sqrt((double)n) / (double)n);
    const transform t = {.x = x,
                         .y = y,
                         .n = n,
                         .length = length,
                         .window = window,
                         .cosines = cosines,
                         .sines = sines,
                         .offset = offset};
    nn_native_each(x->engine, channels, synthesize, &t);
    return y;
}
