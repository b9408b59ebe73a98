/* SPDX-License-Identifier: GPL-3.0-or-later
 * measure.c - loudness, peaks, levels.
 *
 * The stream is cut into slots of 10 ms. All that a loudness meter shows is a mean of their weighted
 * energies: over 0.4 s (momentary), over 3 s (short-term), or gated over all (integrated). */
#include "stages/measure.h"
#include "base/error.h"
#include "dsp/hot.h"
#include "dsp/kweight.h"
#include "dsp/truepeak.h"
#include "stages/tally.h"
#include "stream/kweighting.h"
#include "stream/stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SLOT_HZ 100    /* a tone of 0.4 s is met by a window within 5 ms (EBU Tech 3341, case 13) */
#define MOMENTARY 40   /* slots: 0.4 s (BS.1770-4, annex 1) */
#define SHORT_TERM 300 /* slots: 3 s (EBU Tech 3341, 2.2) */
#define HOP 10 /* slots from one gating block to the next: they overlap by 75 % (BS.1770-4, annex 1) */

#define LOWEST_RATE 4000 /* K-weighting has a corner at 1682 Hz */
#define CLIPPED (32767 / 32768.0f)

#define LANES 8 /* sums run side by side, in one order on every machine */

struct ap_meter {
    float silence; /* no sound up to here */
    bool dual_mono;
    bool levels_only;    /* no loudness */
    ap_measurement last; /* of the stream that ended last */
    ap_tally now, total; /* of the one that is running; of all that ended */

    ap_format format;
    ap_kweight kweight;
    ap_kweight_memory heard[(AP_MAX_CHANNELS + 1) / 2]; /* of pairs of channels */
    double weights[AP_MAX_CHANNELS];
    ap_truepeak truepeak;
    float *slot;       /* frames of the slot, interleaved */
    size_t have, want; /* how many are there, of how many */
    float *signal;     /* of one channel: history, the slot, zeros */
    float *history;    /* for each channel, what the interpolation needs of the slots before */
    uint64_t slots, frames;
    uint64_t sound_start, sound_end; /* frames; AP_UNKNOWN: no sound yet */
    double energies[SHORT_TERM];     /* ring of slots */
    double momentary, short_term;    /* the largest energies */
    float sample_peak, true_peak;
    double sums[AP_MAX_CHANNELS];
};

/* ---- levels of one slot, on plain arrays */

typedef struct levels {
    double sum, square_sum;
    uint64_t clipped;
    float peak;
} levels;

/* fmaxf without its care for NaN, which costs a call. */
static inline float larger(float a, float b)
{
    return a > b ? a : b;
}

/* count is a multiple of LANES. */
AP_HOT static void add_levels(levels *l, const float *x, size_t count)
{
    double sum[LANES] = {0}, square[LANES] = {0};
    float peak[LANES] = {0};
    uint32_t clipped[LANES] = {0};
    for (size_t i = 0; i < count; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            float v = x[i + k];
            sum[k] += (double)v;
            square[k] += (double)v * (double)v;
            peak[k] = larger(peak[k], fabsf(v));
            clipped[k] += fabsf(v) >= CLIPPED;
        }
    for (size_t k = 0; k < LANES; k++) {
        l->sum += sum[k];
        l->square_sum += square[k];
        l->peak = larger(l->peak, peak[k]);
        l->clipped += clipped[k];
    }
}

static size_t round_up(size_t count)
{
    return (count + LANES - 1) / LANES * LANES;
}

/* ---- one slot */

