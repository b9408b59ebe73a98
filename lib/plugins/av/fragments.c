/* SPDX-License-Identifier: GPL-3.0-or-later
 * fragments.c - how long a track is whose samples are listed in fragments (ISO/IEC 14496-12, 8.8). */
#include "plugins/av/fragments.h"

#include <libavutil/intreadwrite.h>
#include <stdlib.h>

#define MAX_FRAGMENTS 1000000
#define MAX_TRUN (UINT64_C(16) << 20)
/* Flags of tfhd and trun. */
#define HAS_BASE_OFFSET 0x1u
#define HAS_DESCRIPTION 0x2u
#define HAS_DEFAULT_DURATION 0x8u
#define HAS_DATA_OFFSET 0x1u
#define HAS_FIRST_FLAGS 0x4u
#define HAS_DURATION 0x100u
#define SAMPLE_FIELDS 0xf00u

/* Version and flags, then count bytes, of a box of that type. NULL: it is not there, or too short. */
static unsigned char *load(ap_input *in, ap_box outer, const char *type, size_t least, size_t *size)
{
    ap_box b;
    unsigned char *p = ap_box_find(in, outer, type, NULL, &b) ? ap_box_load(in, b, MAX_TRUN, size) : NULL;
    if (p && *size >= least)
        return p;
    free(p);
    return NULL;
}

/* The duration of samples that have none of their own, by trex. */
static uint32_t default_duration(ap_input *in, ap_box moov, uint32_t id)
{
    ap_box mvex, trex;
    uint32_t duration = 0;
    if (!ap_box_find(in, moov, "mvex", NULL, &mvex))
        return 0;
    for (const ap_box *after = NULL; !duration && ap_box_find(in, mvex, "trex", after, &trex);
         after = &trex) {
        size_t size;
        unsigned char *p = ap_box_load(in, trex, 4096, &size);
        if (p && size >= 16 && AV_RB32(p + 4) == id)
            duration = AV_RB32(p + 12);
        free(p);
    }
    return duration;
}

/* Whether the traf is of our track; its default duration replaces the one of trex. */
static bool is_ours(ap_input *in, ap_box traf, uint32_t id, uint32_t *duration)
{
    size_t size;
    unsigned char *p = load(in, traf, "tfhd", 8, &size);
    bool ours = p && AV_RB32(p + 4) == id;
    if (ours) {
        uint32_t flags = AV_RB24(p + 1);
        size_t at = 8 + (flags & HAS_BASE_OFFSET ? 8u : 0u) + (flags & HAS_DESCRIPTION ? 4u : 0u);
        if ((flags & HAS_DEFAULT_DURATION) && at + 4 <= size)
            *duration = AV_RB32(p + at);
    }
    free(p);
    return ours;
}

static int64_t trun_length(const unsigned char *p, size_t size, uint32_t duration)
{
    uint32_t flags = AV_RB24(p + 1), count = AV_RB32(p + 4);
    size_t at = 8 + (flags & HAS_DATA_OFFSET ? 4u : 0u) + (flags & HAS_FIRST_FLAGS ? 4u : 0u);
    size_t each = 4 * (size_t)__builtin_popcount(flags & SAMPLE_FIELDS);
    int64_t sum = 0;
    if (!(flags & HAS_DURATION))
        return (int64_t)count * duration;
    for (uint32_t i = 0; i < count && at + each <= size; i++, at += each)
        sum += AV_RB32(p + at);
    return sum;
}

/* Length of all runs of a traf. */
static int64_t traf_length(ap_input *in, ap_box traf, uint32_t duration)
{
    int64_t sum = 0;
    ap_box trun;
    for (const ap_box *after = NULL; ap_box_find(in, traf, "trun", after, &trun); after = &trun) {
        size_t size;
        unsigned char *p = ap_box_load(in, trun, MAX_TRUN, &size);
        if (p && size >= 8 && __builtin_add_overflow(sum, trun_length(p, size, duration), &sum))
            sum = INT64_MAX / 4;
        free(p);
    }
    return sum;
}

/* When the traf begins: by tfdt, or after what came before. */
static int64_t traf_start(ap_input *in, ap_box traf, int64_t before)
{
    size_t size;
    unsigned char *p = load(in, traf, "tfdt", 8, &size);
    uint64_t start = !p ? (uint64_t)before : p[0] != 1 ? AV_RB32(p + 4) : size >= 12 ? AV_RB64(p + 4) : 0;
    free(p);
    return start < INT64_MAX / 4 ? (int64_t)start : before;
}

int64_t ap_av_fragments_end(ap_input *in, ap_box file, ap_box moov, uint32_t id)
{
    int64_t end = -1;
    uint32_t usual = default_duration(in, moov, id);
    ap_box moof, traf;
    const ap_box *after = NULL;
    for (int i = 0; i < MAX_FRAGMENTS && ap_box_find(in, file, "moof", after, &moof); i++, after = &moof)
        for (const ap_box *last = NULL; ap_box_find(in, moof, "traf", last, &traf); last = &traf) {
            uint32_t duration = usual;
            if (!is_ours(in, traf, id, &duration))
                continue;
            int64_t start = traf_start(in, traf, end < 0 ? 0 : end);
            int64_t stop = start + traf_length(in, traf, duration);
            end = stop > end ? stop : end;
        }
    return end > 0 && end < INT64_MAX / 2 ? end : -1;
}
