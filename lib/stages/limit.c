/* SPDX-License-Identifier: GPL-3.0-or-later
 * limit.c - look-ahead limiter: sliding minimum of the wanted gain, release, two box filters.
 *
 * For each frame the gain that its peak needs is known. The minimum over the look-ahead, smoothed by filters
 * that together are no longer than the look-ahead and whose coefficients sum to 1, never exceeds it, so the
 * gain is down before the peak comes, and no sample passes the ceiling. */
#include "base/error.h"
#include "base/memory.h"
#include "dsp/hot.h"
#include "dsp/truepeak.h"
#include "stream/gain_tags.h"
#include "stream/processor.h"
#include "stream/stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HISTORY AP_TRUEPEAK_HISTORY

/* Gains are fixed-point: their running sums are exact, so nothing drifts in a stream of days. */
#define UNITY (1 << 30)

typedef struct box {
    int32_t *ring;
    size_t length, at;
    int64_t sum;
    double scale; /* 1 / length */
} box;

/* Minimum over the last length values: a deque of (value, time) whose values increase. */
typedef struct minimum {
    int32_t *values;
    uint64_t *times;
    size_t capacity, head, count;
    size_t length;
    uint64_t now;
} minimum;

typedef struct limiter {
    uint32_t channels;
    ap_truepeak truepeak; /* the signal between samples comes taps / 2 frames late */
    float gain, ceiling;
    double release; /* coefficient of the one-pole filter */
    minimum lowest;
    double envelope;
    size_t rest; /* frames since the envelope is at UNITY; the boxes follow */
    box first, second;
    float *signal;  /* per channel HISTORY + AP_BLOCK samples, planar */
    float *between; /* AP_BLOCK + 1: peak between a frame and the next one; [0] belongs to the block before */
    float *peaks;   /* AP_BLOCK */
    float *delayed; /* ring of frames waiting for their gain */
    size_t delay, delay_at;
} limiter;

/* ---- kernel */

/* fmaxf and fminf without their care for NaN, which costs a call. */
static inline float larger(float a, float b)
{
    return a > b ? a : b;
}

static inline float clamp(float x, float limit)
{
    return x > limit ? limit : x < -limit ? -limit : x;
}

/* A channel of interleaved frames. */
static inline void pick(const float *in, size_t channels, size_t channel, float gain, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = in[i * channels + channel] * gain;
}

AP_HOT
static void pick_channel(const float *restrict in, size_t channels, size_t channel, float gain,
                         float *restrict x, size_t n)
{
    if (channels == 2) /* side by side */
        pick(in + channel, 2, 0, gain, x, n);
    else
        pick(in, channels, channel, gain, x, n);
}

/* Appends the block to the channel's history and returns where its first sample is. */
static float *load_channel(limiter *l, uint32_t channel, const float *in, size_t n)
{
    float *x = l->signal + channel * (HISTORY + AP_BLOCK) + HISTORY;
    pick_channel(in, l->channels, channel, l->gain, x, n);
    return x;
}

/* Keeps the end of the block as history for the next one. */
static void keep_history(float *x, size_t n)
{
    memmove(x - HISTORY, x - HISTORY + n, HISTORY * sizeof *x);
}

AP_HOT
static void raise_to(float *restrict peaks, const float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        peaks[i] = larger(peaks[i], fabsf(x[i]));
}

/* Peaks over all channels. With oversampling they come late, and the peak of a frame covers the signal from
 * the frame before it to the frame after it. */
static void find_peaks(limiter *l, const float *in, size_t n)
{
    float *between = l->between + 1;
    memset(l->peaks, 0, n * sizeof *l->peaks);
    memset(between, 0, n * sizeof *between);
    for (uint32_t c = 0; c < l->channels; c++) {
        float *x = load_channel(l, c, in, n);
        raise_to(l->peaks, x - l->truepeak.taps / 2, n);
        ap_truepeak_between(&l->truepeak, x, between, n, l->ceiling);
        keep_history(x, n);
    }
    raise_to(l->peaks, l->between, n);
    raise_to(l->peaks, between, n);
    l->between[0] = between[n - 1];
}

