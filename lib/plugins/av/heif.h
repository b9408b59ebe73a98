/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * heif.h - HEIC and AVIF. */
#ifndef AP_PLUGINS_AV_HEIF_H
#define AP_PLUGINS_AV_HEIF_H

#include "plugins/av/video.h"

/* The main image of a file, upright, and its ICC profile: malloc'ed, NULL if it has none. */
bool ap_heif_decode(ap_image *image, void **profile, size_t *profile_size, const void *bytes, size_t size,
                    const char *name, ap_error *err);

#endif
