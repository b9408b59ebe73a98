/* SPDX-License-Identifier: GPL-3.0-or-later
 * stft.c - a stage that works on spectra: framing, transform, overlap-add, alignment in time.
 *
 * Slots lie as in librosa.stft (center, pad_mode "constant"), and the sum of the windowed signals that come
 * back is divided by the sum of the squared windows, as in librosa.istft. */
#include "stream/stft.h"
#include "base/error.h"
#include "base/memory.h"
#include "dsp/denormals.h"
#include "dsp/fft.h"
#include "stream/stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Source frames that are still needed, for what passes and for the remainder. */
typedef struct delay_line {
    float *frames;
    size_t channels, capacity, start, count; /* in frames */
} delay_line;

typedef struct transformer {
    ap_spectral spectral;
    void *state;
    size_t row;              /* floats */
    uint32_t taken_channels; /* those of the source from pass on */
    uint32_t made_channels;  /* groups * channels */
    float *window, *inverse; /* the window; the same over its length, for the way back */
    float *history;          /* of each taken channel, the samples of the next slot */
    size_t filled;           /* of history, frames */
    float *ring;             /* spectra of slots that were taken and not given: 1 + ahead slots */
    float *made;             /* spectra of one slot */
    float *scratch;          /* one window of samples */
    float *sums;             /* of each made channel, a window of overlap-add */
    float *weights;          /* the squared windows, likewise */
    delay_line delay;
    float *block;           /* one window of source frames */
    uint64_t taken, given;  /* slots */
    uint64_t slots, length; /* of the whole stream, AP_UNKNOWN before its end */
    uint64_t read;          /* source frames */
    float *ready;           /* finished frames */
    size_t ready_at, ready_count;
    uint64_t finished; /* frames that were ever ready */
    ap_fft *fft;
} transformer;

size_t ap_stft_row(uint32_t window)
{
    return ((size_t)window + 2 + 15) / 16 * 16; /* as fft.h wants it */
}

/* ---- delay line */

static bool delay_append(delay_line *d, const float *frames, size_t count)
{
    if (d->start + d->count + count > d->capacity && d->start) {
        memmove(d->frames, d->frames + d->start * d->channels, d->count * d->channels * sizeof *d->frames);
        d->start = 0;
    }
    if (d->count + count > d->capacity) {
        size_t capacity = 2 * (d->count + count); /* twice: most appends then move nothing */
        float *more = realloc(d->frames, capacity * d->channels * sizeof *more);
        if (!more)
            return false;
        d->frames = more;
        d->capacity = capacity;
    }
    memcpy(d->frames + (d->start + d->count) * d->channels, frames, count * d->channels * sizeof *frames);
    d->count += count;
    return true;
}

static const float *delay_take(delay_line *d, size_t count)
{
    const float *frames = d->frames + d->start * d->channels;
    d->start += count;
    d->count -= count;
    return frames;
}

/* ---- analysis */

/* Channel number c, in its planar history from position at on. */
static void load_channel(const transformer *t, uint32_t c, size_t at, size_t count)
{
    size_t channels = t->delay.channels;
    const float *from = t->block + t->spectral.pass + c;
    float *to = t->history + c * t->spectral.window + at;
    for (size_t i = 0; i < count; i++)
        to[i] = from[i * channels];
}

static void transform_channel(const transformer *t, uint32_t c, float *spectrum)
{
    size_t n = t->spectral.window;
    float *x = t->history + c * n;
    for (size_t i = 0; i < n; i++)
        t->scratch[i] = x[i] * t->window[i];
    ap_fft_forward(t->fft, t->scratch, (float complex *)(void *)spectrum);
    memmove(x, x + t->spectral.hop, (n - t->spectral.hop) * sizeof *x);
}

