/* SPDX-License-Identifier: GPL-3.0-or-later
 * kweight.c - a shelf and a high-pass as one recursion of the fourth order, two channels side by side. */
#include "dsp/kweight.h"
#include "dsp/hot.h"

#include <math.h>
#include <string.h>

typedef double pair __attribute__((vector_size(16)));

#define QUIET 1e-30 /* below this a state becomes 0: no denormals before the next call */

/* ---- the filter */

/* The two filters whose coefficients at 48 kHz BS.1770-4 gives (tables 1 and 2), for any rate. The analogue
 * prototypes are libebur128's: corner in Hz, quality, gain. */
static void make_shelf(double b[3], double a[3], double rate)
{
    const double k = tan(M_PI * 1681.974450955533 / rate), q = 0.7071752369554196;
    const double high = pow(10, 3.999843853973347 / 20), band = pow(high, 0.4996667741545416);
    const double a0 = 1 + k / q + k * k;
    b[0] = (high + band * k / q + k * k) / a0;
    b[1] = 2 * (k * k - high) / a0;
    b[2] = (high - band * k / q + k * k) / a0;
    a[0] = 1;
    a[1] = 2 * (k * k - 1) / a0;
    a[2] = (1 - k / q + k * k) / a0;
}

static void make_high_pass(double b[3], double a[3], double rate)
{
    const double k = tan(M_PI * 38.13547087602444 / rate), q = 0.5003270373238773;
    const double a0 = 1 + k / q + k * k;
    b[0] = b[2] = 1;
    b[1] = -2;
    a[0] = 1;
    a[1] = 2 * (k * k - 1) / a0;
    a[2] = (1 - k / q + k * k) / a0;
}

static void multiply(double product[5], const double x[3], const double y[3])
{
    memset(product, 0, 5 * sizeof *product);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            product[i + j] += x[i] * y[j];
}

void ap_kweight_make(ap_kweight *k, uint32_t rate)
{
    double shelf[2][3], pass[2][3];
    make_shelf(shelf[0], shelf[1], rate);
    make_high_pass(pass[0], pass[1], rate);
    multiply(k->b, shelf[0], pass[0]);
    multiply(k->a, shelf[1], pass[1]);
}

/* ---- what is filtered */

/* The sums take the newest value last, so that the next sample waits for a short chain only. */
AP_HOT void ap_kweight_energy(const ap_kweight *k, ap_kweight_memory *memory, const float *x, size_t count,
                              size_t stride, unsigned width, double energy[2])
{
    const double *a = k->a, *b = k->b;
    const size_t second = width > 1 ? 1 : 0;
    pair v1, v2, v3, v4, sum = {0, 0};
    memcpy(&v1, memory->last[0], sizeof v1);
    memcpy(&v2, memory->last[1], sizeof v2);
    memcpy(&v3, memory->last[2], sizeof v3);
    memcpy(&v4, memory->last[3], sizeof v4);
    for (size_t i = 0; i < count; i++, x += stride) {
        pair in = {(double)x[0], (double)x[second]};
        pair v0 = (in - a[4] * v4 - a[3] * v3 - a[2] * v2) - a[1] * v1;
        pair out = (b[4] * v4 + b[3] * v3 + b[2] * v2) + (b[1] * v1 + b[0] * v0);
        sum += out * out;
        v4 = v3;
        v3 = v2;
        v2 = v1;
        v1 = v0;
    }
    const pair last[4] = {v1, v2, v3, v4};
    for (int i = 0; i < 4; i++)
        for (int c = 0; c < 2; c++)
            memory->last[i][c] = fabs(last[i][c]) < QUIET ? 0 : last[i][c];
    energy[0] = sum[0];
    energy[1] = sum[1];
}
