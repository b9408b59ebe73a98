/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * picture_type.h - what kind of picture a file is, from its content. */
#ifndef AP_BASE_PICTURE_TYPE_H
#define AP_BASE_PICTURE_TYPE_H

#include <stddef.h>

typedef enum ap_picture_type {
    AP_NO_PICTURE,
    AP_PICTURE_JPEG,
    AP_PICTURE_PNG,
    AP_PICTURE_GIF,
    AP_PICTURE_WEBP,
    AP_PICTURE_HEIC,
    AP_PICTURE_AVIF,
    AP_PICTURE_TIFF,
    AP_PICTURE_BMP,
} ap_picture_type;

/* From the first bytes; 64 are enough. */
ap_picture_type ap_picture_type_of(const void *bytes, size_t size);
/* Its usual extension, without the dot, and its MIME type; NULL for AP_NO_PICTURE. */
const char *ap_picture_extension(ap_picture_type type);
const char *ap_picture_mime(ap_picture_type type);
/* Its width and height in pixels, of JPEG, PNG and GIF; 0 of others, and of what makes no sense. */
void ap_picture_measure(const void *bytes, size_t size, unsigned *width, unsigned *height);

#endif
