/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * png.h - a picture of levels as PNG. */
#ifndef AP_JOBS_SHOW_PNG_H
#define AP_JOBS_SHOW_PNG_H

#include <stddef.h>

/* One byte a pixel, from 0, dark, to 255, bright; the first row is the upper one. malloc'ed, NULL when out of
 * memory. */
unsigned char *ap_png_levels(const unsigned char *pixels, size_t width, size_t height, size_t *size);

#endif
