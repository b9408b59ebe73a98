/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * edits.h - which parts of what is decoded are to be heard. */
#ifndef AP_AV_EDITS_H
#define AP_AV_EDITS_H

#include "plugins/av/av_container.h"

/* Frames [start, start + length) of the track at some rate; start -1: silence. length -1: to the end. */
typedef struct ap_av_edit {
    int64_t start, length;
} ap_av_edit;

typedef struct ap_av_edits {
    ap_av_edit *list;
    size_t count; /* 0: all is heard */
    bool known;   /* the file is in a format that tells */
    bool listed;  /* there is an edit list */
} ap_av_edits;

/* Whether the container is one of those formats. */
bool ap_av_edits_known(const ap_av_source *source);
/* What the edit list and the sample table of MP4 say (ISO/IEC 14496-12, 8.6), or the packet table of CAF. The
 * position of the input stays. */
bool ap_av_edits_read(const ap_av_source *source, const AVStream *st, uint32_t rate, ap_av_edits *edits,
                      ap_error *err);

/* What iTunes notes: the music without the delay and the padding of the encoder. false: nothing. */
bool ap_av_edits_itunes(const ap_av_source *source, ap_av_edit *edit);

#endif
