/* SPDX-License-Identifier: GPL-3.0-or-later
 * ogg_write.c - what the encoders of Vorbis and Opus share. */
#include "formats/ogg_write.h"
#include "base/base64.h"
#include "formats/vorbiscomment.h"
#include "stream/stream.h"

#include <stdlib.h>
#include <string.h>

const unsigned char *ap_vorbis_order(uint32_t channels)
{
    /* Vorbis I, 4.3.9: L C R; L R BL BR; L C R BL BR and LFE; L C R SL SR BC LFE; L C R SL SR BL BR LFE. The
     * orders on the other side are those of ap_default_mask. */
    static const unsigned char three[] = {0, 2, 1}, five[] = {0, 2, 1, 3, 4}, six[] = {0, 2, 1, 4, 5, 3},
                               seven[] = {0, 2, 1, 5, 6, 4, 3}, eight[] = {0, 2, 1, 6, 7, 4, 5, 3};
    static const unsigned char *const orders[] = {NULL, NULL, NULL, three, NULL, five, six, seven, eight};
    return channels < sizeof orders / sizeof *orders ? orders[channels] : NULL;
}

void ap_to_vorbis_order(float *frames, size_t count, uint32_t channels)
{
    const unsigned char *order = ap_vorbis_order(channels);
    for (size_t i = 0; order && i < count; i++) {
        float frame[8];
        memcpy(frame, frames + i * channels, channels * sizeof *frame);
        for (uint32_t c = 0; c < channels; c++)
            frames[i * channels + c] = frame[order[c]];
    }
}

char *ap_picture_comment(const ap_tags *tags)
{
    ap_picture picture = ap_tags_picture(tags);
    size_t size;
    unsigned char *block = picture.size ? ap_flac_picture_make(&picture, &size) : NULL;
    char *text = block ? ap_base64_encode(block, size) : NULL;
    free(block);
    return text;
}

static uint32_t mix(uint32_t hash, const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ p[i]) * 16777619u; /* FNV-1a */
    return hash;
}

int ap_ogg_serial(const ap_stream *s)
{
    const char *key, *value, *name = ap_stream_name(s);
    uint32_t hash = mix(2166136261u, name, strlen(name));
    hash = mix(hash, &s->format.frames, sizeof s->format.frames);
    for (size_t i = 0; ap_tags_at(ap_stream_tags(s), i, &key, &value); i++)
        hash = mix(hash, value, strlen(value));
    return (int)(hash & INT32_MAX);
}
