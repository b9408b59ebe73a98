/* SPDX-License-Identifier: GPL-3.0-or-later
 * reverb.c - Freeverb (Jezar at Dreampoint, 2000), with the scaling of JUCE's and pedalboard's Reverb. */
#include "base/error.h"
#include "dsp/hot.h"
#include "stream/gain_tags.h"
#include "stream/processor.h"
#include "stream/stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COMBS 8
#define ALLPASSES 4

/* Delays in samples at 44.1 kHz (Freeverb, tuning.h). */
static const unsigned comb_delays[COMBS] = {1116, 1188, 1277, 1356, 1422, 1491, 1557, 1617};
static const unsigned allpass_delays[ALLPASSES] = {556, 441, 341, 225};
#define STEREO_SPREAD 23 /* added to all delays of the right bank */

#define INPUT_GAIN 0.015f /* fixedgain */
#define WET_SCALE 3.0
#define DRY_SCALE 2.0
#define ROOM_SCALE 0.28 /* feedback = .28 room + .7 */
#define ROOM_OFFSET 0.7
#define DAMP_SCALE 0.4
#define ALLPASS_FEEDBACK 0.5f

/* Frames that the kernel handles at once, at most: keeps its scratch in the first-level cache. */
#define CHUNK 256

/* A delay line. at is the place of the oldest sample, which is the next one to be read, then overwritten. */
typedef struct delay {
    float *data;
    size_t length, at;
} delay;

/* One channel's filters: eight combs in parallel, four all-passes in a row. */
typedef struct bank {
    delay combs[COMBS];
    float lowpass[COMBS]; /* state of the damping filters */
    delay allpasses[ALLPASSES];
    delay pre; /* length 0: none */
} bank;

/* What a channel has to do with the room. */
typedef struct place {
    enum {
        ALONE, /* a room of its own */
        LEFT,  /* of a pair: both feed one room, and hear it in their own bank */
        RIGHT,
        CENTRE, /* feeds the room of a pair, equally left and right, which hears it */
        OUTSIDE /* no room: the LFE */
    } role;
    uint32_t other; /* LEFT: the right one; CENTRE: the left one of the pair */
} place;

typedef struct freeverb {
    uint32_t channels;
    place places[AP_MAX_CHANNELS];
    bank banks[AP_MAX_CHANNELS]; /* a pair of channels has a left and a right bank */
    float damp, feedback, input_gain;
    float dry, wet_same, wet_other; /* gains of input, of the own bank, of the pair's other bank */
} freeverb;

/* ---- kernel */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void advance(delay *d, size_t n)
{
    d->at += n;
    if (d->at == d->length)
        d->at = 0;
}

/* Floats side by side: four frames of two combs, or two times four combs. */
typedef float v4 __attribute__((vector_size(16)));
typedef float v8 __attribute__((vector_size(32)));

/* Within each half. */
static inline void transpose(v8 m[4])
{
    v8 a = __builtin_shufflevector(m[0], m[1], 0, 8, 1, 9, 4, 12, 5, 13);
    v8 b = __builtin_shufflevector(m[0], m[1], 2, 10, 3, 11, 6, 14, 7, 15);
    v8 c = __builtin_shufflevector(m[2], m[3], 0, 8, 1, 9, 4, 12, 5, 13);
    v8 d = __builtin_shufflevector(m[2], m[3], 2, 10, 3, 11, 6, 14, 7, 15);
    m[0] = __builtin_shufflevector(a, c, 0, 1, 8, 9, 4, 5, 12, 13);
    m[1] = __builtin_shufflevector(a, c, 2, 3, 10, 11, 6, 7, 14, 15);
    m[2] = __builtin_shufflevector(b, d, 0, 1, 8, 9, 4, 5, 12, 13);
    m[3] = __builtin_shufflevector(b, d, 2, 3, 10, 11, 6, 7, 14, 15);
}

static inline void load_two(v8 *both, const float *first, const float *second)
{
    v4 a, b;
    memcpy(&a, first, sizeof a);
    memcpy(&b, second, sizeof b);
    *both = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7);
}

