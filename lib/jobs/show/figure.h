/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * figure.h - a picture of a sound file in a report. */
#ifndef AP_JOBS_SHOW_FIGURE_H
#define AP_JOBS_SHOW_FIGURE_H

#include "audiopipe.h"
#include <stdio.h>

/* An SVG of a sound file: waveform above, spectrogram below, and the times. Its look is the page's, by the
 * classes peak, rms, tick, mark and hz. */
bool ap_picture_svg(FILE *out, const char *path, ap_error *err);

#endif
