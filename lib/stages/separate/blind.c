/* SPDX-License-Identifier: GPL-3.0-or-later
 * blind.c - stereo to vocals, drums, bass and other by what stems usually are like, without a trained model.
 *
 * Masks of one transform, from four measures of each bin: how wide it is in frequency against how long in
 * time (medians of D. Fitzgerald, DAFx 2010), how steady over half a second and over two, and how far in the
 * middle of the stereo image. In the range of bass, drums are what is wide and short, and bass is what is
 * left of the middle. Above it each stem is as likely as a logistic function of the measures says, and gets
 * that share. A sibilant is as wide and as short as a hit, bin by bin: what tells them apart is how all of
 * its band goes on, and drums give vocals the share that this says. Shares are soft: each bin is dealt out,
 * so the stems add up to the mix. */
#include "base/error.h"
#include "base/memory.h"
#include "dsp/centre.h"
#include "dsp/fast_log.h"
#include "dsp/hot.h"
#include "dsp/power_medians.h"
#include "dsp/sudden.h"
#include "stages/separate/method.h"
#include "stream/combine.h"
#include "stream/stft.h"
#include "stream/stream.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { VOCALS, DRUMS, BASS, OTHER, STEMS };

static const char *const names[STEMS] = {"vocals", "drums", "bass", "other"};

/* The window is as long as a short note: partials are apart, and a hit is in few slots. */
#define WINDOW_S 0.093
#define DRUM_SLOTS 21  /* medians over 0.5 s: a hit has died away in half of it */
#define CHORD_SLOTS 85 /* over 2 s: voices move on within half of it, or tremble */
#define BASS_HZ 250    /* most of a bass, and only the lowest notes of voices, are below */
#define VOICE_LOW_HZ 120
#define VOICE_HIGH_HZ 12000
/* How much sound that is neither wide nor steady, such as gliding partials, counts against a hit. */
#define STRAY 0.05f
/* The most that vocals get of a bin. In music that the likelihoods were not fitted to, they are too sure of a
 * voice. With a twentieth less, the music without its voice was better than the mix in each of 30 other
 * songs, and as good as before on average; where nobody sings, less is taken. */
#define VOICE_MOST 0.95f

/* Sibilants: where they are looked for, and what can become theirs, up to VOICE_HIGH_HZ. */
#define HISS_LOW_HZ 5000
#define HISS_HIGH_HZ 12000
#define HISS_FROM_HZ 4000
/* A hit begins within an instant. An envelope that turns four times in the window shows that, in the slots
 * that have the instant in their windows; what is as sudden as HIT_SUDDEN is no sibilant at all. */
#define HIT_SUDDEN 0.6f
enum { HIT_LAG = 4, HIT_BEFORE = 4, HIT_AFTER = 1 /* slots */ };

/* How much likelier than a hit a sibilant is, as logarithms, with the power of its band: over the median of
 * two seconds, and by how wide it is. Fitted by least squares of the shares of vocals and drums, to 24 songs
 * (OpenTTD's and Freedoom's music, three sound fonts, resynthesized recordings of eight voices) and, with a
 * little weight, five with bursts of noise for drums. */
static const struct {
    float always, steadier, wide;
} hissing = {2.1204f, -1.1803f, 3.9061f};

/* How much likelier than other a stem becomes, as logarithms: with the logarithm of each measure, with where
 * in the spectrum the bin is. Fitted by least squares of the shares, to thirteen songs with known stems, ten
 * of them made by chance; none of those is among the songs by which ap-separate(1) tells what to expect. */
typedef struct likeness {
    float wide;             /* over steady for half a second: a hit */
    float steady, steadier; /* over half a second, over two: over the power here */
    float aside;            /* 1.01 less the share of the middle */
    double always, low, voice, octave,
        octave2; /* low, voice: belonging to these ranges; octaves from 500 Hz */
} likeness;

static const likeness likenesses[OTHER] = {
    [VOCALS] = {-0.2925f, -0.8464f, -0.5575f, 0.3395f, -7.3680, -0.0568, 5.7246, -1.1862, 0.1509},
    [DRUMS] = {1.0296f, -0.2499f, -0.1471f, 0.6726f, 5.6068, 3.9250, -7.0418, 0.4423, 0.3374},
    [BASS] = {0.1868f, -0.1490f, 0.1302f, -0.0980f, 3.0991, -0.3351, -4.9203, -1.1833, 0.3438},
};

