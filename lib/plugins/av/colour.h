/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * colour.h - images of any colour space to sRGB. */
#ifndef AP_PLUGINS_AV_COLOUR_H
#define AP_PLUGINS_AV_COLOUR_H

#include "plugins/av/video.h"

/* Converts the image to sRGB by the ICC profile. A profile that makes no sense, or is not for RGB, is
 * ignored, as by browsers. The image must not be transparent. */
bool ap_image_to_srgb(ap_image *image, const void *profile, size_t size, ap_error *err);

#endif
