/* SPDX-License-Identifier: GPL-3.0-or-later
 * tag_end.c - what is behind the packets of a file and is none: a second file, ID3v1, APEv2 (hydrogenaud.io,
 * "APEv2 specification"). */
#include "plugins/av/tag_end.h"
#include "base/bytes.h"

#include <string.h>

#define MAX_TAGS 4
#define MAGIC 16 /* bytes that WTV has, and of the 25 that NUT has */
#define BLOCK 16384

static bool load(ap_input *in, uint64_t at, unsigned char *to, size_t size)
{
    return ap_input_seek(in, at, NULL) && ap_input_read(in, to, size, NULL) == (ptrdiff_t)size;
}

/* Bytes of the tag that ends there, 0 = there is none. */
static uint64_t tag_before(ap_input *in, uint64_t start, uint64_t end)
{
    unsigned char p[32];
    if (end - start >= 128 && load(in, end - 128, p, 3) && memcmp(p, "TAG", 3) == 0)
        return 128;
    if (end - start < 32 || !load(in, end - 32, p, 32) || memcmp(p, "APETAGEX", 8) != 0)
        return 0;
    uint64_t size = ap_get_little(p + 12, 4) + (p[23] & 0x80 ? 32 : 0); /* the bit: it has a header, too */
    return size <= end - start ? size : 0;
}

uint64_t ap_av_before_tags(ap_input *in, uint64_t start)
{
    uint64_t end = ap_input_size(in), size = 1;
    for (int i = 0; i < MAX_TAGS && size; i++)
        end -= size = tag_before(in, start, end);
    return end;
}

uint64_t ap_av_end_at_start(ap_input *in, uint64_t start)
{
    unsigned char head[MAGIC], block[BLOCK];
    ptrdiff_t n = load(in, start, head, MAGIC) ? MAGIC : 0;
    for (uint64_t at = start + 1; n >= MAGIC; at += BLOCK - MAGIC + 1) {
        n = ap_input_seek(in, at, NULL) ? ap_input_read(in, block, BLOCK, NULL) : 0;
        const unsigned char *found = n >= MAGIC ? memmem(block, (size_t)n, head, MAGIC) : NULL;
        if (found)
            return at + (uint64_t)(found - block);
    }
    return 0;
}
