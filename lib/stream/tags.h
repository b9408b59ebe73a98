/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tags.h - more about ap_tags. */
#ifndef AP_STREAM_TAGS_H
#define AP_STREAM_TAGS_H

#include "audiopipe.h"

/* Removes the pairs whose key the function picks. */
void ap_tags_remove_if(ap_tags *tags, bool (*picks)(const char *key));

#endif
