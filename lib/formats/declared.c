/* SPDX-License-Identifier: GPL-3.0-or-later
 * declared.c - Creative Voice File; NIST SPHERE; EA IFF 85, 8SVX. */
#include "formats/declared.h"
#include "base/bytes.h"
#include "formats/file_type.h"

#include <stdlib.h>
#include <string.h>

#define SPHERE_HEAD 1024
#define SOX_TOO_FEW 8 /* bytes that sox leaves out of the size of a VOC block of kind 9 */

static bool load(ap_input *in, uint64_t at, unsigned char *to, size_t size)
{
    return ap_input_seek(in, at, NULL) && ap_input_read(in, to, size, NULL) == (ptrdiff_t)size;
}

/* Whether a terminator stands there, and the end of the file or another file behind it. */
static bool is_terminator(ap_input *in, uint64_t at)
{
    unsigned char p[13];
    return at + 1 == ap_input_size(in) ? load(in, at, p, 1) && p[0] == 0
                                       : load(in, at, p, 13) && p[0] == 0 && ap_is_next_file(p + 1, 12);
}

/* Blocks: a byte for their kind, three for the size of what follows. */
static uint64_t end_of_voc(ap_input *in, uint64_t start)
{
    unsigned char h[26];
    uint64_t at = load(in, start, h, 26) ? start + ap_get_little(h + 20, 2) : UINT64_MAX;
    while (at != UINT64_MAX && load(in, at, h, 4) && h[0]) {
        at += 4 + ap_get_little(h + 1, 3);
        if (h[0] == 9 && is_terminator(in, at + SOX_TOO_FEW))
            at += SOX_TOO_FEW;
    }
    return at == UINT64_MAX ? 0 : at + 1;
}

/* The integer of a line of a header: name, -i, value. 0: there is none. */
static uint64_t field(const char *head, const char *name)
{
    size_t n = strlen(name);
    for (const char *line = strchr(head, '\n'); line; line = strchr(line + 1, '\n'))
        if (strncmp(line + 1, name, n) == 0 && strncmp(line + 1 + n, " -i ", 4) == 0) {
            long long value = strtoll(line + 1 + n + 4, NULL, 10);
            return value > 0 && value < INT32_MAX * 2LL ? (uint64_t)value : 0;
        }
    return 0;
}

/* The second line is the size of the header. Coded sound ("pcm,embedded-shorten-v2.00") has no such size. */
static uint64_t end_of_sphere(ap_input *in, uint64_t start)
{
    char head[SPHERE_HEAD + 1] = {0};
    if (!load(in, start, (unsigned char *)head, SPHERE_HEAD) || memcmp(head, "NIST_1A\n", 8) != 0)
        return 0;
    uint64_t own = strtoull(head + 8, NULL, 10), samples = field(head, "sample_count");
    uint64_t channels = field(head, "channel_count"), bytes = field(head, "sample_n_bytes");
    bool coded = strstr(head, ",embedded-");
    if (coded || own < 16 || own > SPHERE_HEAD * 64 || !samples || !bytes || channels > 256 || bytes > 8)
        return 0;
    return start + own + samples * bytes * (channels ? channels : 1);
}

/* To the end of the chunk BODY. */
static uint64_t end_of_8svx(ap_input *in, uint64_t start)
{
    unsigned char h[12];
    uint64_t at = load(in, start, h, 12) && memcmp(h + 8, "8SVX", 4) == 0 ? start + 12 : UINT64_MAX;
    while (at != UINT64_MAX && load(in, at, h, 8)) {
        uint64_t size = ap_get_big(h + 4, 4);
        at += 8 + size + (size & 1);
        if (memcmp(h, "BODY", 4) == 0)
            return size ? at - (size & 1) : 0;
    }
    return 0;
}

uint64_t ap_declared_end(ap_input *in)
{
    static const struct {
        const char *magic;
        uint64_t (*end)(ap_input *in, uint64_t start);
    } kinds[] = {{"Crea", end_of_voc}, {"NIST", end_of_sphere}, {"FORM", end_of_8svx}};
    const unsigned char *p;
    uint64_t start = ap_input_tell(in), end = 0;
    char magic[4] = {0};
    if (ap_input_peek(in, &p, 4, NULL) == 4)
        memcpy(magic, p, 4);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (memcmp(magic, kinds[i].magic, 4) == 0)
            end = kinds[i].end(in, start);
    (void)ap_input_seek(in, start, NULL); /* a failure shows in the next read */
    return end;
}
