/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The mixing desk: each stem gets a compressor, a limiter, a low cut, a place in the room and a level. Stems
 * are interleaved stereo. What happens to one never depends on another, so that they sum to the mix. */
#include "song.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double gain_of(double db)
{
    return pow(10, db / 20);
}

/* RMS of the blocks of 50 ms that are within 20 dB of the mean: the level while the stem plays. */
static double active_rms(const float *stereo, size_t frames)
{
    enum { BLOCK = RATE / 20 };
    double gate = 0;

    for (int pass = 0; pass < 2; pass++) {
        double sum = 0;
        size_t blocks = 0;
        for (size_t at = 0; at + BLOCK <= frames; at += BLOCK) {
            double power = 0;
            for (size_t i = 2 * at; i < 2 * (at + BLOCK); i++)
                power += (double)stereo[i] * (double)stereo[i];
            if (power >= gate) {
                sum += power;
                blocks++;
            }
        }
        gate = blocks ? sum / (double)blocks * (pass ? 1 : 0.01) : 0;
    }
    return sqrt(gate / (2 * BLOCK)) + 1e-12;
}

/* A peak compressor whose threshold is twice the stem's RMS: it evens out a line and tames hits. */
static void compress(float *stereo, size_t frames, double ratio)
{
    double threshold = 2 * active_rms(stereo, frames), envelope = 0;
    double attack = 1 - exp(-1 / (0.002 * RATE)), release = 1 - exp(-1 / (0.120 * RATE));

    for (size_t i = 0; i < frames; i++) {
        double level = fmax(fabs((double)stereo[2 * i]), fabs((double)stereo[2 * i + 1]));
        envelope += (level > envelope ? attack : release) * (level - envelope);
        double gain = envelope > threshold ? pow(envelope / threshold, 1 / ratio - 1) : 1;
        stereo[2 * i] *= (float)gain;
        stereo[2 * i + 1] *= (float)gain;
    }
}

/* A look-ahead limiter: no sample is more than 9 dB above the RMS, about where records keep their peaks.
 * The gain falls over the 1.5 ms before a peak and recovers over 60 ms. */
static void limit(float *stereo, size_t frames)
{
    double ceiling = gain_of(9) * active_rms(stereo, frames), envelope = 0;
    double fall = exp(-1 / (0.0015 * RATE)), recover = exp(-1 / (0.060 * RATE));
    float *level = grab(frames, sizeof *level);

    for (size_t i = 0; i < frames; i++) {
        double peak = fmax(fabs((double)stereo[2 * i]), fabs((double)stereo[2 * i + 1]));
        envelope = fmax(peak, envelope * recover);
        level[i] = (float)envelope;
    }
    envelope = 0;
    for (size_t i = frames; i-- > 0;) {
        envelope = fmax((double)level[i], envelope * fall);
        float gain = (float)fmin(1, ceiling / (envelope + 1e-12));
        stereo[2 * i] *= gain;
        stereo[2 * i + 1] *= gain;
    }
    free(level);
}

/* First reflections from the walls: taps that come back from both sides. */
static void add_early(float *stereo, const float *dry, size_t frames, double gain)
{
    static const struct {
        double delay_ms, left, right;
    } taps[] = {{11, 0.9, 0.3}, {15, 0.2, 0.8}, {21, 0.6, 0.2},
                {27, 0.2, 0.6}, {34, 0.5, 0.3}, {41, 0.2, 0.4}};

    for (size_t t = 0; t < sizeof taps / sizeof taps[0]; t++) {
        size_t delay = (size_t)(taps[t].delay_ms * RATE / 1000);
        float left = (float)(gain * taps[t].left), right = (float)(gain * taps[t].right);
        for (size_t i = delay; i < frames; i++) {
            stereo[2 * i] += left * dry[2 * (i - delay)];
            stereo[2 * i + 1] += right * dry[2 * (i - delay) + 1];
        }
    }
}

/* Eight delay lines that feed each other through a Householder matrix (Jot and Chaigne 1991). */
enum { LINES = 8 };

struct hall {
    float *line[LINES];
    size_t length[LINES], at[LINES];
    double feedback[LINES], low[LINES];
};

static void open_hall(struct hall *hall, double decay_s)
{
    static const size_t primes[LINES] = {1123, 1291, 1423, 1559, 1697, 1871, 2017, 2179};

    for (int i = 0; i < LINES; i++) {
        hall->length[i] = primes[i];
        hall->at[i] = 0;
        hall->low[i] = 0;
        hall->line[i] = grab(primes[i], sizeof(float));
        hall->feedback[i] = pow(10, -3.0 * (double)primes[i] / RATE / decay_s); /* -60 dB in decay_s */
    }
}

