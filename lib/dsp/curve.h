/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * curve.h - how a fade rises from silence to full level. */
#ifndef AP_DSP_CURVE_H
#define AP_DSP_CURVE_H

#include "audiopipe.h"

/* The gain of a rising fade, at 0 (its beginning) to 1 (its end), and outside of them. */
double ap_curve_gain(ap_curve curve, double at);

#endif
