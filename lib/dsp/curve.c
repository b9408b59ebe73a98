/* SPDX-License-Identifier: GPL-3.0-or-later
 * curve.c - how a fade rises from silence to full level: the curves of sox's fade. */
#include "dsp/curve.h"

#include <math.h>

#define LOG_RANGE 5.0 /* decades: the logarithmic curve comes from -100 dB, as sox's does */

double ap_curve_gain(ap_curve curve, double at)
{
    if (at <= 0)
        return 0;
    if (at >= 1)
        return 1;
    switch (curve) {
    case AP_CURVE_QUARTER:
        return sin(at * M_PI / 2);
    case AP_CURVE_HALF:
        return (1 - cos(at * M_PI)) / 2;
    case AP_CURVE_LOG:
        return pow(10, -LOG_RANGE * (1 - at));
    case AP_CURVE_PARABOLA:
        return 1 - (1 - at) * (1 - at);
    default:
        return at;
    }
}
