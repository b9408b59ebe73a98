/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ogg.h - what there is in an Ogg file besides the audio. */
#ifndef AP_FORMATS_OGG_H
#define AP_FORMATS_OGG_H

#include "base/input.h"

typedef struct ap_ogg {
    bool several;      /* there is more than one stream in it */
    bool vorbis_order; /* the channels come in the order of Vorbis */
} ap_ogg;
/* Collects the comments of the first stream. Fails when the file is truncated. The position does not change.
 */
bool ap_ogg_inspect(ap_input *in, ap_tags *tags, ap_ogg *ogg, ap_error *err);

#endif
