/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * chan.h - what Apple's formats say of their channels: the chan chunk of CAF, CHAN of AIFF, chan of
 * QuickTime. */
#ifndef AP_FORMATS_CHAN_H
#define AP_FORMATS_CHAN_H

#include "base/input.h"

#define AP_CHAN_SIZE (12 + 20 * AP_MAX_CHANNELS) /* bytes that can matter */

typedef struct ap_chan {
    uint32_t mask; /* AP_DISCRETE: no positions; 0: it does not say */
    bool reorder;  /* channel c of a frame goes to place[c] */
    unsigned char place[AP_MAX_CHANNELS];
} ap_chan;

/* The chunk's body to chan. All zero if it makes no sense for that many channels. */
void ap_chan_parse(const unsigned char *bytes, size_t size, uint32_t channels, ap_chan *chan);
/* Reads the body of the chunk of an AIFF or CAF file, which starts at the position of the input; that stays.
 * Returns its size, 0 if there is none. */
size_t ap_chan_load(ap_input *in, unsigned char body[AP_CHAN_SIZE]);
void ap_chan_reorder(const ap_chan *chan, float *frames, size_t count, uint32_t channels);

#endif
