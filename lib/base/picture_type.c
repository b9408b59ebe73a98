/* SPDX-License-Identifier: GPL-3.0-or-later
 * picture_type.c - what kind of picture a file is, from its content. */
#include "base/picture_type.h"

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool has(const uint8_t *bytes, size_t size, size_t at, const char *what)
{
    size_t n = strlen(what);
    return size >= at + n && memcmp(bytes + at, what, n) == 0;
}

static ap_picture_type brand_type(const uint8_t *brand)
{
    /* ISO/IEC 23008-12, B.4: HEVC, in an image or a collection; AV1 Image File Format, 6 */
    static const char *const heic[] = {"heic", "heix", "heim", "heis", "hevc", "hevx"};
    for (size_t i = 0; i < sizeof heic / sizeof *heic; i++)
        if (memcmp(brand, heic[i], 4) == 0)
            return AP_PICTURE_HEIC;
    return memcmp(brand, "avif", 4) == 0 || memcmp(brand, "avis", 4) == 0 ? AP_PICTURE_AVIF : AP_NO_PICTURE;
}

/* ISO/IEC 14496-12, 4.3: size, "ftyp", major brand, version, compatible brands. The major one may be the
 * general mif1, as in photos of some telephones. */
static ap_picture_type heif_type(const uint8_t *bytes, size_t size)
{
    if (!has(bytes, size, 4, "ftyp") || size < 16)
        return AP_NO_PICTURE;
    size_t box = (size_t)bytes[2] << 8 | bytes[3];
    ap_picture_type type = brand_type(bytes + 8);
    bool general = memcmp(bytes + 8, "mif1", 4) == 0 || memcmp(bytes + 8, "msf1", 4) == 0;
    for (size_t at = 16; general && !type && at + 4 <= size && at + 4 <= box; at += 4)
        type = brand_type(bytes + at);
    return type;
}

/* "BM", a size, nothing in the reserved bytes, and the size of one of the known headers after them: two
 * letters alone would be found in many files. */
static bool is_bmp(const uint8_t *bytes, size_t size)
{
    static const unsigned headers[] = {12, 40, 52, 56, 64, 108, 124};
    if (!has(bytes, size, 0, "BM") || size < 18 || ap_get_little(bytes + 6, 4) != 0)
        return false;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (ap_get_little(bytes + 14, 4) == headers[i])
            return true;
    return false;
}

ap_picture_type ap_picture_type_of(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    if (has(bytes, size, 0, "\xff\xd8\xff"))
        return AP_PICTURE_JPEG;
    if (has(bytes, size, 0, "\x89PNG\r\n\x1a\n"))
        return AP_PICTURE_PNG;
    if (has(bytes, size, 0, "GIF87a") || has(bytes, size, 0, "GIF89a"))
        return AP_PICTURE_GIF;
    if (has(bytes, size, 0, "RIFF") && has(bytes, size, 8, "WEBP"))
        return AP_PICTURE_WEBP;
    if ((has(bytes, size, 0, "II*") && size >= 4 && bytes[3] == 0) ||
        (has(bytes, size, 0, "MM") && size >= 4 && bytes[2] == 0 && bytes[3] == '*'))
        return AP_PICTURE_TIFF;
    if (is_bmp(bytes, size))
        return AP_PICTURE_BMP;
    return heif_type(bytes, size);
}

static const char *const names[][2] = {
    [AP_PICTURE_JPEG] = {"jpg", "image/jpeg"},  [AP_PICTURE_PNG] = {"png", "image/png"},
    [AP_PICTURE_GIF] = {"gif", "image/gif"},    [AP_PICTURE_WEBP] = {"webp", "image/webp"},
    [AP_PICTURE_HEIC] = {"heic", "image/heic"}, [AP_PICTURE_AVIF] = {"avif", "image/avif"},
    [AP_PICTURE_TIFF] = {"tiff", "image/tiff"}, [AP_PICTURE_BMP] = {"bmp", "image/bmp"},
};

const char *ap_picture_extension(ap_picture_type type)
{
    return names[type][0];
}

const char *ap_picture_mime(ap_picture_type type)
{
    return names[type][1];
}

/* The frame header among the segments of a JPEG (ITU-T T.81, B.2.2): precision, height, width. */
static void measure_jpeg(const uint8_t *p, size_t size, unsigned *width, unsigned *height)
{
    for (size_t at = 2; at + 9 <= size && p[at] == 0xff;) {
        uint8_t marker = p[at + 1];
        bool frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
        if (frame) {
            *height = (unsigned)ap_get_big(p + at + 5, 2);
            *width = (unsigned)ap_get_big(p + at + 7, 2);
            return;
        }
        at += marker == 0xff ? 1 : 2 + (size_t)ap_get_big(p + at + 2, 2); /* fill bytes may stand before it */
    }
}

void ap_picture_measure(const void *data, size_t size, unsigned *width, unsigned *height)
{
    const uint8_t *p = data;
    ap_picture_type type = p ? ap_picture_type_of(p, size) : AP_NO_PICTURE;
    *width = *height = 0;
    if (type == AP_PICTURE_JPEG)
        measure_jpeg(p, size, width, height);
    if (type == AP_PICTURE_PNG && size >= 24) {
        *width = (unsigned)ap_get_big(p + 16, 4);
        *height = (unsigned)ap_get_big(p + 20, 4);
    }
    if (type == AP_PICTURE_GIF && size >= 10) {
        *width = (unsigned)ap_get_little(p + 6, 2);
        *height = (unsigned)ap_get_little(p + 8, 2);
    }
}
