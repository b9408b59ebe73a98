/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * image_chunks.h - what libav does not tell about PNG and WebP files. */
#ifndef AP_PLUGINS_AV_IMAGE_CHUNKS_H
#define AP_PLUGINS_AV_IMAGE_CHUNKS_H

#include <stddef.h>
#include <stdint.h>

/* The orientation that the eXIf chunk of a PNG file says, 1 if none. */
int ap_png_orientation(const uint8_t *bytes, size_t size);
/* The ICC profile in a WebP file, inside bytes; NULL if none. */
const uint8_t *ap_webp_profile(const uint8_t *bytes, size_t size, size_t *profile_size);

/* What a TIFF file, or Exif data, says; 1 if it does not. */
int ap_tiff_orientation(const uint8_t *tiff, size_t size);

#endif
