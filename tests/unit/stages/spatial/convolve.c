/* SPDX-License-Identifier: GPL-3.0-or-later
 * Filters that move, against sums in the time domain. */
#include "stages/spatial/convolve.h"
#include "test.h"

enum { BLOCK = 64, BLOCKS = 8, TAPS = BLOCK + 1, LINES_MAX = 6 };

/* The filter of a line from block b on. */
static float *filter_of(size_t line, size_t b)
{
    return test_noise(TAPS, 0.1f, 1000 * (line + 1) + b);
}

static void set_filter(ap_convolver *c, size_t line, const float *taps)
{
    const ap_split to = ap_convolver_filter(c, line);
    for (size_t k = 0; k <= BLOCK; k++) {
        double complex sum = 0;
        for (size_t i = 0; i < TAPS; i++)
            sum += (double)taps[i] * cexp(-M_PI * I * (double)(k * i) / BLOCK);
        to.re[k] = (float)creal(sum);
        to.im[k] = (float)cimag(sum);
    }
}

static double convolved(const float *x, size_t at, const float *taps)
{
    double sum = 0;
    for (size_t k = 0; k < TAPS && k <= at; k++)
        sum += (double)taps[k] * (double)x[at - k];
    return sum;
}

/* Adds what an ear hears of a line in block b: its filter goes from old to new. */
static void add_line(const float *x, size_t b, size_t line, double *out)
{
    float *old = filter_of(line, b ? b - 1 : 0), *new = filter_of(line, b);
    for (size_t i = 0; i < BLOCK; i++) {
        double before = convolved(x, b * BLOCK + i, old), after = convolved(x, b * BLOCK + i, new);
        out[i] += before + (double)i / BLOCK * (after - before);
    }
    free(old), free(new);
}

static void equals_sums_in_the_time_domain(void)
{
    for (size_t lines = 2; lines <= LINES_MAX; lines += 2) {
        ap_convolver *c = ap_convolver_new(BLOCK, lines);
        float *x[LINES_MAX];
        double worst = 0;
        for (size_t k = 0; k < lines; k++)
            x[k] = test_noise(BLOCKS * BLOCK, 0.5f, k + 1);
        for (size_t b = 0; b < BLOCKS; b++) {
            float left[BLOCK] = {0}, right[BLOCK] = {0}, *out[2] = {left, right};
            double ought[2][BLOCK] = {0};
            for (size_t k = 0; k < lines; k++) {
                float *taps = filter_of(k, b);
                memcpy(ap_convolver_input(c, k), x[k] + b * BLOCK, BLOCK * sizeof(float));
                set_filter(c, k, taps);
                add_line(x[k], b, k, ought[k % 2]);
                free(taps);
            }
            ap_convolver_run(c, out);
            for (size_t i = 0; i < BLOCK; i++)
                worst = fmax(worst, fmax(fabs(left[i] - ought[0][i]), fabs(right[i] - ought[1][i])));
        }
        CHECK(worst < 1e-6);
        for (size_t k = 0; k < lines; k++)
            free(x[k]);
        ap_convolver_free(c);
    }
}

TEST_MAIN(CASE(equals_sums_in_the_time_domain))
