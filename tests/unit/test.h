/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * test.h - the unit tests' few words. A test program is one file with cases (functions without parameters)
 * and
 *
 *     TEST_MAIN(CASE(silence_stays_silent), CASE(any_block_size_gives_the_same))
 *
 * It prints "ok NAME" or "not ok NAME" for each case, and what was wrong on stderr.
 */
#ifndef TEST_H
#define TEST_H

#include "audiopipe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int test_failures;

/* Fails the running case, without leaving it. */
#define CHECK(condition)                                                                                     \
    ((condition) ? true                                                                                      \
                 : (test_failures++, fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), false))
/* Fails the running case unless |a - b| <= tolerance; prints both. */
#define CHECK_NEAR(a, b, tolerance)                                                                          \
    (fabs((double)(a) - (double)(b)) <= (tolerance)                                                          \
         ? true                                                                                              \
         : (test_failures++,                                                                                 \
            fprintf(stderr, "%s:%d: %s = %.9g, %s = %.9g\n", __FILE__, __LINE__, #a, (double)(a), #b,        \
                    (double)(b)),                                                                            \
            false))

typedef struct test_case {
    const char *name;
    void (*run)(void);
} test_case;

#define CASE(function)                                                                                       \
    {                                                                                                        \
#function, function                                                                                  \
    }
#define TEST_MAIN(...)                                                                                       \
    int main(void)                                                                                           \
    {                                                                                                        \
        static const test_case cases[] = {__VA_ARGS__};                                                      \
        int failed = 0;                                                                                      \
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {                                          \
            test_failures = 0;                                                                               \
            cases[i].run();                                                                                  \
            printf("%s %s\n", test_failures ? "not ok" : "ok", cases[i].name);                               \
            fflush(stdout);                                                                                  \
            failed += test_failures != 0;                                                                    \
        }                                                                                                    \
        return failed != 0;                                                                                  \
    }

/* ---- signals */

static inline uint32_t test_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u; /* Knuth, MMIX */
    return (uint32_t)(*state >> 32);
}

/* White noise in +-level, from a seed. The caller frees it. */
static inline float *test_noise(size_t count, float level, uint64_t seed)
{
    float *x = malloc((count ? count : 1) * sizeof *x);
    for (size_t i = 0; i < count; i++)
        x[i] = level * ((float)test_random(&seed) * 0x1p-31f - 1.0f);
    return x;
}

/* A stream over noise; *data gets the samples, to be freed after the stream. */
static inline ap_stream *test_noise_stream(uint32_t rate, uint32_t channels, uint64_t frames, float **data)
{
    ap_format format = {rate, channels, 0, frames};
    *data = test_noise(frames * channels, 0.5f, 1);
    return ap_source_memory(&format, *data, NULL);
}

/* Reads the whole stream in blocks of at most block frames and closes it. Returns the frames (the caller
 * frees them) and sets *count; NULL when reading failed or s is NULL. */
static inline float *test_drain(ap_stream *s, size_t block, size_t *count)
{
    *count = 0;
    if (!s)
        return NULL;
    uint32_t channels = ap_stream_format(s)->channels;
    size_t capacity = 1 << 16;
    float *out = malloc(capacity * channels * sizeof *out);
    ptrdiff_t n;
    ap_error err;
    while (true) {
        if (*count + block > capacity) {
            capacity = 2 * capacity + block;
            out = realloc(out, capacity * channels * sizeof *out);
        }
        if ((n = ap_read(s, out + *count * channels, block, &err)) <= 0)
            break;
        *count += (size_t)n;
    }
    ap_close(&s);
    if (n == 0)
        return out;
    fprintf(stderr, "test_drain: %s\n", err.message);
    free(out);
    return NULL;
}

static inline double test_max_difference(const float *a, const float *b, size_t count)
{
    double worst = 0;
    for (size_t i = 0; i < count; i++)
        worst = fmax(worst, isfinite(a[i] - b[i]) ? fabs((double)a[i] - (double)b[i]) : INFINITY);
    return worst;
}

static inline double test_rms(const float *x, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)x[i] * (double)x[i];
    return count ? sqrt(sum / (double)count) : 0;
}

#endif
