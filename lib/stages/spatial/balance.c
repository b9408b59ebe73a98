/* SPDX-License-Identifier: GPL-3.0-or-later
 * balance.c - gains for the virtual speakers that keep the loudness of what they play.
 *
 * What is equal in both speakers of a pair (mid) adds up at the ears, what is opposite (side) cancels, the
 * more the lower the frequency. So each has a gain of its own, below and above a corner: a shelf. The gains
 * come from what the renderer does along the trajectory, at the start; nothing follows the music. */
#include "stages/spatial/balance.h"
#include "dsp/hot.h"

#include <math.h>
#include <string.h>

#define STEPS 126 /* places along the trajectory, over so many turns that all of a spiral is seen */
#define TURNS 4
#define BANDS 48      /* frequencies, evenly spaced by pitch */
#define CORNER 1200.0 /* Hz: a wavelength of two heads, where addition turns from coherent to random */
#define GAIN_MAX 3.0  /* +9.5 dB: the side of a narrow pair would ask for any amount, and lift noise */
#define SILENCE 0x1p-200
#define CHUNK 256 /* frames; keeps scratch in the first-level cache */

typedef enum part { MID, SIDE, ALONE, PARTS } part;

typedef struct meter {
    double hz[BANDS], weight[BANDS]; /* the weights add up to 1 */
    double complex left[2][BANDS], right[2][BANDS];
    double energy[AP_SPEAKERS_MAX][PARTS][BANDS]; /* at both ears, mean along the trajectory */
} meter;

/* How much of the loudness of music lies around hz: pink noise that falls faster above 4 kHz (roughly the
 * long-term spectra in Pestana et al., AES 135, 2013), through the shelf of ITU-R BS.1770-4's K weighting.
 * That shelf is a smooth approximation: it weighs 48 bands of a model, where stream/kweighting.h measures a
 * signal. */
static double loudness_at(double hz)
{
    double shelf = (1 + pow(hz / 1000, 4) * 2.51) / (1 + pow(hz / 1000, 4));
    return shelf / (1 + (hz / 4000) * (hz / 4000));
}

static void choose_bands(meter *m, double low, double high)
{
    double sum = 0;
    for (size_t i = 0; i < BANDS; i++) {
        m->hz[i] = low * pow(high / low, ((double)i + 0.5) / BANDS);
        sum += m->weight[i] = loudness_at(m->hz[i]);
    }
    for (size_t i = 0; i < BANDS; i++)
        m->weight[i] /= sum;
}

static double power(double complex z)
{
    return creal(z) * creal(z) + cimag(z) * cimag(z);
}

static void measure(meter *m, const ap_speakers *s, const ap_renderer *r, const ap_position *p)
{
    double complex *left[2] = {m->left[0], m->left[1]}, *right[2] = {m->right[0], m->right[1]};
    for (size_t c = 0; c < s->count; c++) {
        if (!s->turns[c] || s->mirror[c] < c)
            continue;
        r->response(r->state, p->azimuth + s->angle[c], p->elevation, m->hz, BANDS, left);
        r->response(r->state, p->azimuth + s->angle[s->mirror[c]], p->elevation, m->hz, BANDS, right);
        for (int ear = 0; ear < 2; ear++)
            for (size_t i = 0; i < BANDS; i++) {
                m->energy[c][MID][i] += power(left[ear][i] + right[ear][i]) / STEPS;
                m->energy[c][SIDE][i] += power(left[ear][i] - right[ear][i]) / STEPS;
                m->energy[c][ALONE][i] += power(left[ear][i]) / STEPS;
            }
    }
}

/* The gain of a shelf, as a power. */
static double shelf_power(const ap_shelf *f, double hz)
{
    return power((double)f->high + ((double)f->low - (double)f->high) / CMPLX(1, hz / CORNER));
}

/* Gains that make energy equal to wanted: in each half of the bands, then, for loudness, in all. */
static void set_shelf(ap_shelf *f, const meter *m, const double *energy, double wanted)
{
    double got[2] = {1e-30, 1e-30}, weight[2] = {1e-30, 1e-30}, sum = 0;
    for (size_t i = 0; i < BANDS; i++) {
        got[m->hz[i] > CORNER] += m->weight[i] * energy[i];
        weight[m->hz[i] > CORNER] += m->weight[i];
    }
    f->low = (float)fmin(GAIN_MAX, sqrt(wanted * weight[0] / got[0]));
    f->high = (float)fmin(GAIN_MAX, sqrt(wanted * weight[1] / got[1]));
    for (size_t i = 0; i < BANDS; i++)
        sum += m->weight[i] * energy[i] * shelf_power(f, m->hz[i]);
    float scale = (float)fmin(sqrt(wanted / sum), GAIN_MAX / (double)fmaxf(f->low, f->high));
    f->low *= scale;
    f->high *= scale;
}

