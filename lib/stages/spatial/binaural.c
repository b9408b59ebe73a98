/* SPDX-License-Identifier: GPL-3.0-or-later
 * binaural.c - virtual speakers heard through head-related transfer functions: for each speaker and ear a
 * delay and a minimum-phase filter, which both move. */
#include "base/error.h"
#include "stages/spatial/convolve.h"
#include "stages/spatial/delay.h"
#include "stages/spatial/hrtf.h"
#include "stages/spatial/renderer.h"
#include "stages/spatial/trajectory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct voice {
    float *past;     /* history frames of the speaker's signal, then the block */
    float *between;  /* the signal half a frame later, up to AP_DELAY_AHEAD before the end of past */
    double delay[2]; /* at the end of the last block */
    size_t hint;
} voice;

typedef struct binaural {
    size_t block, speakers, history;
    double rate, latency;
    ap_hrtf *hrtf;
    ap_convolver *convolver;
    float *table;
    voice *voices;
    ap_split response[2];
    size_t hint;
    bool running;
} binaural;

static void binaural_free(void *state)
{
    binaural *b = state;
    if (!b)
        return;
    for (size_t k = 0; b->voices && k < b->speakers; k++)
        free(b->voices[k].past), free(b->voices[k].between);
    ap_hrtf_free(b->hrtf);
    ap_convolver_free(b->convolver);
    free(b->table);
    free(b->voices);
    free(b->response[0].re);
    free(b);
}

/* The filters and delays that speaker k ends the block with. */
static void aim(binaural *b, size_t k, double azimuth, double elevation, double delay[2])
{
    const ap_split bins[2] = {ap_convolver_filter(b->convolver, 2 * k),
                              ap_convolver_filter(b->convolver, 2 * k + 1)};
    ap_hrtf_at(b->hrtf, azimuth, elevation, &b->voices[k].hint, bins, delay);
    delay[0] += b->latency;
    delay[1] += b->latency;
}

static void take(const binaural *b, voice *v, const float *in)
{
    const size_t from = b->history - AP_DELAY_AHEAD;
    memcpy(v->past + b->history, in, b->block * sizeof *v->past);
    ap_delay_between(b->table, v->past + from, v->between + from, b->block);
}

static void binaural_render(void *state, const ap_position ends[2], const double *angle, float *const *in,
                            size_t speakers, float *const out[2])
{
    binaural *b = state;
    for (size_t k = 0; k < speakers; k++) {
        voice *v = &b->voices[k];
        double delay[2];
        if (!b->running)
            aim(b, k, ends[0].azimuth + angle[k], ends[0].elevation, v->delay);
        aim(b, k, ends[1].azimuth + angle[k], ends[1].elevation, delay);
        take(b, v, in[k]);
        for (size_t ear = 0; ear < 2; ear++) {
            ap_delay_run(b->table, v->past + b->history, v->between + b->history, v->delay[ear], delay[ear],
                         ap_convolver_input(b->convolver, 2 * k + ear), b->block);
            v->delay[ear] = delay[ear];
        }
        memmove(v->past, v->past + b->block, b->history * sizeof *v->past);
        memmove(v->between, v->between + b->block, b->history * sizeof *v->between);
    }
    b->running = true;
    ap_convolver_run(b->convolver, out);
}

static void binaural_response(void *state, double azimuth, double elevation, const double *hz, size_t count,
                              double complex *out[2])
{
    binaural *b = state;
    double delay[2];
    ap_hrtf_at(b->hrtf, azimuth, elevation, &b->hint, b->response, delay);
    for (int ear = 0; ear < 2; ear++)
        for (size_t i = 0; i < count; i++) {
            double bin = hz[i] / b->rate * 2 * (double)b->block,
                   turn = -2 * M_PI * hz[i] / b->rate * delay[ear];
            long at = lround(bin);
            out[ear][i] = CMPLX((double)b->response[ear].re[at], (double)b->response[ear].im[at]) *
                          CMPLX(cos(turn), sin(turn));
        }
}

static bool allocate(binaural *b)
{
    size_t bins = b->block + 1;
    float *response = NULL;
    bool fine = (b->convolver = ap_convolver_new(b->block, 2 * b->speakers)) &&
                (b->table = ap_delay_table()) && (b->voices = calloc(b->speakers, sizeof *b->voices)) &&
                (response = calloc(4 * bins, sizeof *response));
    for (size_t ear = 0; fine && ear < 2; ear++)
        b->response[ear] = (ap_split){response + 2 * ear * bins, response + (2 * ear + 1) * bins};
    for (size_t k = 0; fine && k < b->speakers; k++)
        fine = (b->voices[k].past = calloc(b->history + b->block, sizeof(float))) &&
               (b->voices[k].between = calloc(b->history + b->block, sizeof(float)));
    return fine;
}

ap_renderer ap_binaural_renderer(const char *path, const ap_sofa *set, uint32_t rate, size_t block,
                                 size_t speakers, ap_error *err)
{
    double swing = ceil(AP_HRTF_DELAY_S * rate), latency = swing + AP_DELAY_LEAST;
    binaural *b = calloc(1, sizeof *b);
    if (!b) {
        ap_fail_memory(err);
        return (ap_renderer){0};
    }
    *b = (binaural){.block = block,
                    .speakers = speakers,
                    .history = (size_t)(latency + swing) + 2 * AP_DELAY_AHEAD,
                    .rate = rate,
                    .latency = latency};
    b->hrtf = ap_hrtf_open(path, set, rate, block, err);
    if (b->hrtf && !allocate(b))
        ap_fail_memory(err);
    else if (b->hrtf)
        return (ap_renderer){.render = binaural_render,
                             .response = binaural_response,
                             .free = binaural_free,
                             .state = b,
                             .latency = (size_t)latency,
                             .tail = block};
    binaural_free(b);
    return (ap_renderer){0};
}
