/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * lettering.h - words on the pictures of a video. */
#ifndef AP_CAIRO_LETTERING_H
#define AP_CAIRO_LETTERING_H

#include "pictures/lettering.h"

ap_letter_fn draw_lettering;

#endif