/* Reads what the next slot needs beyond its history. Returns the number of frames that were there. */
static ptrdiff_t fill_history(ap_stream *s, transformer *t, ap_error *err)
{
    size_t need = t->spectral.window - t->filled, channels = t->delay.channels;
    ptrdiff_t n = t->length == AP_UNKNOWN ? ap_read_full(s->source, t->block, need, err) : 0;
    if (n < 0)
        return -1;
    size_t have = (size_t)n;
    ap_sanitize(t->block, have * channels);
    if (have && !delay_append(&t->delay, t->block, have)) {
        ap_fail_memory(err);
        return -1;
    }
    memset(t->block + have * channels, 0, (need - have) * channels * sizeof *t->block);
    for (uint32_t c = 0; c < t->taken_channels; c++)
        load_channel(t, c, t->filled, need);
    t->filled = t->spectral.window - t->spectral.hop;
    t->read += have;
    if (have < need && t->length == AP_UNKNOWN) {
        t->length = t->read;
        t->slots = t->length ? 1 + t->length / t->spectral.hop : 0;
    }
    return n;
}

static float *ring_slot(const transformer *t, uint64_t slot)
{
    return t->ring + (size_t)(slot % (t->spectral.ahead + 1)) * t->taken_channels * t->row;
}

/* ---- synthesis */

static void add_channel(const transformer *t, uint32_t c)
{
    size_t n = t->spectral.window;
    float *sum = t->sums + c * n;
    ap_fft_inverse(t->fft, (float complex *)(void *)(t->made + c * t->row), t->scratch);
    for (size_t i = 0; i < n; i++)
        sum[i] += t->scratch[i] * t->inverse[i];
}

/* Window position first corresponds to the frame that is finished next; count frames are. */
static void finish_frames(transformer *t, size_t first, size_t count)
{
    size_t in_channels = t->delay.channels, pass = t->spectral.pass, channels = t->spectral.channels;
    size_t out_channels = pass + t->made_channels + channels, n = t->spectral.window;
    const float *source = delay_take(&t->delay, count);
    for (size_t i = 0; i < count; i++, source += in_channels) {
        float *out = t->ready + (t->ready_at + t->ready_count + i) * out_channels;
        float scale = 1 / t->weights[first + i];
        memcpy(out, source, pass * sizeof *out);
        for (size_t c = 0; c < t->made_channels; c++)
            out[pass + c] = t->sums[c * n + first + i] * scale;
        for (size_t c = 0; c < channels; c++) {
            float rest = source[pass + c];
            for (size_t g = 0; g < t->spectral.groups; g++)
                rest -= out[pass + g * channels + c];
            out[pass + t->made_channels + c] = rest;
        }
    }
    t->ready_count += count;
    t->finished += count;
}

static void shift(float *x, size_t n, size_t hop)
{
    memmove(x, x + hop, (n - hop) * sizeof *x);
    memset(x + n - hop, 0, hop * sizeof *x);
}

/* After slot t all frames before the next one's window are finished, after the last one all. */
static void overlap_add(transformer *t)
{
    size_t n = t->spectral.window, hop = t->spectral.hop;
    for (uint32_t c = 0; c < t->made_channels; c++)
        add_channel(t, c);
    for (size_t i = 0; i < n; i++)
        t->weights[i] += t->window[i] * t->window[i];
    uint64_t start = t->given * hop; /* first frame of the window, plus n / 2 */
    uint64_t end = t->given + 1 == t->slots ? t->length + n / 2 : start + hop;
    t->ready_at = t->ready_count = 0;
    if (end > t->finished + n / 2)
        finish_frames(t, (size_t)(t->finished + n / 2 - start), (size_t)(end - t->finished - n / 2));
    for (uint32_t c = 0; c < t->made_channels; c++)
        shift(t->sums + c * n, n, hop);
    shift(t->weights, n, hop);
    t->given++;
}

/* ---- stream */

/* Takes one more slot, unless there is none. */
static bool take_slot(ap_stream *s, transformer *t, ap_error *err)
{
    if (fill_history(s, t, err) < 0)
        return false;
    if (t->taken >= t->slots)
        return true;
    float *spectra = ring_slot(t, t->taken);
    unsigned saved = ap_ignore_denormals();
    for (uint32_t c = 0; c < t->taken_channels; c++)
        transform_channel(t, c, spectra + c * t->row);
    t->spectral.take(t->state, t->taken++, spectra);
    ap_restore_denormals(saved);
    return true;
}