static inline void store_two(const v8 *both, float *first, float *second)
{
    v4 a = __builtin_shufflevector(*both, *both, 0, 1, 2, 3),
       b = __builtin_shufflevector(*both, *both, 4, 5, 6, 7);
    memcpy(first, &a, sizeof a);
    memcpy(second, &b, sizeof b);
}

/* Four frames through the combs, at i of their delay lines. */
static inline void step_combs(float *const line[COMBS], size_t i, v8 *state, float damp, float feedback,
                              const float *in)
{
    v8 m[4];
    for (int c = 0; c < 4; c++)
        load_two(&m[c], line[c] + i, line[c + 4] + i);
    transpose(m);
    for (int k = 0; k < 4; k++) {
        *state = m[k] * (1 - damp) + *state * damp;
        m[k] = in[k] + feedback * *state;
    }
    transpose(m);
    for (int c = 0; c < 4; c++)
        store_two(&m[c], line[c] + i, line[c + 4] + i);
}

static inline void sum_combs(float *const line[COMBS], size_t i, float *y)
{
    v4 sum = {0}, one;
    for (int c = 0; c < COMBS; c++) {
        memcpy(&one, line[c] + i, sizeof one);
        sum += one;
    }
    memcpy(y, &sum, sizeof sum);
}

/* The combs' output to y. They run side by side: the feedback of one would leave the processor waiting. n is
 * at most what every delay line has before its end. */
AP_HOT
static void run_combs(bank *b, float damp, float feedback, const float *x, float *y, size_t n)
{
    float *line[COMBS];
    v8 state;
    memcpy(&state, b->lowpass, sizeof state);
    for (int c = 0; c < COMBS; c++)
        line[c] = b->combs[c].data + b->combs[c].at;
    for (size_t i = 0; i + 4 <= n; i += 4) {
        sum_combs(line, i, y + i);
        step_combs(line, i, &state, damp, feedback, x + i);
    }
    memcpy(b->lowpass, &state, sizeof state);
    for (size_t i = n - n % 4; i < n; i++) {
        y[i] = 0;
        for (int c = 0; c < COMBS; c++) {
            y[i] += line[c][i];
            b->lowpass[c] = line[c][i] * (1 - damp) + b->lowpass[c] * damp;
            line[c][i] = x[i] + feedback * b->lowpass[c];
        }
    }
    for (int c = 0; c < COMBS; c++)
        advance(&b->combs[c], n);
}

static size_t comb_run(const bank *b, size_t n)
{
    for (int c = 0; c < COMBS; c++)
        n = least(n, b->combs[c].length - b->combs[c].at);
    return n;
}

/* In place. The delay is never shorter than a run, so the loop has no feedback. */
AP_HOT
static void run_allpass(delay *d, float *x, size_t n)
{
    while (n) {
        size_t run = least(n, d->length - d->at);
        float *restrict line = d->data + d->at;
        float *restrict signal = x;
        for (size_t i = 0; i < run; i++) {
            float old = line[i];
            line[i] = signal[i] + ALLPASS_FEEDBACK * old;
            signal[i] = old - signal[i];
        }
        advance(d, run);
        x += run;
        n -= run;
    }
}

static void run_pre_delay(delay *d, float *x, size_t n)
{
    for (size_t i = 0; d->length && i < n; i++) {
        float old = d->data[d->at];
        d->data[d->at] = x[i];
        x[i] = old;
        advance(d, 1);
    }
}

/* The reverberation of x (spoilt) goes to y. */
static void run_bank(const freeverb *f, bank *b, float *x, float *y, size_t n)
{
    run_pre_delay(&b->pre, x, n);
    for (size_t done = 0; done < n;) {
        size_t run = comb_run(b, n - done);
        run_combs(b, f->damp, f->feedback, x + done, y + done, run);
        done += run;
    }
    for (int a = 0; a < ALLPASSES; a++)
        run_allpass(&b->allpasses[a], y, n);
}

static void run_dry(const freeverb *f, uint32_t channel, const float *in, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i * f->channels + channel] = in[i * f->channels + channel] * f->dry;
}

static void run_mono(freeverb *f, uint32_t channel, const float *in, float *out, size_t n)
{
    float x[CHUNK], y[CHUNK];
    for (size_t i = 0; i < n; i++)
        x[i] = in[i * f->channels + channel] * f->input_gain;
    run_bank(f, &f->banks[channel], x, y, n);
    for (size_t i = 0; i < n; i++)
        out[i * f->channels + channel] = y[i] * f->wet_same + in[i * f->channels + channel] * f->dry;
}