static int32_t minimum_push(minimum *m, int32_t value)
{
    uint64_t now = m->now++;
    if (m->count && m->times[m->head] + m->length <= now) {
        m->head = m->head + 1 == m->capacity ? 0 : m->head + 1;
        m->count--;
    }
    while (m->count) {
        size_t last = m->head + m->count - 1;
        if (last >= m->capacity)
            last -= m->capacity;
        if (m->values[last] < value)
            break;
        m->count--;
    }
    size_t end = m->head + m->count++;
    if (end >= m->capacity)
        end -= m->capacity;
    m->values[end] = value;
    m->times[end] = now;
    return m->values[m->head];
}

static int32_t box_push(box *b, int32_t value)
{
    b->sum += value - b->ring[b->at];
    b->ring[b->at] = value;
    b->at = b->at + 1 == b->length ? 0 : b->at + 1;
    return (int32_t)((double)b->sum * b->scale);
}

/* The gain, for the frame that leaves the delay line, when one with this peak enters. */
static float next_gain(limiter *l, float peak)
{
    int32_t wanted = peak > l->ceiling ? (int32_t)((double)l->ceiling / (double)peak * UNITY) : UNITY;
    double low = minimum_push(&l->lowest, wanted);
    if (low < l->envelope)
        l->envelope = low;
    else
        l->envelope += (low - l->envelope) * l->release;
    if (l->envelope > UNITY - 1)
        l->envelope = UNITY;
    l->rest = l->envelope < UNITY ? 0 : l->rest + 1;
    int32_t smooth = box_push(&l->second, box_push(&l->first, (int32_t)l->envelope));
    return (float)smooth * (1.0f / UNITY);
}

/* All is at UNITY, and this peak does not change it: there is only time to be counted. */
static inline bool stays_at_rest(limiter *l, float peak)
{
    if (l->rest <= l->first.length + l->second.length || peak > l->ceiling)
        return false;
    l->lowest.now++;
    return true;
}

static inline void scale(float *x, size_t n, float gain)
{
    for (size_t i = 0; i < n; i++)
        x[i] *= gain;
}

AP_HOT
static void exchange_run(float *restrict waiting, const float *restrict in, float *restrict out, float gain,
                         size_t samples)
{
    for (size_t i = 0; i < samples; i++) {
        out[i] = waiting[i];
        waiting[i] = in[i] * gain;
    }
}

/* Exchanges frames with the delay line: those that waited longest go to out, those of in wait now. */
static void exchange(limiter *l, const float *restrict in, float *restrict out, size_t n)
{
    while (n) {
        size_t run = l->delay - l->delay_at < n ? l->delay - l->delay_at : n;
        size_t samples = run * l->channels;
        exchange_run(l->delayed + l->delay_at * l->channels, in, out, l->gain, samples);
        l->delay_at = run == l->delay - l->delay_at ? 0 : l->delay_at + run;
        in += samples;
        out += samples;
        n -= run;
    }
}

AP_HOT
static bool any_above(const float *x, size_t n, float limit)
{
    uint32_t above = 0;
    for (size_t i = 0; i < n; i++)
        above += x[i] > limit ? 1 : 0;
    return above;
}

/* Against rounding only. */
AP_HOT
static void clamp_all(float *x, size_t n, float limit)
{
    for (size_t i = 0; i < n; i++)
        x[i] = clamp(x[i], limit);
}

/* Much music rests for long, and then a whole block does. */
static bool all_rest(limiter *l, size_t n)
{
    if (l->rest <= l->first.length + l->second.length || any_above(l->peaks, n, l->ceiling))
        return false;
    l->lowest.now += n;
    return true;
}

