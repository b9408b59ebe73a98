/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * lettering.h - words on the pictures of a video, which the plugin on cairo draws for that on libav. */
#ifndef AP_LETTERING_H
#define AP_LETTERING_H

#include "audiopipe.h"

typedef struct ap_lettering {
    const char *title;      /* at the top; NULL: none */
    const char *caption;    /* at the bottom; NULL: none */
    unsigned width, height; /* of the picture, pixels */
} ap_lettering;

/* Draws the words into pixels: height rows of width pixels, all zero before; each becomes a uint32_t of
 * alpha, red, green and blue, from the highest byte on, multiplied by alpha. */
typedef bool ap_letter_fn(const ap_lettering *lettering, uint32_t *pixels, ap_error *err);

#endif