void ap_balance_init(ap_balance *b, const ap_speakers *s, const ap_spatialize_options *options,
                     const ap_renderer *renderer, uint32_t rate)
{
    meter m = {0};
    *b = (ap_balance){.speakers = s, .pole = exp(-2 * M_PI * CORNER / rate)};
    choose_bands(&m, fmax(options->bass_hz, 50), fmin(16000, 0.45 * rate));
    for (size_t i = 0; i < STEPS; i++) {
        ap_position p = ap_trajectory_at(options, ((double)i + 0.5) * TURNS / STEPS * options->period_s);
        measure(&m, s, renderer, &p);
    }
    for (size_t c = 0; c < s->count; c++) {
        bool pair = s->mirror[c] > c;
        if (!s->turns[c] || s->mirror[c] < c)
            continue;
        set_shelf(&b->mid[c], &m, m.energy[c][pair ? MID : ALONE], pair ? 2 : 1);
        if (pair)
            set_shelf(&b->side[c], &m, m.energy[c][SIDE], 2);
    }
}

/* To half of the sum and half of the difference; and back. */
AP_HOT
static void matrix(float *restrict a, float *restrict b, size_t frames, float scale)
{
    for (size_t i = 0; i < frames; i++) {
        float sum = scale * (a[i] + b[i]), difference = scale * (a[i] - b[i]);
        a[i] = sum;
        b[i] = difference;
    }
}

/* One lane for each of two shelves. */
typedef double v2 __attribute__((vector_size(16)));

/* The low parts of two signals. */
AP_HOT
static void low_parts(ap_shelf *f, ap_shelf *g, double pole, const float *x, const float *y,
                      float *restrict low_x, float *restrict low_y, size_t frames)
{
    v2 state = {f->state, g->state};
    for (size_t i = 0; i < frames; i++) {
        v2 in = {(double)x[i], (double)y[i]};
        state = (1 - pole) * in + pole * state;
        low_x[i] = (float)state[0];
        low_y[i] = (float)state[1];
    }
    f->state = fabs(state[0]) < SILENCE ? 0 : state[0];
    g->state = fabs(state[1]) < SILENCE ? 0 : state[1];
}

AP_HOT
static void mix_low(const ap_shelf *f, float *restrict x, const float *restrict low, size_t frames)
{
    const float high = f->high, extra = f->low - f->high;
    for (size_t i = 0; i < frames; i++)
        x[i] = high * x[i] + extra * low[i];
}

static bool is_flat(const ap_shelf *f)
{
    return fabsf(f->low - f->high) < 1e-6f;
}

/* Two signals, each through its shelf. */
static void run_shelves(ap_balance *b, size_t c, float *mid, float *side, size_t frames)
{
    ap_shelf *f = &b->mid[c], *g = &b->side[c];
    float low[2][CHUNK];
    if (is_flat(f) && is_flat(g))
        memset(low, 0, sizeof low);
    for (size_t n; frames; frames -= n, mid += n, side += n) {
        n = frames < CHUNK ? frames : CHUNK;
        if (!is_flat(f) || !is_flat(g))
            low_parts(f, g, b->pole, mid, side, low[0], low[1], n);
        mix_low(f, mid, low[0], n);
        mix_low(g, side, low[1], n);
    }
}

void ap_balance_run(ap_balance *b, float *const *plane, size_t frames)
{
    const ap_speakers *s = b->speakers;
    for (size_t c = 0; c < s->count; c++) {
        float *left = plane[c], *right = plane[s->mirror[c]], none[CHUNK] = {0};
        if (!s->turns[c] || s->mirror[c] < c)
            continue;
        if (left == right) {
            for (size_t i = 0; i < frames; i += CHUNK)
                run_shelves(b, c, left + i, none, frames - i < CHUNK ? frames - i : CHUNK);
            continue;
        }
        matrix(left, right, frames, 0.5f);
        run_shelves(b, c, left, right, frames);
        matrix(left, right, frames, 1);
    }
}