typedef struct blind {
    size_t bins, row;        /* row: floats of a spectrum */
    ap_power_medians *drums; /* medians along time over DRUM_SLOTS */
    ap_power_medians *chord; /* over CHORD_SLOTS */
    ap_centre *centre;
    float *sudden; /* a ring of sudden_slots, how suddenly the band of sibilants began */
    size_t hiss_first, hiss_end, sudden_slots;
    float *low;         /* how far a bin belongs to the range of bass */
    float *hiss;        /* how far to that of sibilants */
    float *lean[OTHER]; /* log2 of how likely a stem is by the place in the spectrum alone */
    float *share;       /* of the middle */
    float *masks[OTHER];
    size_t made[OTHER], made_count; /* the stems that are made */
} blind;

static void blind_take(void *state, uint64_t t, const float *spectra)
{
    const blind *b = state;
    ap_power_medians *const both[] = {b->drums, b->chord};
    for (size_t i = 0; i < 2; i++) {
        ap_power_medians_clear(both[i], t);
        ap_power_medians_add(both[i], t, spectra);
        ap_power_medians_add(both[i], t, spectra + b->row);
    }
    ap_centre_add(b->centre, t, spectra, spectra + b->row);
    b->sudden[t % b->sudden_slots] =
        ap_sudden(spectra, spectra + b->row, b->hiss_first, b->hiss_end, HIT_LAG);
}

/* ---- masks */

/* log2 of a ratio of powers, from -10 to 10. */
static inline float ratio(float a, float b)
{
    float x = (a + FLT_MIN) / (b + FLT_MIN);
    return ap_fast_log2(x < 0x1p-10f ? 0x1p-10f : x > 0x1p10f ? 0x1p10f : x);
}

/* How many times likelier than other a stem is; at most 2^60, so that sums of them stay finite. */
static inline float likely(const likeness *k, float lean, float wide, float steady, float steadier,
                           float aside)
{
    float x = lean + k->wide * wide + k->steady * steady + k->steadier * steadier + k->aside * aside;
    return ap_fast_exp2(x < -60 ? -60 : x > 60 ? 60 : x);
}

/* What the masks of a slot are made of, a value for each bin. Medians and power are squared magnitudes. The
 * share of the middle is one of power, so that its root is the one of amplitude. */
typedef struct measures {
    const float *power, *wide, *steady, *steadier, *share; /* share: of the middle */
} measures;

AP_HOT static void make_masks(const blind *b, const measures *m)
{
    float *restrict vocals = b->masks[VOCALS], *restrict drums = b->masks[DRUMS],
                    *restrict bass = b->masks[BASS];
    for (size_t i = 0; i < b->bins; i++) {
        float both = m->wide[i] + m->steady[i], stray = m->power[i] > both ? m->power[i] - both : 0;
        float hit = m->wide[i] / (both + STRAY * stray + FLT_MIN);
        float wide = ratio(m->wide[i], m->steady[i]), steady = ratio(m->steady[i], m->power[i]);
        float steadier = ratio(m->steadier[i], m->power[i]), aside = ap_fast_log2(1.01f - m->share[i]);
        float v = likely(&likenesses[VOCALS], b->lean[VOCALS][i], wide, steady, steadier, aside);
        float d = likely(&likenesses[DRUMS], b->lean[DRUMS][i], wide, steady, steadier, aside);
        float l = likely(&likenesses[BASS], b->lean[BASS][i], wide, steady, steadier, aside);
        float low = b->low[i], high = (1 - low) / (1 + v + d + l);
        drums[i] = low * hit + high * d;
        bass[i] = low * low * (1 - hit) * m->share[i] * m->share[i] + high * l;
        vocals[i] = VOICE_MOST * (1 - drums[i] - bass[i]) * sqrtf(m->share[i]) * v / (1 + v);
    }
}

/* How sudden the beginning was of what is heard in slot t. */
static float find_sudden(const blind *b, uint64_t t, uint64_t slots)
{
    uint64_t first = t > HIT_BEFORE ? t - HIT_BEFORE : 0,
             last = t + HIT_AFTER < slots ? t + HIT_AFTER : slots - 1;
    float most = 0;
    for (uint64_t i = first; i <= last; i++)
        most = fmaxf(most, b->sudden[i % b->sudden_slots]);
    return most;
}

static float sum(const float *x, size_t first, size_t end)
{
    float part[8] = {0}, all = 0; /* apart, so that they are added at the same time */
    for (size_t i = first; i + 8 <= end; i += 8)
        for (size_t j = 0; j < 8; j++)
            part[j] += x[i + j];
    for (size_t j = 0; j < 8; j++)
        all += part[j];
    return all;
}

