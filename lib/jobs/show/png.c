/* SPDX-License-Identifier: GPL-3.0-or-later
 * png.c - a picture of levels as PNG (ISO/IEC 15948): one byte a pixel, through a palette. */
#include "jobs/show/png.h"
#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static size_t put_chunk(unsigned char *to, const char *type, const unsigned char *data, size_t size)
{
    ap_put_big(to, size, 4);
    memcpy(to + 4, type, 4);
    memcpy(to + 8, data, size);
    ap_put_big(to + 8 + size, crc32(crc32(0, NULL, 0), to + 4, (uInt)(size + 4)), 4);
    return size + 12;
}

/* Black, violet, red, yellow: lightness rises evenly, as in matplotlib's "inferno" (five of its colours). */
static void fill_palette(unsigned char palette[768])
{
    static const unsigned char stops[5][3] = {
        {0, 0, 4}, {87, 16, 110}, {188, 55, 84}, {249, 142, 9}, {252, 255, 164}};
    for (int i = 0; i < 256; i++) {
        int s = i == 255 ? 3 : i / 64, f = i == 255 ? 64 : i % 64;
        for (int c = 0; c < 3; c++)
            palette[3 * i + c] = (unsigned char)((stops[s][c] * (64 - f) + stops[s + 1][c] * f) / 64);
    }
}

/* Each line starts with its filter: 0, none. NULL when out of memory. */
static unsigned char *pack(const unsigned char *pixels, size_t width, size_t height, uLongf *packed)
{
    uLong whole = (uLong)(height * (width + 1));
    unsigned char *lines = calloc(height, width + 1), *data = malloc(*packed = compressBound(whole));
    for (size_t y = 0; lines && y < height; y++)
        memcpy(lines + y * (width + 1) + 1, pixels + y * width, width);
    if (!lines || !data || compress2(data, packed, lines, whole, 9) != Z_OK) {
        free(data);
        data = NULL;
    }
    free(lines);
    return data;
}

unsigned char *ap_png_levels(const unsigned char *pixels, size_t width, size_t height, size_t *size)
{
    static const unsigned char signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    unsigned char header[13] = {0}, palette[768];
    uLongf packed;
    unsigned char *data = pack(pixels, width, height, &packed), *png = data ? malloc(packed + 1024) : NULL;
    if (png) {
        ap_put_big(header, width, 4);
        ap_put_big(header + 4, height, 4);
        header[8] = 8; /* bits */
        header[9] = 3; /* palette */
        fill_palette(palette);
        memcpy(png, signature, *size = sizeof signature);
        *size += put_chunk(png + *size, "IHDR", header, sizeof header);
        *size += put_chunk(png + *size, "PLTE", palette, sizeof palette);
        *size += put_chunk(png + *size, "IDAT", data, packed);
        *size += put_chunk(png + *size, "IEND", header, 0);
    }
    free(data);
    return png;
}
