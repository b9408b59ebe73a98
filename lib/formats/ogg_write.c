/* SPDX-License-Identifier: GPL-3.0-or-later
 * ogg_write.c - what the encoders of Vorbis and Opus share. */
#include "formats/ogg_write.h"
#include "base/base64.h"
#include "base/hash.h"
#include "formats/vorbiscomment.h"
#include "stream/stream.h"

#include <stdlib.h>
#include <string.h>

#define LEFT (AP_FRONT_LEFT | AP_BACK_LEFT | AP_SIDE_LEFT | AP_FRONT_LEFT_OF_CENTER)
#define RIGHT (AP_FRONT_RIGHT | AP_BACK_RIGHT | AP_SIDE_RIGHT | AP_FRONT_RIGHT_OF_CENTER)
#define REAR_LEFT (AP_BACK_LEFT | AP_SIDE_LEFT)
#define REAR_RIGHT (AP_BACK_RIGHT | AP_SIDE_RIGHT)
#define FRONT AP_FRONT_LEFT, AP_FRONT_CENTER, AP_FRONT_RIGHT

/* Vorbis I, 4.3.9: the number of channels alone says where they belong. Where it has a single pair of
 * surrounds, this may be at the sides or at the back. */
static const uint32_t speakers[9][8] = {
    [1] = {UINT32_MAX},
    [2] = {LEFT, RIGHT},
    [3] = {FRONT},
    [4] = {AP_FRONT_LEFT, AP_FRONT_RIGHT, REAR_LEFT, REAR_RIGHT},
    [5] = {FRONT, REAR_LEFT, REAR_RIGHT},
    [6] = {FRONT, REAR_LEFT, REAR_RIGHT, AP_LOW_FREQUENCY},
    [7] = {FRONT, REAR_LEFT, REAR_RIGHT, AP_BACK_CENTER, AP_LOW_FREQUENCY},
    [8] = {FRONT, AP_SIDE_LEFT, AP_SIDE_RIGHT, AP_BACK_LEFT, AP_BACK_RIGHT, AP_LOW_FREQUENCY},
};

bool ap_vorbis_order(const ap_format *format, unsigned char *order)
{
    if (format->channels > 8 || !ap_has_places(format))
        return false;
    for (uint32_t c = 0; c < format->channels; c++) {
        uint32_t speaker = format->mask & speakers[format->channels][c];
        if (__builtin_popcount(speaker) != 1)
            return false;
        order[c] = (unsigned char)__builtin_popcount(format->mask & (speaker - 1));
    }
    return true;
}

void ap_to_vorbis_order(float *frames, size_t count, const ap_format *format)
{
    unsigned char order[8];
    uint32_t channels = format->channels;
    bool reorder = channels > 2 && ap_vorbis_order(format, order);
    for (size_t i = 0; reorder && i < count; i++) {
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

int ap_ogg_serial(const ap_stream *s, const float *frames, size_t count)
{
    const char *key, *value, *name = ap_stream_name(s);
    uint64_t hash = ap_hash(AP_HASH_START, name, strlen(name));
    hash = ap_hash(hash, &s->format.frames, sizeof s->format.frames);
    for (size_t i = 0; ap_tags_at(ap_stream_tags(s), i, &key, &value); i++)
        hash = ap_hash(hash, value, strlen(value));
    hash = ap_hash(hash, frames, count * s->format.channels * sizeof *frames);
    return (int)((hash ^ hash >> 32) & INT32_MAX);
}