/* How much of what is like a hit, high up, is a sibilant. */
static float find_hiss(const blind *b, const measures *m, float sudden)
{
    float power = sum(m->power, b->hiss_first, b->hiss_end);
    float steadier = ratio(sum(m->steadier, b->hiss_first, b->hiss_end), power);
    float wide = ratio(sum(m->wide, b->hiss_first, b->hiss_end), power);
    float x = hissing.always + hissing.steadier * steadier + hissing.wide * wide;
    return power > 0 && sudden < HIT_SUDDEN ? (1 - sudden / HIT_SUDDEN) / (1 + ap_fast_exp2(-x)) : 0;
}

AP_HOT static void move_hiss(const blind *b, const float *share, float part)
{
    float *restrict vocals = b->masks[VOCALS], *restrict drums = b->masks[DRUMS];
    for (size_t i = 0; i < b->bins; i++) {
        float moved = part * b->hiss[i] * sqrtf(share[i]) * drums[i];
        drums[i] -= moved;
        vocals[i] += moved;
    }
}

static void apply_mask(const float *mask, const float *spectrum, float *made, size_t bins)
{
    for (size_t i = 0; i < bins; i++) {
        made[2 * i] = mask[i] * spectrum[2 * i];
        made[2 * i + 1] = mask[i] * spectrum[2 * i + 1];
    }
}

static void blind_give(void *state, uint64_t t, uint64_t slots, const float *spectra, float *made)
{
    const blind *b = state;
    const float *none;
    measures m = {.power = ap_power_medians_row(b->chord, t), .share = b->share};
    ap_power_medians_find(b->drums, t, slots, &m.steady, &m.wide);
    ap_power_medians_find(b->chord, t, slots, &m.steadier, &none);
    ap_centre_share(b->centre, t, slots, b->share);
    make_masks(b, &m);
    move_hiss(b, b->share, find_hiss(b, &m, find_sudden(b, t, slots)));
    for (size_t i = 0; i < b->made_count; i++)
        for (size_t c = 0; c < 2; c++)
            apply_mask(b->masks[b->made[i]], spectra + c * b->row, made + (2 * i + c) * b->row, b->bins);
}

/* ---- stream */

static void blind_free(void *state)
{
    blind *b = state;
    if (!b)
        return;
    ap_power_medians_free(b->drums);
    ap_power_medians_free(b->chord);
    ap_centre_free(b->centre);
    free(b->sudden);
    free(b->low);
    free(b->hiss);
    free(b->share);
    for (size_t i = 0; i < OTHER; i++) {
        free(b->lean[i]);
        free(b->masks[i]);
    }
    free(b);
}

/* Power response of a Butterworth low-pass of the 4th order. */
static float below(double hz, double corner)
{
    return (float)(1 / (1 + pow(hz / corner, 8)));
}

static float lean_of(const likeness *k, double hz)
{
    double low = (double)below(hz, BASS_HZ), octave = log2(fmax(hz, 20) / 500);
    double voice = (1 - (double)below(hz, VOICE_LOW_HZ)) * (double)below(hz, VOICE_HIGH_HZ);
    double sum = k->always + k->low * low + k->voice * voice + k->octave * octave;
    return (float)((sum + k->octave2 * octave * octave) * M_LOG2E);
}

static void set_ranges(const blind *b, double bin_hz)
{
    for (size_t i = 0; i < b->bins; i++) {
        double hz = (double)i * bin_hz;
        b->low[i] = below(hz, BASS_HZ);
        b->hiss[i] = (1 - below(hz, HISS_FROM_HZ)) * below(hz, VOICE_HIGH_HZ);
        for (size_t stem = 0; stem < OTHER; stem++)
            b->lean[stem][i] = lean_of(&likenesses[stem], hz);
    }
}

/* A kick drum is as narrow as 50 Hz; higher up hits are wide, and partials that tremble are not lines. */
static size_t set_zones(ap_zone *zones, size_t bins, double bin_hz)
{
    static const struct {
        double end_hz;
        size_t length; /* of the median, in bins of about 11 Hz */
    } table[] = {{250, 5}, {800, 31}, {AP_MAX_RATE, 63}};
    size_t count = 0;
    for (; count < sizeof table / sizeof *table; count++) {
        double end = table[count].end_hz / bin_hz;
        zones[count] = (ap_zone){end < (double)bins ? (size_t)end : bins, table[count].length};
    }
    return count;
}

/* The bin at a frequency, where there is room for the lag behind it. */
static size_t bin_at(double hz, double bin_hz, size_t bins)
{
    double last = (double)bins - 1 - HIT_LAG, bin = hz / bin_hz;
    return last < 0 ? 0 : (size_t)fmin(bin, last);
}

