/* SPDX-License-Identifier: GPL-3.0-or-later
 * Media types by extension, and that pictures have the same type by their name as by their content. */
#include "base/media_type.h"
#include "base/picture_type.h"
#include "test.h"

static void names_have_types(void)
{
    CHECK(strcmp(ap_media_type("mp3"), "audio/mpeg") == 0);
    CHECK(strcmp(ap_media_type("WebM"), "video/webm") == 0);
    CHECK(strcmp(ap_media_type("jpeg"), "image/jpeg") == 0);
    CHECK(strcmp(ap_media_type(""), "application/octet-stream") == 0);
    CHECK(strcmp(ap_media_type("mp"), "application/octet-stream") == 0);
}

static void pictures_have_one_type(void)
{
    static const ap_picture_type types[] = {AP_PICTURE_JPEG, AP_PICTURE_PNG, AP_PICTURE_GIF, AP_PICTURE_WEBP};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        CHECK(strcmp(ap_media_type(ap_picture_extension(types[i])), ap_picture_mime(types[i])) == 0);
}

TEST_MAIN(CASE(names_have_types), CASE(pictures_have_one_type))
