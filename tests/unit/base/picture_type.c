/* SPDX-License-Identifier: GPL-3.0-or-later
 * Pictures by their first bytes, as the files of telephones, heif-enc and ffmpeg have them. */
#include "base/picture_type.h"
#include "test.h"

#define ROW(bytes, type)                                                                                     \
    {                                                                                                        \
        bytes, sizeof(bytes) - 1, type                                                                       \
    }

static const struct {
    const char *bytes;
    size_t size;
    ap_picture_type type;
} rows[] = {
    ROW("", AP_NO_PICTURE),
    ROW("\xff\xd8\xff\xe0", AP_PICTURE_JPEG),
    ROW("\xff\xd8", AP_NO_PICTURE),
    ROW("\x89PNG\r\n\x1a\n", AP_PICTURE_PNG),
    ROW("GIF89a", AP_PICTURE_GIF),
    ROW("GIF88a", AP_NO_PICTURE),
    ROW("RIFF\x10\0\0\0WEBPVP8 ", AP_PICTURE_WEBP),
    ROW("RIFF\x10\0\0\0WAVEfmt ", AP_NO_PICTURE),
    ROW("II*\0\x08\0\0\0", AP_PICTURE_TIFF),
    ROW("MM\0*\0\0\0\x08", AP_PICTURE_TIFF),
    ROW("II*x", AP_NO_PICTURE),
    ROW("BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", AP_PICTURE_BMP),
    ROW("BM is how this begins", AP_NO_PICTURE),
    ROW("\0\0\0\x18"
        "ftypheic\0\0\0\0mif1heic",
        AP_PICTURE_HEIC),
    ROW("\0\0\0\x1c"
        "ftypmif1\0\0\0\0mif1avifmiaf",
        AP_PICTURE_AVIF),
    ROW("\0\0\0\x1c"
        "ftypmif1\0\0\0\0mif1miafheic",
        AP_PICTURE_HEIC),
    ROW("\0\0\0\x14"
        "ftypmif1\0\0\0\0mif1heic",
        AP_NO_PICTURE), /* the box ends before */
    ROW("\0\0\0\x18"
        "ftypavif\0\0\0\0avif",
        AP_PICTURE_AVIF),
    ROW("\0\0\0\x18"
        "ftypavif",
        AP_NO_PICTURE),
    ROW("\0\0\0\x1c"
        "ftypisom\0\0\0\0isomheic",
        AP_NO_PICTURE), /* a video */
    ROW("\0\0\0\x1c"
        "ftypM4A \0\0\0\0M4A mp42",
        AP_NO_PICTURE),
};

static void types_are_found(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK_NEAR(ap_picture_type_of(rows[i].bytes, rows[i].size), rows[i].type, 0);
}

static void types_have_names(void)
{
    CHECK(strcmp(ap_picture_extension(AP_PICTURE_JPEG), "jpg") == 0);
    CHECK(strcmp(ap_picture_mime(AP_PICTURE_JPEG), "image/jpeg") == 0);
    CHECK(strcmp(ap_picture_mime(AP_PICTURE_AVIF), "image/avif") == 0);
    CHECK(!ap_picture_mime(AP_NO_PICTURE) && !ap_picture_extension(AP_NO_PICTURE));
}

static void sizes_are_measured(void)
{
    static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x01\x02\0\0\0\x30\x08";
    static const char gif[] = "GIF89a\x40\x01\xf0\0";
    /* a segment, fill bytes, a table of Huffman codes, then the frame: 8 bits, height 0x102, width 0x304 */
    static const char jpeg[] =
        "\xff\xd8\xff\xe0\0\x04JF\xff\xff\xc4\0\x03x\xff\xc2\0\x11\x08\x01\x02\x03\x04\x03";
    unsigned width, height;
    ap_picture_measure(png, sizeof png - 1, &width, &height);
    CHECK(width == 258 && height == 48);
    ap_picture_measure(gif, sizeof gif - 1, &width, &height);
    CHECK(width == 320 && height == 240);
    ap_picture_measure(jpeg, sizeof jpeg - 1, &width, &height);
    CHECK(width == 0x304 && height == 0x102);
    for (size_t size = 0; size < sizeof jpeg - 2; size++) { /* cut anywhere */
        char *part = malloc(size + 1);
        memcpy(part, jpeg, size);
        char *exact = realloc(part, size ? size : 1);
        ap_picture_measure(exact, size, &width, &height);
        CHECK(width == 0 && height == 0);
        free(exact);
    }
    ap_picture_measure(NULL, 0, &width, &height);
    CHECK(width == 0 && height == 0);
}

TEST_MAIN(CASE(types_are_found), CASE(types_have_names), CASE(sizes_are_measured))