static void give_slot(transformer *t)
{
    unsigned saved = ap_ignore_denormals();
    t->spectral.give(t->state, t->given, t->slots, ring_slot(t, t->given), t->made);
    overlap_add(t);
    ap_restore_denormals(saved);
}

static ptrdiff_t stft_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    transformer *t = s->state;
    while (t->ready_count == 0 && t->given < t->slots) {
        while (t->taken <= t->given + t->spectral.ahead && t->taken < t->slots)
            if (!take_slot(s, t, err))
                return -1;
        if (t->given < t->slots)
            give_slot(t);
    }
    size_t n = t->ready_count < max ? t->ready_count : max;
    memcpy(frames, t->ready + t->ready_at * s->format.channels, n * s->format.channels * sizeof *frames);
    t->ready_at += n;
    t->ready_count -= n;
    return (ptrdiff_t)n;
}

static void stft_close(void *state)
{
    transformer *t = state;
    if (t->spectral.free)
        t->spectral.free(t->state);
    ap_fft_free(t->fft);
    free(t->window);
    free(t->inverse);
    free(t->history);
    free(t->ring);
    free(t->made);
    free(t->scratch);
    free(t->sums);
    free(t->weights);
    free(t->delay.frames);
    free(t->block);
    free(t->ready);
    free(t);
}

static float *array(size_t count)
{
    return ap_fft_alloc(count, sizeof(float));
}

static bool allocate(transformer *t, uint32_t out_channels)
{
    size_t n = t->spectral.window;
    t->window = array(n);
    t->inverse = array(n);
    t->history = array(t->taken_channels * n);
    t->ring = array((t->spectral.ahead + 1) * t->taken_channels * t->row);
    t->made = array(t->made_channels * t->row);
    t->scratch = array(n);
    t->sums = array(t->made_channels * n);
    t->weights = array(n);
    t->block = array(n * t->delay.channels);
    t->ready = array(n * out_channels);
    return t->window && t->inverse && t->history && t->ring && t->made && t->scratch && t->sums &&
           t->weights && t->block && t->ready;
}

static bool make_transform(transformer *t)
{
    uint32_t n = t->spectral.window;
    t->fft = ap_fft_new(n);
    for (uint32_t i = 0; i < n; i++) {
        t->window[i] = (float)(0.5 - 0.5 * cos(2 * M_PI * i / n));
        t->inverse[i] = t->window[i] / (float)n;
    }
    return t->fft;
}

/* Without its state. */
static transformer *transformer_new(const ap_spectral *spectral, uint32_t in_channels, uint32_t out_channels,
                                    ap_error *err)
{
    transformer *t = ap_allocate(1, sizeof *t, err);
    if (!t)
        return NULL;
    t->row = ap_stft_row(spectral->window);
    t->taken_channels = in_channels - spectral->pass;
    t->made_channels = spectral->groups * spectral->channels;
    t->delay.channels = in_channels;
    t->slots = t->length = AP_UNKNOWN;
    t->filled = spectral->window / 2; /* the silence before frame 0 */
    t->spectral = *spectral;
    t->spectral.ahead = spectral->ahead ? spectral->ahead : 1; /* to know the last slot as such */
    if (allocate(t, out_channels) && make_transform(t))
        return t;
    ap_fail_memory(err);
    t->spectral.free = NULL;
    stft_close(t);
    return NULL;
}

ap_stream *ap_stft_stream(ap_stream *source, const ap_spectral *spectral, void *state, ap_error *err)
{
    static const ap_stream_ops ops = {.read = stft_read, .close = stft_close};
    uint32_t out_channels = spectral->pass + (spectral->groups + 1) * spectral->channels;
    transformer *t = source && (state || !spectral->free)
                         ? transformer_new(spectral, source->format.channels, out_channels, err)
                         : NULL;
    if (t)
        t->state = state;
    else if (state && spectral->free)
        spectral->free(state);
    if (!source)
        return NULL;
    ap_format format = {source->format.rate, out_channels,
                        out_channels == source->format.channels ? source->format.mask : 0,
                        source->format.frames};
    return ap_stream_wrap(source, &ops, t, &format, err);
}
