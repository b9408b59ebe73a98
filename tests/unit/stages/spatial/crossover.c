/* SPDX-License-Identifier: GPL-3.0-or-later
 * The crossover against scipy's filters and against what Linkwitz and Riley promise. */
#include "stages/spatial/crossover.h"
#include "test.h"

#include <complex.h>

#define N 65536

typedef struct bands {
    float in[2][N], low[2][N], high[2][N];
} bands;

static bands *impulse_response(double hz, double rate)
{
    bands *b = calloc(1, sizeof *b);
    float *in[2] = {b->in[0], b->in[1]}, *low[2] = {b->low[0], b->low[1]},
          *high[2] = {b->high[0], b->high[1]};
    ap_crossover x;
    ap_crossover_init(&x, hz, rate);
    b->in[0][0] = 1;
    b->in[1][100] = -2;
    ap_crossover_run(&x, in, low, high, N);
    return b;
}

static double complex response(const float *x, double hz, double rate)
{
    double complex sum = 0;
    for (int i = 0; i < N; i++)
        sum += x[i] * cexp(-2 * M_PI * I * hz / rate * i);
    return sum;
}

static void is_flat_in_sum(void)
{
    static const double rates[] = {8000, 44100, 192000};
    for (int r = 0; r < 3; r++) {
        bands *b = impulse_response(150, rates[r]);
        for (double hz = 20; hz < 0.49 * rates[r]; hz *= 1.3) {
            double complex low = response(b->low[0], hz, rates[r]), high = response(b->high[0], hz, rates[r]);
            CHECK_NEAR(20 * log10(cabs(low + high)), 0, 1e-3);
            /* The bands are in phase, so their magnitudes add up too. */
            CHECK_NEAR(cabs(low) + cabs(high), 1, 1e-4);
        }
        CHECK_NEAR(20 * log10(cabs(response(b->low[0], 150, rates[r]))), -6.02, 0.01);
        CHECK_NEAR(20 * log10(cabs(response(b->low[0], 600, rates[r]))), -48.2, 0.7);
        CHECK_NEAR(20 * log10(cabs(response(b->high[0], 37.5, rates[r]))), -48.2, 0.7);
        free(b);
    }
}

static void equals_scipy(void)
{
    bands *b = impulse_response(150, 44100);
    FILE *p = popen("/usr/bin/python3 -c '\n"
                    "from scipy.signal import butter, sosfilt\n"
                    "import numpy as np\n"
                    "x = np.zeros(3000); x[0] = 1\n"
                    "for kind in (\"low\", \"high\"):\n"
                    "    sos = butter(2, 150, kind, fs=44100, output=\"sos\")\n"
                    "    for v in sosfilt(sos, sosfilt(sos, x)): print(v)\n'",
                    "r");
    double reference, worst = 0;
    int read = 0;
    for (; fscanf(p, "%lf", &reference) == 1; read++)
        worst = fmax(worst, fabs(reference - (read < 3000 ? b->low[0][read] : b->high[0][read - 3000])));
    CHECK(pclose(p) == 0 && read == 6000);
    CHECK(worst < 1e-7);
    free(b);
}

static void channels_are_apart(void)
{
    bands *b = impulse_response(150, 44100);
    for (int i = 0; i + 100 < N; i++) {
        CHECK_NEAR(b->low[1][i + 100], -2 * b->low[0][i], 1e-9);
        CHECK_NEAR(b->high[1][i + 100], -2 * b->high[0][i], 1e-6);
    }
    CHECK(b->low[1][99] == 0 && b->high[1][99] == 0);
    free(b);
}

static void off_means_all_is_high(void)
{
    bands *b = impulse_response(0, 44100);
    CHECK(memcmp(b->in, b->high, sizeof b->in) == 0);
    for (int i = 0; i < N; i++)
        CHECK(b->low[0][i] == 0 && b->low[1][i] == 0);
    free(b);
}

static void corner_beyond_nyquist_is_harmless(void)
{
    bands *b = impulse_response(1000, 1000);
    for (double hz = 10; hz < 490; hz += 30)
        CHECK_NEAR(cabs(response(b->low[0], hz, 1000) + response(b->high[0], hz, 1000)), 1, 1e-4);
    free(b);
}

static void decays_to_exact_zero(void)
{
    ap_crossover x;
    ap_crossover_init(&x, 150, 44100);
    float a[512] = {0x1p40f}, *p[2] = {a, a}, low[512], high[512], *l[2] = {low, low}, *h[2] = {high, high};
    for (int i = 0; i < 400; i++) {
        ap_crossover_run(&x, p, l, h, 512);
        a[0] = 0;
    }
    for (int i = 0; i < 4; i++)
        CHECK(x.state[0][i] == 0 && x.state[1][i] == 0);
}

TEST_MAIN(CASE(is_flat_in_sum), CASE(equals_scipy), CASE(channels_are_apart), CASE(off_means_all_is_high),
          CASE(corner_beyond_nyquist_is_harmless), CASE(decays_to_exact_zero))
