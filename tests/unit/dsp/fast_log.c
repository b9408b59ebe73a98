/* SPDX-License-Identifier: GPL-3.0-or-later
 * Fast logarithms and powers, against libm's. */
#include "dsp/fast_log.h"
#include "test.h"

static void logarithms_are_near_those_of_libm(void)
{
    double worst = 0;
    for (double x = 1.2e-38; x < 3e38; x *= 1.0007)
        worst = fmax(worst, fabs((double)ap_fast_log2((float)x) - log2((double)(float)x)));
    CHECK(worst < 0.0002);
    for (int e = -126; e < 128; e++)
        CHECK(ap_fast_log2(ldexpf(1, e)) == (float)e);
}

static void powers_are_near_those_of_libm(void)
{
    double worst = 0;
    for (float x = -126; x <= 126; x += 0.0013f)
        worst = fmax(worst, fabs((double)ap_fast_exp2(x) / exp2((double)x) - 1));
    CHECK(worst < 0.0002);
    for (int e = -126; e <= 126; e++)
        CHECK(ap_fast_exp2((float)e) == ldexpf(1, e));
}

TEST_MAIN(CASE(logarithms_are_near_those_of_libm), CASE(powers_are_near_those_of_libm))
