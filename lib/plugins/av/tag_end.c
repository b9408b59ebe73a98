/* SPDX-License-Identifier: GPL-3.0-or-later
 * tag_end.c - tags at the end of a file, which are no packets: ID3v1, APEv2 (hydrogenaud.io, "APEv2
 * specification"). */
#include "plugins/av/tag_end.h"
#include "base/bytes.h"

#include <string.h>

#define MAX_TAGS 4

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
