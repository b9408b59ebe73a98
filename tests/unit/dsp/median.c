/* SPDX-License-Identifier: GPL-3.0-or-later
 * Running medians against sorting each window. */
#include "dsp/median.h"
#include "dsp/mirror.h"
#include "test.h"

#include <float.h>

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Of an even number of values the upper one. */
static float median_of(float *values, size_t n)
{
    qsort(values, n, sizeof *values, by_value);
    return values[n / 2];
}

/* Values of a kind: noise; few different ones; powers, from denormal to the largest; ramps. */
static float *make_series(size_t n, int kind, uint64_t seed)
{
    float *x = test_noise(n * AP_LANES, 1, seed);
    for (size_t i = 0; i < n * AP_LANES; i++) {
        const float u = fabsf(x[i]);
        switch (kind) {
        case 0:
            x[i] = u;
            break;
        case 1:
            x[i] = floorf(3 * u);
            break;
        case 2:
            x[i] = u < 0.1f ? FLT_MAX : u < 0.2f ? INFINITY : u < 0.3f ? FLT_MIN / 8 : expf(80 * u - 60);
            break;
        default:
            x[i] = (float)((i / AP_LANES) % 37);
        }
    }
    return x;
}

static const size_t lengths[] = {1, 2, 3, 4, 5, 17, 31, 64, 255};

static void series_are_sorted_windows(void)
{
    static const size_t counts[] = {1, 2, 3, 30, 100};
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
            for (int kind = 0; kind < 4; kind++) {
                const size_t length = lengths[l], n = counts[c];
                float *x = make_series(n, kind, 1 + l), *y = malloc(n * AP_LANES * sizeof *y),
                      *sorted = malloc(length * AP_LANES * sizeof *sorted), window[255];
                size_t wrong = 0;
                ap_median_series(sorted, length, x, n, y);
                for (size_t i = 0; i < n * AP_LANES; i++) {
                    for (size_t k = 0; k < length; k++) {
                        const int64_t at = (int64_t)(i / AP_LANES) - (int64_t)(length / 2) + (int64_t)k;
                        window[k] = x[ap_mirror(at, n) * AP_LANES + i % AP_LANES];
                    }
                    wrong += y[i] != median_of(window, length);
                }
                if (!CHECK(wrong == 0))
                    fprintf(stderr, "length %zu, %zu values, kind %d: %zu are wrong\n", length, n, kind,
                            wrong);
                free(x);
                free(y);
                free(sorted);
            }
}

/* Windows begin full of zeros; several groups of series lie one behind the other. */
static void steps_replace_one_value(void)
{
    enum { GROUPS = 3, WIDTH = GROUPS * AP_LANES, STEPS = 200 };
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
        const size_t length = lengths[l];
        float *x = make_series(STEPS * GROUPS, (int)l % 4, 9), medians[WIDTH], window[255];
        float *sorted = calloc(length * WIDTH, sizeof *sorted);
        static const float zeros[WIDTH];
        size_t wrong = 0;
        for (size_t t = 0; t < STEPS; t++) {
            ap_median_step(sorted, length, GROUPS, t < length ? zeros : x + (t - length) * WIDTH,
                           x + t * WIDTH, medians);
            for (size_t s = 0; s < WIDTH; s++) {
                for (size_t k = 0; k < length; k++)
                    window[k] = t >= k ? x[(t - k) * WIDTH + s] : 0;
                wrong += medians[s] != median_of(window, length);
            }
        }
        if (!CHECK(wrong == 0))
            fprintf(stderr, "length %zu: %zu are wrong\n", length, wrong);
        free(x);
        free(sorted);
    }
}

/* As numpy.pad(mode="symmetric") continues a series. */
static void mirrors_repeat_the_ends(void)
{
    static const uint64_t three[] = {1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1};
    for (int i = -5; i < 8; i++)
        CHECK(ap_mirror(i, 3) == three[i + 5]);
    for (int64_t i = -20; i < 20; i++) {
        CHECK(ap_mirror(i, 1) == 0);
        CHECK(ap_mirror(i, 7) < 7 && ap_mirror(-1 - i, 7) == ap_mirror(i, 7));
        CHECK(ap_mirror(i + 14, 7) == ap_mirror(i, 7));
    }
    CHECK(ap_mirror(INT64_C(1) << 40, UINT64_C(1) << 41) == UINT64_C(1) << 40);
}

TEST_MAIN(CASE(series_are_sorted_windows), CASE(steps_replace_one_value), CASE(mirrors_repeat_the_ends))