/* A centre counts as the phantom centre that it stands for: -3 dB in the left and in the right channel. */
static void add_centres(const freeverb *f, uint32_t channel, const float *in, float *x, size_t n)
{
    for (uint32_t c = 0; c < f->channels; c++)
        if (f->places[c].role == CENTRE && f->places[c].other == channel)
            for (size_t i = 0; i < n; i++)
                x[i] += (float)M_SQRT2 * in[i * f->channels + c] * f->input_gain;
}

/* Both channels of a pair feed one room. */
static inline void feed(const float *in, size_t step, size_t left, size_t right, float gain, float *x,
                        size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (in[i * step + left] + in[i * step + right]) * gain;
}

/* What the left and the right one hear of both banks. */
static inline void hear(const freeverb *f, const float *in, size_t step, size_t left, size_t right,
                        const float *a, const float *b, float *restrict out, size_t n)
{
    const float same = f->wet_same, other = f->wet_other, dry = f->dry;
    for (size_t i = 0; i < n; i++) {
        out[i * step + left] = a[i] * same + b[i] * other + in[i * step + left] * dry;
        out[i * step + right] = b[i] * same + a[i] * other + in[i * step + right] * dry;
    }
}

/* Stereo runs side by side. */
AP_HOT
static void feed_pair(const float *in, size_t step, size_t left, size_t right, float gain, float *x, size_t n)
{
    if (step == 2 && left == 0 && right == 1)
        feed(in, 2, 0, 1, gain, x, n);
    else
        feed(in, step, left, right, gain, x, n);
}

AP_HOT
static void hear_pair(const freeverb *f, const float *in, size_t left, size_t right, const float *a,
                      const float *b, float *out, size_t n)
{
    if (f->channels == 2 && left == 0 && right == 1)
        hear(f, in, 2, 0, 1, a, b, out, n);
    else
        hear(f, in, f->channels, left, right, a, b, out, n);
}

static void run_pair(freeverb *f, uint32_t channel, const float *in, float *out, size_t n)
{
    float x[CHUNK], x_right[CHUNK], left[CHUNK], right[CHUNK];
    const uint32_t other = f->places[channel].other;
    feed_pair(in, f->channels, channel, other, f->input_gain, x, n);
    add_centres(f, channel, in, x, n);
    memcpy(x_right, x, n * sizeof *x);
    run_bank(f, &f->banks[channel], x, left, n);
    run_bank(f, &f->banks[other], x_right, right, n);
    hear_pair(f, in, channel, other, left, right, out, n);
}

static void run_channel(freeverb *f, uint32_t c, const float *in, float *out, size_t n)
{
    switch (f->places[c].role) {
    case ALONE:
        run_mono(f, c, in, out, n);
        break;
    case LEFT:
        run_pair(f, c, in, out, n);
        break;
    case RIGHT: /* done with the left one */
        break;
    case CENTRE:
    case OUTSIDE:
        run_dry(f, c, in, out, n);
        break;
    }
}

static void reverb_process(void *state, const float *in, float *out, size_t frames)
{
    freeverb *f = state;
    for (size_t done = 0; done < frames;) {
        size_t n = least(frames - done, CHUNK);
        for (uint32_t c = 0; c < f->channels; c++)
            run_channel(f, c, in, out, n);
        in += n * f->channels;
        out += n * f->channels;
        done += n;
    }
}

/* ---- stream */

static void bank_free(bank *b)
{
    for (int c = 0; c < COMBS; c++)
        free(b->combs[c].data);
    for (int a = 0; a < ALLPASSES; a++)
        free(b->allpasses[a].data);
    free(b->pre.data);
}

static void reverb_free(void *state)
{
    freeverb *f = state;
    for (uint32_t c = 0; f && c < AP_MAX_CHANNELS; c++)
        bank_free(&f->banks[c]);
    free(f);
}

static bool delay_make(delay *d, size_t length)
{
    d->length = length;
    d->data = length ? calloc(length, sizeof *d->data) : NULL;
    return d->data || length == 0;
}

