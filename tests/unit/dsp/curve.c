/* SPDX-License-Identifier: GPL-3.0-or-later
 * Fades against sox's, whose curves they are, and denormal numbers. */
#include "dsp/curve.h"
#include "dsp/denormals.h"
#include "fixture.h"

#include <float.h>

enum { N = 1000 };

static const struct {
    ap_curve curve;
    char sox;
} curves[] = {{AP_CURVE_LINEAR, 't'},
              {AP_CURVE_QUARTER, 'q'},
              {AP_CURVE_HALF, 'h'},
              {AP_CURVE_LOG, 'l'},
              {AP_CURVE_PARABOLA, 'p'}};

/* Their logarithmic curve begins at -100 dB, ours at silence. */
static void are_those_of_sox(void)
{
    for (size_t c = 0; c < sizeof curves / sizeof *curves; c++) {
        size_t size;
        if (!sh("sox -D -r 1000 -n -c 1 -e float -b 32 -t raw faded trim 0 %ds dcshift 0.5 fade %c %ds", N,
                curves[c].sox, N))
            return;
        float *theirs = (float *)(void *)load("faded", &size);
        CHECK(theirs && size == N * sizeof *theirs);
        for (size_t i = 0; i < size / sizeof *theirs; i++)
            CHECK_NEAR(ap_curve_gain(curves[c].curve, (double)i / N), theirs[i] / 0.5f, 1.1e-5);
        free(theirs);
    }
}

static void rise_from_zero_to_one(void)
{
    for (size_t c = 0; c < sizeof curves / sizeof *curves; c++) {
        double before = 0;
        CHECK(ap_curve_gain(curves[c].curve, 0) == 0 && ap_curve_gain(curves[c].curve, -3) == 0);
        CHECK(ap_curve_gain(curves[c].curve, 1) == 1 && ap_curve_gain(curves[c].curve, 7) == 1);
        for (double at = 0; at <= 1; at += 0.001) {
            CHECK(ap_curve_gain(curves[c].curve, at) >= before);
            before = ap_curve_gain(curves[c].curve, at);
        }
        CHECK(before <= 1 && before > 0.98);
    }
    /* equal power, equal amplitude */
    for (double at = 0; at <= 1; at += 0.01) {
        CHECK_NEAR(pow(ap_curve_gain(AP_CURVE_QUARTER, at), 2) +
                       pow(ap_curve_gain(AP_CURVE_QUARTER, 1 - at), 2),
                   1, 1e-9);
        CHECK_NEAR(ap_curve_gain(AP_CURVE_HALF, at) + ap_curve_gain(AP_CURVE_HALF, 1 - at), 1, 1e-9);
    }
}

static void denormals_are_zero_between(void)
{
    volatile float least = FLT_MIN, half = 0.5f;
    CHECK(least * half > 0);
    const unsigned saved = ap_ignore_denormals();
#ifdef __SSE__
    CHECK(!(least * half > 0));
#endif
    CHECK(least * 2 * half == least);
    ap_restore_denormals(saved);
    CHECK(least * half > 0);
}

TEST_MAIN(CASE(are_those_of_sox), CASE(rise_from_zero_to_one), CASE(denormals_are_zero_between))
