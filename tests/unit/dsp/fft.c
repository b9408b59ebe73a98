/* SPDX-License-Identifier: GPL-3.0-or-later
 * Fourier transforms against the sum that defines them, in double precision. */
#include "dsp/fft.h"
#include "test.h"

#include <pthread.h>

static const size_t sizes[] = {2, 4, 6, 10, 64, 98, 334, 480, 1024, 2048};
#define SIZES (sizeof sizes / sizeof *sizes)

/* What rounding may do: a few units of the last place of the root mean square of the bins, sqrt(n) of it. */
static double tolerance(size_t n)
{
    return 1e-6 * sqrt((double)n);
}

static float *noise(size_t n, uint64_t seed)
{
    float *x = ap_fft_alloc(n, sizeof *x), *from = test_noise(n, 1, seed);
    memcpy(x, from, n * sizeof *x);
    free(from);
    return x;
}

static double complex defined(const float *x, size_t n, size_t k)
{
    double complex sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * cexp(-2 * M_PI * I * (double)(i * k % n) / (double)n);
    return sum;
}

static void forward_is_the_defining_sum(void)
{
    for (size_t s = 0; s < SIZES; s++) {
        const size_t n = sizes[s];
        ap_fft *fft = ap_fft_new(n);
        float *x = noise(n, n);
        float complex *bins = ap_fft_alloc(n / 2 + 1, sizeof *bins);
        ap_fft_forward(fft, x, bins);
        for (size_t k = 0; k <= n / 2; k++)
            if (!CHECK_NEAR(cabs(defined(x, n, k) - bins[k]), 0, tolerance(n)))
                fprintf(stderr, "size %zu, bin %zu\n", n, k);
        free(x);
        free(bins);
        ap_fft_free(fft);
    }
}

static void inverse_multiplies_by_the_size(void)
{
    for (size_t s = 0; s < SIZES; s++) {
        const size_t n = sizes[s];
        ap_fft *fft = ap_fft_new(n);
        float *x = noise(n, n), *y = ap_fft_alloc(n, sizeof *y), *copy = noise(n, n);
        float complex *bins = ap_fft_alloc(n / 2 + 1, sizeof *bins);
        ap_fft_forward(fft, x, bins);
        ap_fft_inverse(fft, bins, y);
        for (size_t i = 0; i < n; i++)
            CHECK_NEAR(y[i] / (float)n, copy[i], 1e-6);
        free(x);
        free(y);
        free(copy);
        free(bins);
        ap_fft_free(fft);
    }
}

/* Blocks that start in the middle of an array, a multiple of 16 floats or 8 bins behind its start. */
static void arrays_may_start_later(void)
{
    ap_fft *fft = ap_fft_new(64);
    float *x = noise(64 + 48, 3);
    float complex *bins = ap_fft_alloc(33 + 24, sizeof *bins);
    for (size_t at = 0; at <= 48; at += 16)
        for (size_t to = 0; to <= 24; to += 8) {
            ap_fft_forward(fft, x + at, bins + to);
            for (size_t k = 0; k <= 32; k++)
                CHECK_NEAR(cabs(defined(x + at, 64, k) - bins[to + k]), 0, tolerance(64));
        }
    free(x);
    free(bins);
    ap_fft_free(fft);
}

typedef struct user {
    const ap_fft *fft;
    float *x;
    float complex *bins;
} user;

static void *transform_often(void *argument)
{
    user *u = argument;
    for (int i = 0; i < 200; i++)
        ap_fft_forward(u->fft, u->x, u->bins);
    return NULL;
}

static void threads_share_a_plan(void)
{
    ap_fft *fft = ap_fft_new(480);
    user users[4];
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        users[i] = (user){fft, noise(480, i), ap_fft_alloc(241, sizeof(float complex))};
        pthread_create(&threads[i], NULL, transform_often, &users[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        for (size_t k = 0; k <= 240; k++)
            CHECK_NEAR(cabs(defined(users[i].x, 480, k) - users[i].bins[k]), 0, tolerance(480));
        free(users[i].x);
        free(users[i].bins);
    }
    ap_fft_free(fft);
}

static void memory_is_aligned_and_zero(void)
{
    for (size_t n = 0; n < 100; n += 7) {
        float *x = ap_fft_alloc(n, sizeof *x);
        CHECK(x && (uintptr_t)x % 64 == 0);
        for (size_t i = 0; i < n; i++)
            CHECK(x[i] == 0);
        free(x);
    }
    CHECK(!ap_fft_alloc(SIZE_MAX / 4, 8));
    CHECK(!ap_fft_alloc(SIZE_MAX, 1));
    ap_fft_free(NULL);
}

TEST_MAIN(CASE(forward_is_the_defining_sum), CASE(inverse_multiplies_by_the_size),
          CASE(arrays_may_start_later), CASE(threads_share_a_plan), CASE(memory_is_aligned_and_zero))