/* The channel's samples, after its history, padded with zeros. Returns where they begin. */
static float *load_channel(ap_meter *m, uint32_t channel, size_t n)
{
    uint32_t channels = m->format.channels;
    float *x = m->signal + AP_TRUEPEAK_HISTORY;
    memcpy(m->signal, m->history + channel * AP_TRUEPEAK_HISTORY, AP_TRUEPEAK_HISTORY * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = m->slot[i * channels + channel];
    memset(x + n, 0, (round_up(n) - n) * sizeof *x);
    memcpy(m->history + channel * AP_TRUEPEAK_HISTORY, m->signal + n, AP_TRUEPEAK_HISTORY * sizeof *x);
    return x;
}

/* Levels of the slot. Returns its peak. */
static float scan_levels(ap_meter *m, size_t n)
{
    float peak = 0;
    for (uint32_t c = 0; c < m->format.channels; c++) {
        levels l = {0};
        const float *x = load_channel(m, c, n);
        add_levels(&l, x, round_up(n));
        m->sums[c] += l.sum;
        m->now.square_sum += l.square_sum;
        m->now.result.clipped += l.clipped;
        peak = larger(peak, l.peak);
        m->true_peak = ap_truepeak_most(&m->truepeak, x, n, larger(m->true_peak, l.peak));
    }
    m->sample_peak = larger(m->sample_peak, peak);
    return peak;
}

/* Finds the first and the last frame of the slot with a sample above the threshold; there is one. */
static void scan_sound(ap_meter *m, size_t n)
{
    uint32_t channels = m->format.channels;
    size_t first = 0, last = n * channels - 1;
    if (m->sound_start == AP_UNKNOWN) {
        while (fabsf(m->slot[first]) <= m->silence)
            first++;
        m->sound_start = m->frames + first / channels;
    }
    while (fabsf(m->slot[last]) <= m->silence)
        last--;
    m->sound_end = m->frames + last / channels + 1;
}

/* Mean energy of the last count slots. */
static double window_energy(const ap_meter *m, size_t count)
{
    double sum = 0;
    size_t at = (size_t)(m->slots % SHORT_TERM); /* after the newest */
    for (size_t i = 0; i < count; i++) {
        at = at ? at - 1 : SHORT_TERM - 1;
        sum += m->energies[at];
    }
    return sum / (double)count;
}

static void add_energy(ap_meter *m, double energy)
{
    m->energies[m->slots++ % SHORT_TERM] = energy;
    if (m->levels_only)
        return;
    m->momentary = fmax(m->momentary, window_energy(m, MOMENTARY));
    m->short_term = fmax(m->short_term, window_energy(m, SHORT_TERM));
}

static void close_blocks(ap_meter *m)
{
    if (m->levels_only)
        return;
    if (m->slots % HOP == 0 && m->slots >= MOMENTARY)
        ap_histogram_add(&m->now.blocks, window_energy(m, MOMENTARY));
    if (m->slots % HOP == 0 && m->slots >= SHORT_TERM)
        ap_histogram_add(&m->now.windows, window_energy(m, SHORT_TERM));
}

/* Weighted mean energy of the whole slot. */
static double slot_energy(ap_meter *m)
{
    const uint32_t channels = m->format.channels;
    double sum = 0, energy[2];
    for (uint32_t c = 0; c < channels && !m->levels_only; c += 2) {
        const unsigned width = c + 1 < channels ? 2 : 1;
        ap_kweight_energy(&m->kweight, &m->heard[c / 2], m->slot + c, m->want, channels, width, energy);
        for (unsigned k = 0; k < width; k++)
            sum += m->weights[c + k] * energy[k];
    }
    return sum / (double)m->want;
}

/* Slots end at multiples of 10 ms, rounded down to a frame. */
static size_t next_slot(const ap_meter *m)
{
    return (size_t)((m->slots + 1) * m->format.rate / SLOT_HZ - m->slots * m->format.rate / SLOT_HZ);
}

/* The first n frames of the slot are there. */
static void scan_slot(ap_meter *m, size_t n)
{
    ap_sanitize(m->slot, n * m->format.channels);
    if (scan_levels(m, n) > m->silence)
        scan_sound(m, n);
    m->frames += n;
}

/* ---- the meter */

static void stop(ap_meter *m)
{
    free(m->slot);
    free(m->signal);
    free(m->history);
    m->slot = m->signal = m->history = NULL;
}

static void start_loudness(ap_meter *m)
{
    memset(m->heard, 0, sizeof m->heard);
    ap_kweight_make(&m->kweight, m->format.rate);
    ap_kweighting_weights(&m->format, m->weights);
    if (m->dual_mono && m->format.channels == 1)
        m->weights[0] = 2;
}

static bool start(ap_meter *m, const ap_format *format)
{
    stop(m);
    m->format = *format;
    m->slots = m->frames = m->have = 0;
    m->sound_start = m->sound_end = AP_UNKNOWN;
    m->momentary = m->short_term = 0;
    m->sample_peak = m->true_peak = 0;
    memset(m->energies, 0, sizeof m->energies);
    memset(m->sums, 0, sizeof m->sums);
    memset(&m->now, 0, sizeof m->now);
    m->want = next_slot(m);
    size_t longest = format->rate / SLOT_HZ + 1;
    m->slot = calloc(longest * format->channels, sizeof *m->slot);
    m->signal = calloc(AP_TRUEPEAK_HISTORY + round_up(longest), sizeof *m->signal);
    m->history = calloc((size_t)format->channels * AP_TRUEPEAK_HISTORY, sizeof *m->history);
    ap_truepeak_make(&m->truepeak, true, format->rate);
    start_loudness(m);
    return m->slot && m->signal && m->history;
}

/* Less than one gating block: all there is counts as one, over its own length. */
static void close_short(ap_meter *m)
{
    double sum = 0;
    for (size_t i = 0; i < m->slots; i++)
        sum += m->energies[i];
    ap_histogram_add(&m->now.blocks, sum * m->format.rate / SLOT_HZ / (double)m->frames);
}

/* Ends what has been started: the last slot, blocks, the signal after the last sample. */
static void flush(ap_meter *m)
{
    uint32_t channels = m->format.channels;
    bool is_short = m->slots < MOMENTARY;
    size_t n = m->have;
    if (n)
        scan_slot(m, n);
    memset(m->slot + n * channels, 0, (m->want - n) * channels * sizeof *m->slot);
    if (n)
        add_energy(m, slot_energy(m));
    if (is_short && m->frames)
        close_short(m);
    memset(m->slot, 0, m->want * channels * sizeof *m->slot);
    for (size_t done = 0; done < m->truepeak.taps; done += m->want)
        for (uint32_t c = 0; c < channels; c++)
            m->true_peak = ap_truepeak_most(&m->truepeak, load_channel(m, c, m->want), m->want, m->true_peak);
}

static double largest_dc(const ap_meter *m)
{
    double most = 0;
    for (uint32_t c = 0; c < m->format.channels && m->frames; c++) {
        double mean = m->sums[c] / (double)m->frames;
        most = fabs(mean) > fabs(most) ? mean : most;
    }
    return most;
}

static void fill_result(ap_meter *m)
{
    ap_measurement *r = &m->now.result;
    double rate = m->format.rate;
    r->rate = m->format.rate;
    r->channels = m->format.channels;
    r->duration_s = (double)m->frames / rate;
    r->shortterm_max_lufs = ap_loudness_of(m->short_term);
    r->momentary_max_lufs = ap_loudness_of(m->momentary);
    r->sample_peak_dbfs = 20 * log10((double)m->sample_peak);
    r->true_peak_dbtp = 20 * log10((double)m->true_peak);
    r->dc_offset = largest_dc(m);
    bool silent = m->sound_start == AP_UNKNOWN;
    r->silence_start_s = silent ? r->duration_s : (double)m->sound_start / rate;
    r->silence_end_s = silent ? r->duration_s : (double)(m->frames - m->sound_end) / rate;
    m->now.samples = m->frames * m->format.channels;
}

void ap_meter_defaults(ap_meter_options *options)
{
    *options = (ap_meter_options){.silence_dbfs = -60};
}

ap_meter *ap_meter_new(const ap_meter_options *options, ap_error *err)
{
    ap_meter_options defaults;
    ap_meter_defaults(&defaults);
    const ap_meter_options *o = options ? options : &defaults;
    if (!ap_check_range("silence", o->silence_dbfs, -200, 0, err))
        return NULL;
    ap_meter *m = calloc(1, sizeof *m);
    if (!m) {
        ap_fail_memory(err);
        return NULL;
    }
    m->silence = (float)pow(10, o->silence_dbfs / 20);
    m->dual_mono = o->dual_mono;
    m->levels_only = o->levels_only;
    return m;
}

void ap_meter_free(ap_meter **meter)
{
    if (meter && *meter)
        stop(*meter);
    if (meter) {
        free(*meter);
        *meter = NULL;
    }
}

bool ap_meter_begin(ap_meter *m, const ap_format *format, ap_error *err)
{
    if (format->rate < LOWEST_RATE && !m->levels_only)
        return ap_fail(err, AP_FAILED, "loudness has no meaning at a sample rate of %u Hz", format->rate);
    return start(m, format) || ap_fail_memory(err);
}

void ap_meter_add(ap_meter *m, const float *frames, size_t count)
{
    uint32_t channels = m->format.channels;
    while (count) {
        size_t n = m->want - m->have < count ? m->want - m->have : count;
        memcpy(m->slot + m->have * channels, frames, n * channels * sizeof *frames);
        m->have += n;
        frames += n * channels;
        count -= n;
        if (m->have < m->want)
            break;
        scan_slot(m, m->want);
        add_energy(m, slot_energy(m));
        close_blocks(m);
        m->have = 0;
        m->want = next_slot(m);
    }
}

void ap_meter_end(ap_meter *m)
{
    flush(m);
    fill_result(m);
    m->last = ap_tally_complete(&m->now);
    ap_tally_join(&m->total, &m->now);
    stop(m);
}

void ap_meter_result(const ap_meter *m, ap_measurement *result)
{
    *result = m->last;
}

void ap_meter_total(const ap_meter *m, ap_measurement *result)
{
    *result = ap_tally_complete(&m->total);
}

unsigned char *ap_meter_pack(const ap_meter *m, size_t *size)
{
    return ap_tally_pack(&m->now, size);
}

bool ap_meter_unpack(ap_meter *m, const unsigned char *bytes, size_t size)
{
    if (!ap_tally_unpack(&m->now, bytes, size))
        return false;
    m->last = ap_tally_complete(&m->now);
    ap_tally_join(&m->total, &m->now);
    return true;
}

double ap_meter_loudness_at(const ap_meter *m, double gain_db)
{
    return ap_histogram_integrated(&m->total.blocks, gain_db);
}

/* ---- stream */

static bool see(void *user, ap_stream *s, const float *frames, size_t count, ap_error *err)
{
    (void)s;
    (void)err;
    if (count)
        ap_meter_add(user, frames, count);
    else
        ap_meter_end(user);
    return true;
}

ap_stream *ap_measure(ap_stream *s, ap_meter *meter, ap_error *err)
{
    if (!s)
        return NULL;
    if (s->format.rate < LOWEST_RATE && !meter->levels_only)
        ap_fail(err, AP_FAILED, "'%s' has a sample rate of %u Hz, at which loudness has no meaning",
                ap_stream_name(s), s->format.rate);
    else if (ap_meter_begin(meter, &s->format, err))
        return ap_tap(s, see, meter, err);
    ap_close(&s);
    return NULL;
}
