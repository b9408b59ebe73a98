/* SPDX-License-Identifier: GPL-3.0-or-later
 * part.c - runs of MP3 frames in memory, and how two of them are joined. */
#include "formats/mp3/mp3.h"
#include "formats/mp3/mpeg.h"

#include <stdlib.h>
#include <string.h>

/* What lame_encode_buffer wants free for 1152 samples: 1.25 * 1152 + 7200 (lame.h). */
#define LAME_SLACK 8640

static bool is_mpeg_1(const unsigned char *h)
{
    return (h[1] & 0x18) == 0x18;
}

size_t ap_mp3_main_data(const unsigned char *frame)
{
    bool mono = frame[3] >> 6 == 3;
    return 4 + (is_mpeg_1(frame) ? (mono ? 17 : 32) : (mono ? 9 : 17)); /* 11172-3 2.4.1.7, 13818-3 2.4.1.7 */
}

/* How many bytes before its own main data the bits of this frame begin. */
static size_t main_data_begin(const unsigned char *frame)
{
    return is_mpeg_1(frame) ? (size_t)frame[4] << 1 | frame[5] >> 7 : frame[4];
}

ap_mp3_part *ap_mp3_part_new(uint64_t first, size_t frames)
{
    ap_mp3_part *part = calloc(1, sizeof *part);
    if (!part)
        return NULL;
    part->first = first;
    part->limit = frames;
    part->capacity = frames * AP_MP3_MAX_BYTES + LAME_SLACK;
    part->bytes = malloc(part->capacity);
    part->at = malloc((frames + 1) * sizeof *part->at);
    if (part->bytes && part->at)
        return part;
    ap_mp3_part_free(part);
    return NULL;
}

void ap_mp3_part_free(ap_mp3_part *part)
{
    if (!part)
        return;
    free(part->bytes);
    free(part->at);
    free(part);
}

bool ap_mp3_part_index(ap_mp3_part *part, size_t frames)
{
    size_t at = 0;
    if (frames > part->limit)
        return false;
    for (size_t i = 0; i < frames; i++) {
        ap_mpeg m;
        if (at + 4 > part->size || !ap_mpeg_parse(part->bytes + at, &m) || m.size == 0)
            return false;
        part->at[i] = at;
        at += m.size;
    }
    part->at[frames] = at;
    part->count = frames;
    return at == part->size;
}

/* Goes backwards through the main data of a part: the frames' bytes without headers and side information. */
typedef struct cursor {
    const ap_mp3_part *part;
    size_t frame, at;
} cursor;

static size_t data_start(const ap_mp3_part *part, size_t frame)
{
    size_t at = part->at[frame];
    return at + ap_mp3_main_data(part->bytes + at);
}

static cursor cursor_before(const ap_mp3_part *part, size_t frame)
{
    return (cursor){part, frame, data_start(part, frame)};
}

static unsigned char *previous_byte(cursor *c)
{
    while (c->at == data_start(c->part, c->frame))
        c->at = c->part->at[c->frame--];
    return c->part->bytes + --c->at;
}

static size_t reservoir(const ap_mp3_part *part, uint64_t number)
{
    return main_data_begin(part->bytes + part->at[number - part->first]);
}

uint64_t ap_mp3_part_join(ap_mp3_part *before, const ap_mp3_part *after, size_t choices)
{
    uint64_t number = after->first + choices - 1;
    /* The first frame has an empty reservoir, so it is always possible. */
    while (number > after->first && reservoir(before, number) < reservoir(after, number))
        number--;
    size_t space = reservoir(before, number), used = reservoir(after, number);
    cursor to = cursor_before(before, (size_t)(number - before->first));
    cursor from = cursor_before(after, (size_t)(number - after->first));
    for (size_t i = 0; i < space; i++)
        *previous_byte(&to) = i < used ? *previous_byte(&from) : 0;
    return number;
}
