/* SPDX-License-Identifier: GPL-3.0-or-later
 * reverb.c - Freeverb (Jezar at Dreampoint, 2000), with the scaling of JUCE's and pedalboard's Reverb. */
#include "base/error.h"
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

typedef struct freeverb {
    uint32_t channels;
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

/* Four floats side by side: of four combs, or of four frames. */
typedef float v4 __attribute__((vector_size(16)));

static inline v4 load(const float *x)
{
    v4 v;
    memcpy(&v, x, sizeof v);
    return v;
}

static inline void transpose(v4 m[4])
{
    v4 a = __builtin_shufflevector(m[0], m[1], 0, 4, 1, 5);
    v4 b = __builtin_shufflevector(m[0], m[1], 2, 6, 3, 7);
    v4 c = __builtin_shufflevector(m[2], m[3], 0, 4, 1, 5);
    v4 d = __builtin_shufflevector(m[2], m[3], 2, 6, 3, 7);
    m[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
    m[1] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
    m[2] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
    m[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

/* Four frames through four combs, at i of their delay lines. */
static inline void step_combs(float *const line[4], size_t i, v4 *state, float damp, float feedback, v4 in)
{
    v4 m[4];
    for (int c = 0; c < 4; c++)
        m[c] = load(line[c] + i);
    transpose(m);
    for (int k = 0; k < 4; k++) {
        *state = m[k] * (1 - damp) + *state * damp;
        m[k] = in[k] + feedback * *state;
    }
    transpose(m);
    for (int c = 0; c < 4; c++)
        memcpy(line[c] + i, &m[c], sizeof m[c]);
}

/* The combs' output to y. They run side by side: the feedback of one would leave the processor waiting. n is
 * at most what every delay line has before its end. */
static void run_combs(bank *b, float damp, float feedback, const float *x, float *y, size_t n)
{
    float *line[COMBS];
    v4 state[COMBS / 4];
    memcpy(state, b->lowpass, sizeof state);
    for (int c = 0; c < COMBS; c++)
        line[c] = b->combs[c].data + b->combs[c].at;
    for (size_t i = 0; i + 4 <= n; i += 4) {
        v4 sum = {0};
        for (int c = 0; c < COMBS; c++)
            sum += load(line[c] + i);
        memcpy(y + i, &sum, sizeof sum);
        for (int c = 0; c < COMBS; c += 4)
            step_combs(line + c, i, &state[c / 4], damp, feedback, load(x + i));
    }
    memcpy(b->lowpass, state, sizeof state);
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

static void run_mono(freeverb *f, uint32_t channel, const float *in, float *out, size_t n)
{
    float x[CHUNK], y[CHUNK];
    for (size_t i = 0; i < n; i++)
        x[i] = in[i * f->channels + channel] * f->input_gain;
    run_bank(f, &f->banks[channel], x, y, n);
    for (size_t i = 0; i < n; i++)
        out[i * f->channels + channel] = y[i] * f->wet_same + in[i * f->channels + channel] * f->dry;
}

static void run_pair(freeverb *f, uint32_t channel, const float *in, float *out, size_t n)
{
    float x[CHUNK], x_right[CHUNK], left[CHUNK], right[CHUNK];
    size_t step = f->channels;
    in += channel;
    out += channel;
    for (size_t i = 0; i < n; i++)
        x[i] = x_right[i] = (in[i * step] + in[i * step + 1]) * f->input_gain;
    run_bank(f, &f->banks[channel], x, left, n);
    run_bank(f, &f->banks[channel + 1], x_right, right, n);
    for (size_t i = 0; i < n; i++) {
        out[i * step] = left[i] * f->wet_same + right[i] * f->wet_other + in[i * step] * f->dry;
        out[i * step + 1] = right[i] * f->wet_same + left[i] * f->wet_other + in[i * step + 1] * f->dry;
    }
}

static void reverb_process(void *state, const float *in, float *out, size_t frames)
{
    freeverb *f = state;
    for (size_t done = 0; done < frames;) {
        size_t n = least(frames - done, CHUNK);
        for (uint32_t c = 0; c < f->channels; c += 2) {
            if (c + 1 < f->channels)
                run_pair(f, c, in, out, n);
            else
                run_mono(f, c, in, out, n);
        }
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

static freeverb *reverb_make(const ap_reverb_options *o, uint32_t rate, uint32_t channels)
{
    freeverb *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    bool frozen = o->freeze;
    double wet = WET_SCALE * o->wet;
    f->channels = channels;
    f->damp = frozen ? 0 : (float)(DAMP_SCALE * o->damping);
    f->feedback = frozen ? 1 : (float)(ROOM_SCALE * o->room + ROOM_OFFSET);
    f->input_gain = frozen ? 0 : INPUT_GAIN;
    f->dry = (float)(DRY_SCALE * o->dry);
    f->wet_same = (float)(0.5 * wet * (1 + o->width));
    f->wet_other = (float)(0.5 * wet * (1 - o->width));
    for (uint32_t c = 0; c < channels; c++)
        if (!bank_make(&f->banks[c], c % 2 ? STEREO_SPREAD : 0, rate, o->pre_delay_s)) {
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
    freeverb *f = reverb_make(&wet_only, rate, 2);
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

static freeverb *reverb_for(const ap_reverb_options *o, uint32_t rate, uint32_t channels, ap_error *err)
{
    ap_reverb_options balanced = *o;
    if (o->keep_loudness)
        balanced.dry = balanced_dry(o, rate, channels);
    freeverb *f = reverb_make(&balanced, rate, channels);
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
    freeverb *f = check_options(o, err) ? reverb_for(o, s->format.rate, s->format.channels, err) : NULL;
    ap_processor processor = {
        .process = reverb_process, .free = reverb_free, .tail = tail_length(o, s->format.rate)};
    return ap_processor_stream(s, s->format.channels, s->format.mask, &processor, f, err);
}
