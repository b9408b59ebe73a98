/* SPDX-License-Identifier: GPL-3.0-or-later
 * fft.c - FFTW's real transforms. */
#include "dsp/fft.h"

#include <fftw3.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct ap_fft {
    fftwf_plan forward, inverse;
};

/* FFTW's planner is the one part of it that is not thread-safe. */
static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;

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
    if (!fft)
        return;
    pthread_mutex_lock(&planner);
    fftwf_destroy_plan(fft->forward);
    fftwf_destroy_plan(fft->inverse);
    pthread_mutex_unlock(&planner);
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
