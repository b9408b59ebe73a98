/* SPDX-License-Identifier: GPL-3.0-or-later
 * kweighting.c - which channels count how much. */
#include "stream/kweighting.h"

/* BS.1770-4, table 3: +1.5 dB for what comes from the sides, nothing for LFE. Speakers at the back count as
 * surrounds, unless there are others at the sides. */
#define SIDE 1.41

static double weight_of(uint32_t speaker, uint32_t mask)
{
    switch (speaker) {
    case AP_LOW_FREQUENCY:
        return 0;
    case AP_SIDE_LEFT:
    case AP_SIDE_RIGHT:
        return SIDE;
    case AP_BACK_LEFT:
    case AP_BACK_RIGHT:
        return mask & (AP_SIDE_LEFT | AP_SIDE_RIGHT) ? 1 : SIDE;
    default:
        return 1;
    }
}

void ap_kweighting_weights(const ap_format *format, double *weights)
{
    uint32_t mask = format->mask ? format->mask : ap_default_mask(format->channels);
    if (mask == AP_DISCRETE)
        mask = 0; /* channels without positions weigh the same */
    for (uint32_t c = 0; c < format->channels; c++) {
        uint32_t speaker = mask & -mask; /* 0: unknown */
        weights[c] = weight_of(speaker, mask);
        mask &= mask - 1;
    }
}

ebur128_state *ap_kweighting_new(const ap_format *format, int mode)
{
    double weights[AP_MAX_CHANNELS];
    ebur128_state *meter = ebur128_init(format->channels, format->rate, mode);
    ap_kweighting_weights(format, weights);
    for (uint32_t c = 0; meter && c < format->channels; c++)
        ebur128_set_channel(meter, c,
                            weights[c] > 1   ? EBUR128_LEFT_SURROUND
                            : weights[c] > 0 ? EBUR128_LEFT
                                             : EBUR128_UNUSED);
    return meter;
}
