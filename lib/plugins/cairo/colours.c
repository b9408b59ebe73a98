/* SPDX-License-Identifier: GPL-3.0-or-later
 * colours.c - colour maps that look evenly spaced and can be told apart by all. */
#include "plugins/cairo/canvas.h"

#define ANCHORS 18
#define SPACING 15 /* levels from anchor to anchor */

/* Every 15th of the 256 colours of magma and viridis, by N. Smith, S. van der Walt and E. Firing (CC0,
 * github.com/BIDS/colormap); straight lines between them are within 5/255. */
static const unsigned maps[][ANCHORS] = {
    [AP_COLOURS_MAGMA] = {0x000004, 0x090720, 0x1a1042, 0x311165, 0x4a1079, 0x621980, 0x792282, 0x912b81,
                          0xaa337d, 0xc23b75, 0xd9466b, 0xec5860, 0xf7725c, 0xfc8e64, 0xfeaa74, 0xfec68a,
                          0xfde2a3, 0xfcfdbf},
    [AP_COLOURS_VIRIDIS] = {0x440154, 0x481769, 0x472a7a, 0x433d84, 0x3d4e8a, 0x355e8d, 0x2e6d8e, 0x297b8e,
                            0x23898e, 0x1f978b, 0x21a585, 0x2eb37c, 0x46c06f, 0x65cb5e, 0x89d548, 0xb0dd2f,
                            0xd8e219, 0xfde725},
};

static unsigned mix(unsigned a, unsigned b, unsigned part, unsigned shift)
{
    unsigned x = a >> shift & 255, y = b >> shift & 255;
    return (x * (SPACING - part) + y * part + SPACING / 2) / SPACING << shift;
}

unsigned map_colour(ap_colours map, unsigned level)
{
    if (map == AP_COLOURS_GREY)
        return (255 - level) * 0x010101;
    unsigned i = level / SPACING, part = level % SPACING;
    unsigned a = maps[map][i], b = maps[map][i + 1 < ANCHORS ? i + 1 : i];
    return mix(a, b, part, 16) | mix(a, b, part, 8) | mix(a, b, part, 0);
}

unsigned series_colour(size_t i)
{
    /* M. Okabe, K. Ito: Color Universal Design, 2008; without black and yellow. */
    static const unsigned series[] = {0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0xe69f00, 0x56b4e9};
    return series[i % (sizeof series / sizeof *series)];
}
