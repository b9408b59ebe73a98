/* SPDX-License-Identifier: GPL-3.0-or-later
 * balance.c - gains for the virtual speakers that keep the loudness of what they play.
 *
 * What is equal in both speakers of a pair (mid) adds up at the ears, what is opposite (side) cancels, the
 * more the lower the frequency. So each has a gain of its own, below and above a corner: a shelf. The gains
 * come from what the renderer does along the trajectory, at the start; nothing follows the music. */
#include "stages/spatial/balance.h"

#include <math.h>

#define STEPS 126 /* places along the trajectory, over so many turns that all of a spiral is seen */
#define TURNS 4
#define BANDS 48      /* frequencies, evenly spaced by pitch */
#define CORNER 1200.0 /* Hz: a wavelength of two heads, where addition turns from coherent to random */
#define GAIN_MAX 3.0  /* +9.5 dB: the side of a narrow pair would ask for any amount, and lift noise */
#define SILENCE 0x1p-200

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

/* x may be y. */
static void run_shelf(ap_shelf *f, double pole, const float *x, float *y, size_t frames)
{
    double state = f->state;
    float low = f->low - f->high, high = f->high;
    if (fabsf(low) < 1e-6f) { /* flat */
        for (size_t i = 0; i < frames; i++)
            y[i] = high * x[i];
        return;
    }
    for (size_t i = 0; i < frames; i++) {
        state = (1 - pole) * (double)x[i] + pole * state;
        y[i] = high * x[i] + low * (float)state;
    }
    f->state = fabs(state) < SILENCE ? 0 : state;
}

/* To half of the sum and half of the difference; and back. */
static void matrix(float *a, float *b, size_t frames, float scale)
{
    for (size_t i = 0; i < frames; i++) {
        float sum = scale * (a[i] + b[i]), difference = scale * (a[i] - b[i]);
        a[i] = sum;
        b[i] = difference;
    }
}

void ap_balance_run(ap_balance *b, float *const *plane, size_t frames)
{
    const ap_speakers *s = b->speakers;
    for (size_t c = 0; c < s->count; c++) {
        float *left = plane[c], *right = plane[s->mirror[c]];
        if (!s->turns[c] || s->mirror[c] < c)
            continue;
        if (left != right)
            matrix(left, right, frames, 0.5f);
        run_shelf(&b->mid[c], b->pole, left, left, frames);
        if (left == right)
            continue;
        run_shelf(&b->side[c], b->pole, right, right, frames);
        matrix(left, right, frames, 1);
    }
}
