/* SPDX-License-Identifier: GPL-3.0-or-later
 * tag_end.c - what is behind the packets of a file and is none: a second file, ID3v1, APEv2 (hydrogenaud.io,
 * "APEv2 specification"). */
#include "plugins/av/tag_end.h"
#include "base/bytes.h"

#include <string.h>

#define MAX_TAGS 4
#define MAGIC 14 /* bytes that each of these formats has before its sound */
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

/* ---- what is hidden */

/* The header, with the count of samples of one byte (Psion Series 3, A-law). */
static uint64_t end_of_wve(ap_input *in, uint64_t start)
{
    unsigned char h[22];
    return load(in, start, h, sizeof h) ? start + 32 + ap_get_big(h + 18, 4) : 0;
}

/* MacBinary: a header of 128 bytes, in which the size of the data fork stands; forks are filled up. */
static uint64_t end_of_hcom(ap_input *in, uint64_t start)
{
    unsigned char h[87];
    uint64_t size = load(in, start, h, sizeof h) ? ap_get_big(h + 83, 4) : 0;
    uint64_t end = start + 128 + size, padded = start + 128 + (size + 127) / 128 * 128;
    return !size ? 0 : padded <= ap_input_size(in) ? padded : end;
}

static const struct {
    const char *format;
    size_t at, size;
    const char *magic;
    uint64_t (*end)(ap_input *in, uint64_t start);
} hidden[] = {
    {"nut", 0, 8, "nut/mult", ap_av_end_at_start},   {"ircam", 0, 2, "\x64\xa3", ap_av_end_at_start},
    {"ircam", 2, 2, "\xa3\x64", ap_av_end_at_start}, {"epaf", 0, 4, " paf", ap_av_end_at_start},
    {"epaf", 0, 4, "fap ", ap_av_end_at_start},      {"pvf", 0, 5, "PVF1\n", ap_av_end_at_start},
    {"wve", 0, 14, "ALawSoundFile*", end_of_wve},    {"hcom", 65, 4, "FSSD", end_of_hcom}};

uint64_t ap_av_hidden_end(ap_input *in, uint64_t start)
{
    unsigned char p[69];
    bool there = load(in, start, p, sizeof p);
    for (size_t i = 0; there && i < sizeof hidden / sizeof *hidden; i++)
        if (memcmp(p + hidden[i].at, hidden[i].magic, hidden[i].size) == 0)
            return hidden[i].end(in, start);
    return 0;
}

bool ap_av_hides_end(const char *format)
{
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (strcmp(format, hidden[i].format) == 0)
            return true;
    return false;
}
