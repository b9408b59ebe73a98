/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * boxes.h - the boxes of MP4 and QuickTime (ISO/IEC 14496-12, 4.2). */
#ifndef AP_AV_BOXES_H
#define AP_AV_BOXES_H

#include "formats/chan.h"
#include "plugins/av/av_container.h"

typedef struct ap_box {
    uint64_t begin, end; /* of the body, in the input */
} ap_box;

/* The first box of that type in a part of the file; after: continue after that one. */
bool ap_box_find(ap_input *in, ap_box outer, const char *type, const ap_box *after, ap_box *found);
/* The body, unless it is larger than max; malloc'ed. */
unsigned char *ap_box_load(ap_input *in, ap_box b, uint64_t max, size_t *size);
/* The trak box whose tkhd has this number. */
bool ap_box_track(ap_input *in, ap_box moov, uint32_t id, ap_box *trak);
/* What the sound description of a track of PCM says of its channels, to chan and the mask of format;
 * unchanged if nothing. The position of the input stays. */
bool ap_box_chan(const ap_av_source *source, const AVStream *st, ap_format *format, ap_chan *chan,
                 ap_error *err);

#endif
