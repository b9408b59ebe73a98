/* SPDX-License-Identifier: GPL-3.0-or-later
 * image_chunks.c - what libav does not tell about PNG and WebP files. */
#include "plugins/av/image_chunks.h"

#include <stdbool.h>
#include <string.h>

static uint32_t number(const uint8_t *p, size_t bytes, bool little)
{
    uint32_t n = 0;
    for (size_t i = 0; i < bytes; i++)
        n = n << 8 | p[little ? bytes - 1 - i : i];
    return n;
}

/* Exif 2.32, 4.6.2: a TIFF header, then a directory of entries of 12 bytes; tag 0112, a SHORT. */
int ap_tiff_orientation(const uint8_t *tiff, size_t size)
{
    if (size < 8 || (memcmp(tiff, "II*\0", 4) != 0 && memcmp(tiff, "MM\0*", 4) != 0))
        return 1;
    bool little = tiff[0] == 'I';
    size_t at = number(tiff + 4, 4, little);
    if (at > size || size - at < 2)
        return 1;
    uint32_t count = number(tiff + at, 2, little);
    for (at += 2; count > 0 && size - at >= 12; at += 12, count--)
        if (number(tiff + at, 2, little) == 0x0112) {
            uint32_t value = number(tiff + at + 8, 2, little);
            return value >= 1 && value <= 8 ? (int)value : 1;
        }
    return 1;
}

int ap_png_orientation(const uint8_t *bytes, size_t size)
{
    size_t at = 8; /* behind the signature: size, type, data, CRC of each chunk */
    while (at <= size && size - at >= 12) {
        size_t length = number(bytes + at, 4, false);
        if (length > size - at - 12)
            break;
        if (memcmp(bytes + at + 4, "eXIf", 4) == 0)
            return ap_tiff_orientation(bytes + at + 8, length);
        at += length + 12;
    }
    return 1;
}

const uint8_t *ap_webp_profile(const uint8_t *bytes, size_t size, size_t *profile_size)
{
    size_t at = 12; /* behind "RIFF", size, "WEBP" */
    while (at <= size && size - at >= 8) {
        size_t length = number(bytes + at + 4, 4, true);
        if (length > size - at - 8)
            break;
        if (memcmp(bytes + at, "ICCP", 4) == 0) {
            *profile_size = length;
            return bytes + at + 8;
        }
        at += 8 + length + (length & 1);
    }
    return NULL;
}
