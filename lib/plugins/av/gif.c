/* SPDX-License-Identifier: GPL-3.0-or-later
 * gif.c - whether the first picture of a GIF is all there, which libavcodec does not mind (GIF89a
 * specification). */
#include "plugins/av/video.h"

#define HEADER 13      /* "GIF89a", and the logical screen descriptor */
#define EXTENSION 0x21 /* introducers of blocks */
#define PICTURE 0x2c

typedef struct cursor {
    const uint8_t *at, *end;
} cursor;

static bool skip(cursor *c, size_t n)
{
    if ((size_t)(c->end - c->at) < n)
        return false;
    c->at += n;
    return true;
}

/* A colour table, if flags say that there is one. */
static bool skip_colours(cursor *c, uint8_t flags)
{
    return !(flags & 0x80) || skip(c, (size_t)3 << ((flags & 7) + 1));
}

/* Sub-blocks: a byte with the length before each, a zero after the last. */
static bool skip_blocks(cursor *c)
{
    while (c->at < c->end && *c->at)
        if (!skip(c, 1 + (size_t)*c->at))
            return false;
    return skip(c, 1);
}

bool ap_gif_is_whole(const uint8_t *bytes, size_t size)
{
    cursor c = {bytes, bytes + size};
    if (!skip(&c, HEADER) || !skip_colours(&c, bytes[10]))
        return false;
    while (c.end - c.at > 1 && *c.at == EXTENSION)
        if (!skip(&c, 2) || !skip_blocks(&c))
            return false;
    if (c.end - c.at < 10 || *c.at != PICTURE)
        return false;
    uint8_t flags = c.at[9];
    return skip(&c, 10) && skip_colours(&c, flags) && skip(&c, 1) && skip_blocks(&c);
}
