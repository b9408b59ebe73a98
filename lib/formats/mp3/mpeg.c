/* SPDX-License-Identifier: GPL-3.0-or-later
 * mpeg.c - the headers of MPEG audio frames: is this an MP3, and how long does it say it is. ISO/IEC 11172-3,
 * 2.4.1.3 and 2.4.2.3; ISO/IEC 13818-3 for the lower rates; the Xing and LAME tags as LAME writes them. */
#include "formats/mp3/mpeg.h"
#include "base/bytes.h"
#include "formats/file_type.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Sync word, version, layer and sample rate: what all frames of a stream have in common. */
#define SAME 0xfffe0c00u
#define RUN 3         /* consecutive frames that make an MP3 */
#define LONG_RUN 6    /* the same behind junk */
#define FREE_MAX 4608 /* longest free-format frame that is looked for, as in libmpg123 */

bool ap_mpeg_parse(const unsigned char *p, ap_mpeg *m)
{
    static const uint16_t kbps[5][15] = {
        {0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448}, /* MPEG-1 layer I */
        {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},    /* II */
        {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},     /* III */
        {0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},    /* MPEG-2 layer I */
        {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},         /* II, III */
    };
    static const uint32_t rates[] = {44100, 48000, 32000};
    uint32_t h = (uint32_t)ap_get_big(p, 4);
    uint32_t version = h >> 19 & 3, layer = 4 - (h >> 17 & 3), rate = h >> 10 & 3, index = h >> 12 & 15;
    if (h >> 21 != 0x7ff || version == 1 || layer == 4 || rate == 3 || index == 15)
        return false;
    bool low = version != 3;
    uint32_t bps = 1000u * kbps[low ? (layer == 1 ? 3 : 4) : layer - 1][index];
    uint32_t padding = h >> 9 & 1;
    m->header = h;
    m->rate = rates[rate] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
    m->channels = (h >> 6 & 3) == 3 ? 1 : 2;
    m->samples = layer == 1 ? 384 : layer == 3 && low ? 576 : 1152;
    m->slot = layer == 1 ? 4 : 1;
    m->size = (m->samples / 8 * bps / m->rate / m->slot + padding) * m->slot;
    if (index == 0)
        m->size = 0;
    return true;
}

bool ap_mpeg_same(const ap_mpeg *a, const ap_mpeg *b)
{
    return (a->header & SAME) == (b->header & SAME) && a->channels == b->channels;
}

/* The distance to the next header of a free-format stream, 0 if there is none. */
static size_t free_size(const unsigned char *p, size_t size, const ap_mpeg *first)
{
    ap_mpeg next;
    for (size_t n = 24; n + 4 <= size && n <= FREE_MAX; n++)
        if (p[n] == 0xff && ap_mpeg_parse(p + n, &next) && ap_mpeg_same(first, &next) && next.size == 0)
            return n;
    return 0;
}

/* Whether count frames follow each other from here on; the last one of a complete file may end it, or a tag.
 */
static bool is_run(const unsigned char *p, size_t size, bool complete, int count)
{
    ap_mpeg first, m;
    size_t at = 0, free = 0;
    if (!ap_mpeg_parse(p, &first))
        return false;
    for (int i = 0; i < count; i++) {
        if (complete && i > 0 && (at == size || (at + 4 <= size && ap_is_tag(p + at, size - at))))
            return true;
        if (at > size || size - at < 4 || !ap_mpeg_parse(p + at, &m) || !ap_mpeg_same(&first, &m) ||
            !m.size != !first.size)
            return false;
        size_t n = m.size ? m.size : free_size(p + at, size - at, &first);
        if (n == 0)
            return i == count - 1; /* the last frame of free format has no next one to measure it by */
        if (!m.size && free && (n + m.slot < free || n > free + m.slot))
            return false;
        free = n;
        at += n;
    }
    return true;
}

size_t ap_mp3_find(const unsigned char *bytes, size_t size, bool complete)
{
    ap_mpeg_info info;
    ap_mpeg m;
    for (size_t at = 0; at + 4 <= size; at++) {
        if (bytes[at] != 0xff || !ap_mpeg_parse(bytes + at, &m))
            continue;
        /* After junk more is asked for: any file has headers somewhere. Free format has no size to check, and
         * tables of small negative numbers look like layer I. */
        bool found = at == 0 ? is_run(bytes, size, complete, RUN)
                             : m.size && m.slot == 1 && is_run(bytes + at, size - at, complete, LONG_RUN);
        if (found || ap_mpeg_info_parse(bytes + at, size - at, &info))
            return at;
    }
    return SIZE_MAX;
}

/* Fraunhofer's tag is always 32 bytes after the header: version, delay, quality, bytes, MPEG frames. */
static bool parse_vbri(const unsigned char *p, size_t size, ap_mpeg_info *info)
{
    if (size < 4 + 32 + 18 || memcmp(p + 36, "VBRI", 4) != 0)
        return false;
    *info =
        (ap_mpeg_info){.frames = (uint32_t)ap_get_big(p + 50, 4), .delay = -1, .padding = -1, .vbri = true};
    return true;
}

bool ap_mpeg_info_parse(const unsigned char *p, size_t size, ap_mpeg_info *info)
{
    ap_mpeg m;
    if (size < 4 || !ap_mpeg_parse(p, &m))
        return false;
    if (parse_vbri(p, size, info))
        return true;
    bool low = m.samples == 576;
    size_t at = 4 + (size_t)(low ? (m.channels == 1 ? 9 : 17) : (m.channels == 1 ? 17 : 32)); /* side info */
    if (size < at + 16 || (memcmp(p + at, "Xing", 4) != 0 && memcmp(p + at, "Info", 4) != 0))
        return false;
    uint32_t flags = (uint32_t)ap_get_big(p + at + 4, 4);
    const unsigned char *encoder = p + at + 120; /* if the table and the quality are there */
    *info = (ap_mpeg_info){.lame = size >= at + 144 &&
                                   (memcmp(encoder, "LAME", 4) == 0 || memcmp(encoder, "Lavf", 4) == 0 ||
                                    memcmp(encoder, "Lavc", 4) == 0),
                           .delay = -1,
                           .padding = -1};
    if (info->lame && (flags & 15) == 15) { /* 12 bits each, behind what stands for the version */
        info->delay = (int)(ap_get_big(encoder + 21, 2) >> 4);
        info->padding = (int)(ap_get_big(encoder + 22, 2) & 0xfff);
    }
    at += 8;
    info->frames = flags & 1 ? (uint32_t)ap_get_big(p + at, 4) : 0;
    at += flags & 1 ? 4 : 0;
    info->bytes = flags & 2 ? (uint32_t)ap_get_big(p + at, 4) : 0;
    return true;
}
