/* SPDX-License-Identifier: GPL-3.0-or-later
 * Any bytes as a Vorbis comment, a FLAC picture, and an ID3 tag; a picture has to survive the round trip. */
#include "formats/vorbiscomment.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_picture(const ap_tags *tags)
{
    ap_picture picture = ap_tags_picture(tags), back;
    size_t size;
    if (picture.size == 0)
        return;
    unsigned char *block = ap_flac_picture_make(&picture, &size);
    ap_tags *again = ap_tags_new();
    if (!ap_flac_picture_parse(block, size, again))
        abort();
    back = ap_tags_picture(again);
    if (back.size != picture.size || memcmp(back.data, picture.data, back.size) != 0 ||
        strcmp(back.mime, picture.mime) != 0)
        abort();
    ap_tags_free(&again);
    free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *copy = malloc(size + !size);
    memcpy(copy, data, size);
    for (int i = 0; i < 4; i++) {
        ap_tags *tags = ap_tags_new();
        if (i == 0)
            (void)ap_vorbiscomment_parse(copy, size, tags);
        else if (i == 1)
            (void)ap_flac_picture_parse(copy, size, tags);
        else if (i == 2 && size >= 128)
            (void)ap_id3v1_parse(copy + size - 128, tags);
        else if (i == 3)
            (void)ap_id3_parse(copy, size, tags); /* changes the bytes */
        check_picture(tags);
        ap_tags_free(&tags);
    }
    char *text = ap_base64_encode(data, size);
    if (!text || strlen(text) != (size + 2) / 3 * 4)
        abort();
    free(text);
    free(copy);
    return 0;
}