/* Other is what the stems that are made leave of the mix: it takes all of them. */
static void choose_made(blind *b, const bool *wanted)
{
    for (size_t i = 0; i < OTHER; i++)
        if (wanted[i] || wanted[OTHER])
            b->made[b->made_count++] = i;
}

static blind *blind_make(uint32_t window, double rate, size_t ahead, const bool *wanted, ap_error *err)
{
    blind *b = ap_allocate(1, sizeof *b, err);
    if (!b)
        return NULL;
    ap_zone zones[AP_MAX_ZONES];
    b->bins = window / 2 + 1;
    b->row = ap_stft_row(window);
    size_t zone_count = set_zones(zones, b->bins, rate / window);
    b->drums = ap_power_medians_new(b->bins, DRUM_SLOTS, zones, zone_count, ahead);
    b->chord = ap_power_medians_new(b->bins, CHORD_SLOTS, NULL, 0, ahead);
    b->centre = ap_centre_new(b->bins, ahead);
    b->hiss_first = bin_at(HISS_LOW_HZ, rate / window, b->bins);
    b->hiss_end = bin_at(HISS_HIGH_HZ, rate / window, b->bins);
    b->sudden_slots = HIT_BEFORE + 1 + ahead;
    b->sudden = calloc(b->sudden_slots, sizeof *b->sudden);
    b->low = calloc(b->bins, sizeof *b->low);
    b->hiss = calloc(b->bins, sizeof *b->hiss);
    b->share = calloc(b->bins, sizeof *b->share);
    bool ok = b->drums && b->chord && b->centre && b->sudden && b->low && b->hiss && b->share;
    for (size_t i = 0; i < OTHER; i++)
        ok = (b->masks[i] = calloc(b->bins, sizeof *b->masks[i])) &&
             (b->lean[i] = calloc(b->bins, sizeof *b->lean[i])) && ok;
    if (!ok) {
        ap_fail_memory(err);
        blind_free(b);
        return NULL;
    }
    set_ranges(b, rate / window);
    choose_made(b, wanted);
    return b;
}

/* From the stems that are made, and what is left, to the wanted ones. */
static ap_stream *select_stems(ap_stream *s, size_t made, const bool *wanted, ap_error *err)
{
    float gains[STEMS * STEMS] = {0};
    uint32_t count = 0;
    for (size_t i = 0; i < STEMS; i++)
        if (wanted[i]) {
            size_t place = wanted[OTHER] ? i : count;
            gains[count++ * (made + 1) + place] = 1;
        }
    return ap_combine(s, 2, 0, gains, count, err);
}

static ap_stream *blind_separate(ap_model *model, ap_stream *s, const ap_separate_options *options,
                                 const bool wanted[AP_MAX_STEMS], ap_error *err)
{
    (void)model;
    (void)options;
    uint32_t window = 1u << lround(log2(WINDOW_S * s->format.rate));
    size_t ahead = ap_power_medians_ahead(CHORD_SLOTS);
    blind *b = blind_make(window, s->format.rate, ahead, wanted, err);
    size_t made = b ? b->made_count : 0;
    ap_spectral spectral = {.window = window,
                            .hop = window / 4,
                            .channels = 2,
                            .groups = (uint32_t)made,
                            .ahead = ahead,
                            .take = blind_take,
                            .give = blind_give,
                            .free = blind_free};
    return select_stems(ap_stft_stream(s, &spectral, b, err), made, wanted, err);
}

/* ---- method */

struct ap_model {
    char nothing;
};

static const char *blind_name(void)
{
    return "dsp";
}

static ap_model *blind_open(const ap_separate_options *options, ap_error *err)
{
    static ap_model model;
    (void)options;
    (void)err;
    return &model;
}

static void blind_close(ap_model *model)
{
    (void)model;
}

static void blind_describe(const ap_model *model, ap_model_info *info)
{
    (void)model;
    *info = (ap_model_info){.stem_count = STEMS, .channels = 2};
    for (size_t i = 0; i < STEMS; i++)
        info->stems[i] = names[i];
}

static void blind_list(ap_model_visit *visit, void *user)
{
    visit(user, blind_name(),
          "vocals, drums, bass, other by signal processing, built in: fast, far from clean; no chunks; 0 MB; "
          "0.1 GFLOP per second of music",
          "");
}

const ap_method *ap_blind_method(void)
{
    static const ap_method method = {.best = blind_name,
                                     .open = blind_open,
                                     .close = blind_close,
                                     .describe = blind_describe,
                                     .separate = blind_separate,
                                     .list = blind_list};
    return &method;
}
