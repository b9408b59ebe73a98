/* SPDX-License-Identifier: GPL-3.0-or-later
 * bars.c - draws bars with round ends and smooth edges. */
#include "plugins/av/video.h"
#include "plugins/av/visual.h"

#include <math.h>

/* ITU-R BT.709-6, 3.2 to 3.5. */
ap_colour ap_colour_of(unsigned rgb)
{
    double r = (rgb >> 16 & 255) / 255.0, g = (rgb >> 8 & 255) / 255.0, b = (rgb & 255) / 255.0;
    double y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    return (ap_colour){(uint8_t)lrint(16 + 219 * y), (uint8_t)lrint(128 + 224 * (b - y) / 1.8556),
                       (uint8_t)lrint(128 + 224 * (r - y) / 1.5748)};
}

ap_colour ap_bar_colour(double x)
{
    static const unsigned stops[] = {0x2de2e6, 0x4f8bff, 0xb967ff, 0xff5fa2};
    enum { LAST = sizeof stops / sizeof *stops - 1 };
    double at = fmin(fmax(x, 0), 1) * LAST;
    int i = at >= LAST ? LAST - 1 : (int)at;
    unsigned rgb = 0;
    for (int shift = 16; shift >= 0; shift -= 8) {
        double a = stops[i] >> shift & 255, b = stops[i + 1] >> shift & 255;
        rgb |= (unsigned)lrint(a + (b - a) * (at - i)) << shift;
    }
    return ap_colour_of(rgb);
}

/* How much of the pixel around (x, y) is inside the bar, whose ends are half circles. */
static double coverage(const ap_bar *bar, double x, double y)
{
    double radius = bar->width / 2, across = fabs(x - bar->middle);
    double beyond = fmax(fmax(bar->top + radius - y, y - (bar->bottom - radius)), 0);
    double distance = beyond > 0 ? sqrt(across * across + beyond * beyond) : across;
    return fmin(fmax(radius - distance + 0.5, 0), 1);
}

static unsigned bounded(double x, unsigned last)
{
    return x < 0 ? 0 : x > last ? last : (unsigned)x;
}

/* In a plane whose pixels are size pixels of the picture wide and high. */
static void draw_plane(AVFrame *picture, int plane, double size, const ap_bar *bar, uint8_t colour)
{
    ap_bar b = *bar;
    b.middle /= size;
    b.width /= size;
    b.top /= size;
    b.bottom /= size;
    unsigned left = bounded(b.middle - b.width / 2 - 1, ap_picture_columns(picture, plane));
    unsigned right = bounded(b.middle + b.width / 2 + 2, ap_picture_columns(picture, plane));
    unsigned top = bounded(b.top - 1, ap_picture_rows(picture, plane));
    unsigned bottom = bounded(b.bottom + 2, ap_picture_rows(picture, plane));
    for (unsigned y = top; y < bottom; y++) {
        uint8_t *row = picture->data[plane] + (ptrdiff_t)y * picture->linesize[plane];
        for (unsigned x = left; x < right; x++) {
            double part = bar->opacity * coverage(&b, x + 0.5, y + 0.5);
            row[x] = (uint8_t)(row[x] + (colour - row[x]) * part + 0.5);
        }
    }
}

void ap_bar_draw(AVFrame *picture, const ap_bar *bar)
{
    ap_bar b = *bar;
    double short_of = b.width - (b.bottom - b.top);
    if (short_of > 0) {
        b.top -= short_of / 2;
        b.bottom += short_of / 2;
    }
    draw_plane(picture, 0, 1, &b, b.colour.y);
    draw_plane(picture, 1, 2, &b, b.colour.cb);
    draw_plane(picture, 2, 2, &b, b.colour.cr);
}
