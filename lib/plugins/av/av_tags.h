/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * av_tags.h - tags of the containers that libav reads; all of Matroska's are read here.
 */
#ifndef AP_AV_TAGS_H
#define AP_AV_TAGS_H

#include "plugins/av/av_container.h"

/* All tags of the container and of the stream. NULL when out of memory. */
ap_tags *ap_av_tags(const ap_av_source *source, const AVStream *stream);
/* matroska_tags.c: those of the whole file. */
void ap_matroska_tags(ap_input *in, uint64_t start, ap_tags *tags);
/* Adds one more value under our name for libav's. */
void ap_av_add_tag(ap_tags *tags, const char *key, const char *value);
/* libav's name of a tag of ours. */
const char *ap_av_tag_name(const char *key);

#endif
