/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * media_type.h - media types of files, by their names. */
#ifndef AP_BASE_MEDIA_TYPE_H
#define AP_BASE_MEDIA_TYPE_H

/* The type of an extension without its dot, as it goes over HTTP: "mp3" is audio/mpeg. What is not known is
 * application/octet-stream. */
const char *ap_media_type(const char *extension);

#endif
