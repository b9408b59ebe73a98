/* SPDX-License-Identifier: GPL-3.0-or-later
 * speakers.c - the virtual speakers: which channel stands where, and the gains that keep the loudness. */
#include "spatial.h"

#include <math.h>

/* ---- places */

typedef struct place {
    uint32_t bit;
    double degrees; /* counter-clockwise */
    uint32_t mirror;
} place;

/* ITU-R BS.775-3 (5.1: surrounds at 110 degrees) and BS.2051 (7.1). The front pair is at half of the width.
 */
static const place places[] = {
    {AP_FRONT_LEFT, 30, AP_FRONT_RIGHT},
    {AP_FRONT_RIGHT, -30, AP_FRONT_LEFT},
    {AP_FRONT_CENTER, 0, 0},
    {AP_LOW_FREQUENCY, 0, 0},
    {AP_BACK_LEFT, 150, AP_BACK_RIGHT},
    {AP_BACK_RIGHT, -150, AP_BACK_LEFT},
    {AP_FRONT_LEFT_OF_CENTER, 15, AP_FRONT_RIGHT_OF_CENTER},
    {AP_FRONT_RIGHT_OF_CENTER, -15, AP_FRONT_LEFT_OF_CENTER},
    {AP_BACK_CENTER, 180, 0},
    {AP_SIDE_LEFT, 90, AP_SIDE_RIGHT},
    {AP_SIDE_RIGHT, -90, AP_SIDE_LEFT},
};
#define SIDES (AP_SIDE_LEFT | AP_SIDE_RIGHT)
#define BACKS (AP_BACK_LEFT | AP_BACK_RIGHT)
#define FRONTS (AP_FRONT_LEFT | AP_FRONT_RIGHT | AP_FRONT_LEFT_OF_CENTER | AP_FRONT_RIGHT_OF_CENTER)
#define SURROUND_DEGREES 110

static double degrees_of(const place *p, uint32_t mask, double width_deg)
{
    if (p->bit & FRONTS)
        return p->degrees * width_deg / 60;
    bool both = (mask & SIDES) && (mask & BACKS);
    return (p->bit & (SIDES | BACKS)) && !both ? copysign(SURROUND_DEGREES, p->degrees) : p->degrees;
}

/* The channel of a bit of the mask. */
static size_t channel_of(uint32_t mask, uint32_t bit)
{
    return (size_t)__builtin_popcount(mask & (bit - 1));
}

static void set_place(ap_speakers *s, const place *p, uint32_t mask, double width_deg)
{
    size_t c = channel_of(mask, p->bit);
    s->angle[c] = degrees_of(p, mask, width_deg) * M_PI / 180;
    s->mirror[c] = mask & p->mirror ? channel_of(mask, p->mirror) : c;
    s->turns[c] = p->bit != AP_LOW_FREQUENCY;
    bool centre = p->mirror == 0;
    s->bass[c][0] = centre ? (float)M_SQRT1_2 : p->degrees > 0;
    s->bass[c][1] = centre ? (float)M_SQRT1_2 : p->degrees < 0;
    s->same[c] = 1;
    s->other[c] = 0;
}

bool ap_speakers_place(ap_speakers *s, const ap_format *format, double width_deg, ap_error *err)
{
    uint32_t known = 0;
    *s = (ap_speakers){.count = format->channels};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        known |= places[i].bit;
    if ((format->mask & ~known) || (uint32_t)__builtin_popcount(format->mask) != format->channels)
        return ap_fail(err, AP_FAILED, "cannot place %u channels with mask 0x%x around the listener",
                       format->channels, format->mask);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (format->mask & places[i].bit)
            set_place(s, &places[i], format->mask, width_deg);
    return true;
}

/* ---- loudness */

#define STEPS 128 /* places along the path, over so many turns that all of a spiral is seen */
#define TURNS 4
#define BANDS 48          /* frequencies, evenly spaced by pitch */
#define SIDE_GAIN_MAX 2.5 /* +8 dB: a narrow pair would ask for any amount, and lift noise with it */

typedef struct meter {
    double hz[BANDS], weight[BANDS]; /* the weights add up to 1 */
    double complex left[2][BANDS], right[2][BANDS];
    double alone[AP_SPEAKERS_MAX], equal[AP_SPEAKERS_MAX], opposite[AP_SPEAKERS_MAX]; /* energies */
} meter;

/* How much of the loudness of music lies around hz: pink noise that falls by 6 dB per octave above 4 kHz (the
 * long-term spectra in Pestana et al., AES 135, 2013), through the shelf of ITU-R BS.1770-4's K weighting. */
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

static double energy(const double complex *a, const double complex *b, double sign, const double *weight)
{
    double sum = 0;
    for (size_t i = 0; i < BANDS; i++) {
        double re = creal(a[i]) + sign * creal(b[i]), im = cimag(a[i]) + sign * cimag(b[i]);
        sum += weight[i] * (re * re + im * im);
    }
    return sum;
}

static void measure(meter *m, const ap_speakers *s, const ap_renderer *r, const ap_place *p)
{
    double complex *left[2] = {m->left[0], m->left[1]}, *right[2] = {m->right[0], m->right[1]};
    for (size_t c = 0; c < s->count; c++) {
        if (!s->turns[c] || s->mirror[c] < c)
            continue;
        r->response(r->state, p->azimuth + s->angle[c], p->elevation, m->hz, BANDS, left);
        r->response(r->state, p->azimuth + s->angle[s->mirror[c]], p->elevation, m->hz, BANDS, right);
        for (int ear = 0; ear < 2; ear++) {
            m->alone[c] += energy(left[ear], left[ear], 0, m->weight) / STEPS;
            m->equal[c] += energy(left[ear], right[ear], 1, m->weight) / STEPS;
            m->opposite[c] += energy(left[ear], right[ear], -1, m->weight) / STEPS;
        }
    }
}

static void set_gains(ap_speakers *s, const meter *m)
{
    for (size_t c = 0; c < s->count; c++) {
        size_t other = s->mirror[c];
        if (!s->turns[c] || other < c)
            continue;
        if (other == c) {
            s->same[c] = (float)(1 / sqrt(m->alone[c]));
            continue;
        }
        double mid = sqrt(2 / m->equal[c]), side = fmin(sqrt(2 / m->opposite[c]), SIDE_GAIN_MAX);
        s->same[c] = s->same[other] = (float)((mid + side) / 2);
        s->other[c] = s->other[other] = (float)((mid - side) / 2);
    }
}

void ap_speakers_balance(ap_speakers *s, const ap_spatialize_options *options, const ap_renderer *renderer,
                         uint32_t rate)
{
    meter m = {0};
    choose_bands(&m, fmax(options->bass_hz, 50), fmin(16000, 0.45 * rate));
    for (size_t i = 0; i < STEPS; i++) {
        ap_place p = ap_path_at(options, ((double)i + 0.5) * TURNS / STEPS * options->period_s);
        measure(&m, s, renderer, &p);
    }
    set_gains(s, &m);
}