static void limit_process(void *state, const float *in, float *out, size_t frames)
{
    limiter *l = state;
    find_peaks(l, in, frames);
    exchange(l, in, out, frames);
    bool rests = all_rest(l, frames);
    for (size_t i = 0; !rests && i < frames; i++)
        if (!stays_at_rest(l, l->peaks[i]))
            scale(out + i * l->channels, l->channels, next_gain(l, l->peaks[i]));
    clamp_all(out, frames * l->channels, l->ceiling);
}

/* ---- stream */

static void limit_free(void *state)
{
    limiter *l = state;
    if (!l)
        return;
    free(l->lowest.values);
    free(l->lowest.times);
    free(l->first.ring);
    free(l->second.ring);
    free(l->signal);
    free(l->between);
    free(l->peaks);
    free(l->delayed);
    free(l);
}

static bool box_make(box *b, size_t length)
{
    b->length = length;
    b->scale = 1 / (double)length;
    b->ring = malloc(length * sizeof *b->ring);
    for (size_t i = 0; b->ring && i < length; i++)
        b->ring[i] = UNITY;
    b->sum = (int64_t)length * UNITY;
    return b->ring;
}

static bool minimum_make(minimum *m, size_t length)
{
    m->length = length;
    m->capacity = length + 1;
    m->values = malloc(m->capacity * sizeof *m->values);
    m->times = malloc(m->capacity * sizeof *m->times);
    return m->values && m->times;
}

static limiter *limit_make(const ap_limit_options *o, uint32_t rate, uint32_t channels, ap_error *err)
{
    limiter *l = ap_allocate(1, sizeof *l, err);
    if (!l)
        return NULL;
    size_t ahead = (size_t)fmax(1, rint(o->lookahead_s * rate));
    size_t half = ahead / 2 ? ahead / 2 : 1;
    l->channels = channels;
    ap_truepeak_make(&l->truepeak, o->true_peak, rate);
    l->gain = (float)pow(10, o->gain_db / 20);
    l->ceiling = (float)pow(10, o->ceiling_dbtp / 20);
    l->release = 1 - exp(-1 / (o->release_s * rate));
    l->envelope = UNITY;
    l->delay = ahead + l->truepeak.taps / 2;
    l->signal = calloc((HISTORY + AP_BLOCK) * (size_t)channels, sizeof *l->signal);
    l->between = calloc(AP_BLOCK + 1, sizeof *l->between);
    l->peaks = calloc(AP_BLOCK, sizeof *l->peaks);
    l->delayed = calloc(l->delay * channels, sizeof *l->delayed);
    if (l->signal && l->between && l->peaks && l->delayed && minimum_make(&l->lowest, ahead + 1) &&
        box_make(&l->first, half) && box_make(&l->second, ahead - half + 1))
        return l;
    ap_fail_memory(err);
    limit_free(l);
    return NULL;
}

void ap_limit_defaults(ap_limit_options *options)
{
    *options =
        (ap_limit_options){.ceiling_dbtp = -1, .lookahead_s = 0.005, .release_s = 0.05, .true_peak = true};
}

static bool check_options(const ap_limit_options *o, ap_error *err)
{
    return ap_check_range("ceiling", o->ceiling_dbtp, -60, 0, err) &&
           ap_check_range("look-ahead", o->lookahead_s, 0, 0.1, err) &&
           ap_check_range("release", o->release_s, 0.001, 10, err) &&
           ap_check_range("gain", o->gain_db, -60, 60, err);
}

ap_stream *ap_limit(ap_stream *s, const ap_limit_options *options, ap_error *err)
{
    ap_limit_options defaults;
    ap_limit_defaults(&defaults);
    const ap_limit_options *o = options ? options : &defaults;
    if (!s)
        return NULL;
    limiter *l = check_options(o, err) ? limit_make(o, s->format.rate, s->format.channels, err) : NULL;
    ap_processor processor = {.process = limit_process, .free = limit_free, .latency = l ? l->delay : 0};
    s = ap_processor_stream(s, s->format.channels, s->format.mask, &processor, l, err);
    return ap_without_gain_tags(s, err);
}