/* Length at another rate: rounded down, the spread added first (JUCE, Reverb::setSampleRate). */
static size_t scaled(unsigned delay_44k, unsigned spread, uint32_t rate)
{
    return (size_t)rate * (delay_44k + spread) / 44100;
}

static bool bank_make(bank *b, unsigned spread, uint32_t rate, double pre_delay_s)
{
    bool ok = delay_make(&b->pre, (size_t)lrint(pre_delay_s * rate));
    for (int c = 0; c < COMBS; c++)
        ok = ok && delay_make(&b->combs[c], scaled(comb_delays[c], spread, rate));
    for (int a = 0; a < ALLPASSES; a++)
        ok = ok && delay_make(&b->allpasses[a], scaled(allpass_delays[a], spread, rate));
    return ok;
}

/* The left speaker of the pair that a centre stands between, as far as the mask has it, else 0. */
static uint32_t pair_around(uint32_t mask, uint32_t centre)
{
    static const struct {
        uint32_t centre, left;
    } rows[] = {{AP_FRONT_CENTER, AP_FRONT_LEFT},
                {AP_FRONT_CENTER, AP_FRONT_LEFT_OF_CENTER},
                {AP_BACK_CENTER, AP_BACK_LEFT},
                {AP_BACK_CENTER, AP_SIDE_LEFT},
                {AP_BACK_CENTER, AP_FRONT_LEFT}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t pair = rows[i].left | ap_speaker_mirror(rows[i].left);
        if (rows[i].centre == centre && (mask & pair) == pair)
            return rows[i].left;
    }
    return 0;
}

static place place_of(uint32_t mask, uint32_t speaker)
{
    uint32_t mirror = ap_speaker_mirror(speaker), around = pair_around(mask, speaker);
    if (speaker == AP_LOW_FREQUENCY)
        return (place){.role = OUTSIDE};
    if (around)
        return (place){.role = CENTRE, .other = ap_speaker_channel(mask, around)};
    if (mirror == speaker || !(mask & mirror))
        return (place){.role = ALONE};
    return (place){.role = speaker < mirror ? LEFT : RIGHT, .other = ap_speaker_channel(mask, mirror)};
}

/* By the speakers; channels without places are alone, each of them. */
static void set_places(freeverb *f, const ap_format *format)
{
    uint32_t left = ap_has_places(format) ? format->mask : 0;
    for (uint32_t c = 0; left; left &= left - 1)
        f->places[c++] = place_of(format->mask, left & -left);
}

static freeverb *reverb_make(const ap_reverb_options *o, const ap_format *format)
{
    freeverb *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    bool frozen = o->freeze;
    double wet = WET_SCALE * o->wet;
    f->channels = format->channels;
    set_places(f, format);
    f->damp = frozen ? 0 : (float)(DAMP_SCALE * o->damping);
    f->feedback = frozen ? 1 : (float)(ROOM_SCALE * o->room + ROOM_OFFSET);
    f->input_gain = frozen ? 0 : INPUT_GAIN;
    f->dry = (float)(DRY_SCALE * o->dry);
    f->wet_same = (float)(0.5 * wet * (1 + o->width));
    f->wet_other = (float)(0.5 * wet * (1 - o->width));
    for (uint32_t c = 0; c < format->channels; c++)
        if (f->places[c].role <= RIGHT &&
            !bank_make(&f->banks[c], f->places[c].role == RIGHT ? STEREO_SPREAD : 0, format->rate,
                       o->pre_delay_s)) {
            reverb_free(f);
            return NULL;
        }
    return f;
}

/* Until the slowest part has fallen by tail_db: the longest comb at 0 Hz, where nothing is damped, and behind
 * it the all-passes, which take much less. */
static uint64_t tail_length(const ap_reverb_options *o, uint32_t rate)
{
    if (o->freeze || o->wet == 0 || o->tail_db == 0)
        return 0;
    double feedback = ROOM_SCALE * o->room + ROOM_OFFSET;
    double passes = o->tail_db / (-20 * log10(feedback)) + 1;
    double longest = comb_delays[COMBS - 1] + STEREO_SPREAD;
    for (int a = 0; a < ALLPASSES; a++)
        longest += (allpass_delays[a] + STEREO_SPREAD) / passes;
    return (uint64_t)(passes * longest / 44100 * rate + o->pre_delay_s * rate);
}

