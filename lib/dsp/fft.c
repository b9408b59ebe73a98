/* SPDX-License-Identifier: GPL-3.0-or-later
 * fft.c - FFTW's transforms. */
#include "dsp/fft.h"

#include <fftw3.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct ap_fft {
    fftwf_plan forward, inverse;
};

struct ap_fft_pair {
    size_t size;
    fftwf_plan forward, inverse;
};

/* FFTW's planner is the one part of it that is not thread-safe. */
static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;

static void forget_plans(fftwf_plan forward, fftwf_plan inverse)
{
    pthread_mutex_lock(&planner);
    fftwf_destroy_plan(forward);
    fftwf_destroy_plan(inverse);
    pthread_mutex_unlock(&planner);
}

void *ap_fft_alloc(size_t count, size_t size)
{
    if (size && count > (SIZE_MAX - 64) / size)
        return NULL;
    size_t bytes = (count * size + 63) / 64 * 64;
    void *memory = aligned_alloc(64, bytes ? bytes : 64);
    return memory ? memset(memory, 0, bytes) : NULL;
}

ap_fft *ap_fft_new(size_t size)
{
    ap_fft *fft = calloc(1, sizeof *fft);
    float *time = ap_fft_alloc(size, sizeof *time);
    fftwf_complex *bins = ap_fft_alloc(size / 2 + 1, sizeof *bins);
    if (fft && time && bins) {
        pthread_mutex_lock(&planner);
        fft->forward = fftwf_plan_dft_r2c_1d((int)size, time, bins, FFTW_ESTIMATE);
        fft->inverse = fftwf_plan_dft_c2r_1d((int)size, bins, time, FFTW_ESTIMATE);
        pthread_mutex_unlock(&planner);
    }
    free(time);
    free(bins);
    if (fft && fft->forward && fft->inverse)
        return fft;
    ap_fft_free(fft);
    return NULL;
}

void ap_fft_free(ap_fft *fft)
{
    if (fft)
        forget_plans(fft->forward, fft->inverse);
    free(fft);
}

void ap_fft_forward(const ap_fft *fft, float *in, float complex *bins)
{
    fftwf_execute_dft_r2c(fft->forward, in, (fftwf_complex *)bins);
}

void ap_fft_inverse(const ap_fft *fft, float complex *bins, float *out)
{
    fftwf_execute_dft_c2r(fft->inverse, (fftwf_complex *)bins, out);
}

/* The inverse is the same with the parts exchanged, but a plan also keeps how far they lie apart. */
static fftwf_plan plan_split(size_t size, float *in, float *out, bool inverse)
{
    const fftwf_iodim whole = {.n = (int)size, .is = 1, .os = 1};
    const size_t re = inverse ? size : 0, im = size - re;
    return fftwf_plan_guru_split_dft(1, &whole, 0, NULL, in + re, in + im, out + re, out + im, FFTW_ESTIMATE);
}

ap_fft_pair *ap_fft_pair_new(size_t size)
{
    ap_fft_pair *fft = calloc(1, sizeof *fft);
    float *in = ap_fft_alloc(2 * size, sizeof *in), *out = ap_fft_alloc(2 * size, sizeof *out);
    if (fft && in && out) {
        pthread_mutex_lock(&planner);
        fft->size = size;
        fft->forward = plan_split(size, in, out, false);
        fft->inverse = plan_split(size, in, out, true);
        pthread_mutex_unlock(&planner);
    }
    free(in);
    free(out);
    if (fft && fft->forward && fft->inverse)
        return fft;
    ap_fft_pair_free(fft);
    return NULL;
}

void ap_fft_pair_free(ap_fft_pair *fft)
{
    if (fft)
        forget_plans(fft->forward, fft->inverse);
    free(fft);
}

void ap_fft_pair_forward(const ap_fft_pair *fft, float *in, float *out)
{
    fftwf_execute_split_dft(fft->forward, in, in + fft->size, out, out + fft->size);
}

void ap_fft_pair_inverse(const ap_fft_pair *fft, float *in, float *out)
{
    fftwf_execute_split_dft(fft->inverse, in + fft->size, in, out + fft->size, out);
}