static void run_hall(struct hall *hall, const double in[2], double out[2])
{
    static const double side[LINES] = {1, -1, -1, 1, 1, 1, -1, -1};
    double back[LINES], sum = 0;

    out[0] = out[1] = 0;
    for (int i = 0; i < LINES; i++) {
        double echo = (double)hall->line[i][hall->at[i]];
        hall->low[i] += 0.55 * (echo - hall->low[i]); /* air and curtains: about 5 kHz */
        back[i] = hall->low[i] * hall->feedback[i];
        out[i & 1] += back[i] * side[i];
        sum += back[i];
    }
    for (int i = 0; i < LINES; i++) {
        hall->line[i][hall->at[i]] = (float)(back[i] - sum * 2 / LINES + in[i & 1]);
        hall->at[i] = hall->at[i] + 1 == hall->length[i] ? 0 : hall->at[i] + 1;
    }
}

static void add_hall(float *stereo, const float *dry, size_t frames, const struct place *place)
{
    struct hall hall;
    size_t delay = (size_t)(place->pre_delay_ms * RATE / 1000);
    double gain = gain_of(place->wet_db);

    open_hall(&hall, place->decay_s);
    for (size_t i = delay; i < frames; i++) {
        double in[2] = {(double)dry[2 * (i - delay)], (double)dry[2 * (i - delay) + 1]}, out[2];
        run_hall(&hall, in, out);
        stereo[2 * i] += (float)(gain * out[0]);
        stereo[2 * i + 1] += (float)(gain * out[1]);
    }
    for (int i = 0; i < LINES; i++)
        free(hall.line[i]);
}

/* A Butterworth high-pass of second order; it also takes out what DC the synthesizer left. */
static void cut_low(float *stereo, size_t frames, double hz)
{
    double k = tan(tau / 2 * hz / RATE), norm = 1 / (1 + sqrt(2) * k + k * k);
    double b1 = 2 * (k * k - 1) * norm, b2 = (1 - sqrt(2) * k + k * k) * norm;

    for (size_t channel = 0; channel < 2; channel++) {
        double s1 = 0, s2 = 0;
        for (size_t i = channel; i < 2 * frames; i += 2) {
            double x = (double)stereo[i], y = norm * x + s1;
            s1 = -2 * norm * x - b1 * y + s2;
            s2 = norm * x - b2 * y;
            stereo[i] = (float)y;
        }
    }
}

/* A shelf of first order from 2.5 kHz up. */
static void brighten(float *stereo, size_t frames, double db)
{
    double open = 1 - exp(-tau * 2500 / RATE), low[2] = {0, 0};

    for (size_t i = 0; i < 2 * frames; i++) {
        double x = (double)stereo[i];
        low[i & 1] += open * (x - low[i & 1]);
        stereo[i] = (float)(x + (gain_of(db) - 1) * (x - low[i & 1]));
    }
}

static void fade(float *stereo, size_t frames)
{
    const size_t in = RATE / 100, out = (size_t)(1.5 * RATE);

    for (size_t i = 0; i < 2 * frames; i++) {
        size_t left = frames - 1 - i / 2;
        double gain = fmin(1, (double)(i / 2) / (double)in);
        if (left < out)
            gain *= 0.5 - 0.5 * cos(tau / 2 * (double)left / (double)out);
        stereo[i] *= (float)gain;
    }
}

void scale(float *stereo, size_t frames, double gain)
{
    for (size_t i = 0; i < 2 * frames; i++)
        stereo[i] *= (float)gain;
}

#define SILENT 1e-6 /* RMS: nothing plays */

void place_stem(float *stereo, size_t frames, const struct place *place)
{
    float *dry = grab(2 * frames, sizeof *dry);

    brighten(stereo, frames, place->bright_db);
    compress(stereo, frames, place->ratio);
    limit(stereo, frames);
    cut_low(stereo, frames, place->low_cut_hz);
    memcpy(dry, stereo, 2 * frames * sizeof *dry);
    if (place->early_db > DRY)
        add_early(stereo, dry, frames, gain_of(place->early_db));
    if (place->wet_db > DRY)
        add_hall(stereo, dry, frames, place);
    free(dry);
    fade(stereo, frames);
    double rms = active_rms(stereo, frames);
    scale(stereo, frames, rms > SILENT ? gain_of(place->level_db) / rms : 0);
}

double true_peak(const float *stereo, size_t frames)
{
    enum { TAPS = 24 };
    double filter[4][TAPS], peak = 0;

    for (int phase = 0; phase < 4; phase++)
        for (int i = 0; i < TAPS; i++) {
            double x = i - TAPS / 2 + 1 - phase / 4.0, window = 0.5 + 0.5 * cos(tau * x / (TAPS + 1));
            filter[phase][i] = fabs(x) < 1e-9 ? 1 : window * sin(tau / 2 * x) / (tau / 2 * x);
        }
    for (size_t at = 0; at + 2 * TAPS <= 2 * frames; at++)
        for (int phase = 0; phase < 4; phase++) {
            double sum = 0;
            for (size_t i = 0; i < TAPS; i++)
                sum += filter[phase][i] * (double)stereo[at + 2 * i];
            peak = fmax(peak, fabs(sum));
        }
    return peak;
}