/* ---- loudness */

/* A pulse with the spectrum of music, roughly: falling by 6 dB an octave above this. */
#define MUSIC_CORNER_HZ 500
/* Correlation of left and right in music: between independent (0) and mono (1). */
#define MUSIC_CORRELATION 0.5
#define LONGEST_PULSE_S 4

/* Energy of the reverberation that a pulse of energy 1 in one channel leaves, by listening to it. */
static double pulse_response(const ap_reverb_options *o, uint32_t rate)
{
    ap_reverb_options wet_only = *o;
    wet_only.dry = 0;
    wet_only.pre_delay_s = 0;
    const ap_format stereo = {rate, 2, AP_FRONT_LEFT | AP_FRONT_RIGHT, AP_UNKNOWN};
    freeverb *f = reverb_make(&wet_only, &stereo);
    if (!f)
        return 0;
    double pole = exp(-2 * M_PI * MUSIC_CORNER_HZ / rate), pulse = sqrt(1 - pole * pole), energy = 0;
    float in[2 * CHUNK], out[2 * CHUNK];
    for (uint64_t done = 0; done < (uint64_t)LONGEST_PULSE_S * rate; done += CHUNK) {
        double before = energy;
        for (size_t i = 0; i < CHUNK; i++, pulse *= pole) {
            in[2 * i] = (float)pulse;
            in[2 * i + 1] = 0;
        }
        reverb_process(f, in, out, CHUNK);
        for (size_t i = 0; i < 2 * CHUNK; i++)
            energy += (double)out[i] * (double)out[i];
        if (done > rate / 10 && energy - before < 1e-4 * energy * CHUNK / rate)
            break;
    }
    reverb_free(f);
    return energy;
}

/* The dry level with which the energies of input and reverberation, which are hardly correlated, add up to
 * the input's. Both channels feed the room together, so what they share counts double. */
static double balanced_dry(const ap_reverb_options *o, uint32_t rate, uint32_t channels)
{
    double reverberation = pulse_response(o, rate) * (channels > 1 ? 1 + MUSIC_CORRELATION : 0.5);
    return sqrt(fmax(0, 1 - reverberation)) / DRY_SCALE;
}

void ap_reverb_defaults(ap_reverb_options *options)
{
    /* JUCE, Reverb::Parameters */
    *options =
        (ap_reverb_options){.room = 0.5, .damping = 0.5, .wet = 0.33, .dry = 0.4, .width = 1, .tail_db = 80};
}

static bool check_options(const ap_reverb_options *o, ap_error *err)
{
    return ap_check_range("room", o->room, 0, 1, err) && ap_check_range("damping", o->damping, 0, 1, err) &&
           ap_check_range("wet", o->wet, 0, 1, err) && ap_check_range("dry", o->dry, 0, 1, err) &&
           ap_check_range("width", o->width, 0, 1, err) &&
           ap_check_range("pre-delay", o->pre_delay_s, 0, 1, err) &&
           ap_check_range("tail", o->tail_db, 0, 200, err);
}

static freeverb *reverb_for(const ap_reverb_options *o, const ap_format *format, ap_error *err)
{
    ap_reverb_options balanced = *o;
    if (o->keep_loudness)
        balanced.dry = balanced_dry(o, format->rate, format->channels);
    freeverb *f = reverb_make(&balanced, format);
    if (!f)
        ap_fail_memory(err);
    return f;
}

ap_stream *ap_reverb(ap_stream *s, const ap_reverb_options *options, ap_error *err)
{
    ap_reverb_options defaults;
    ap_reverb_defaults(&defaults);
    const ap_reverb_options *o = options ? options : &defaults;
    if (!s)
        return NULL;
    freeverb *f = check_options(o, err) ? reverb_for(o, &s->format, err) : NULL;
    ap_processor processor = {
        .process = reverb_process, .free = reverb_free, .tail = tail_length(o, s->format.rate)};
    s = ap_processor_stream(s, s->format.channels, s->format.mask, &processor, f, err);
    return ap_without_gain_tags(s, err);
}
