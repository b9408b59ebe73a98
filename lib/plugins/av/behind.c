/* SPDX-License-Identifier: GPL-3.0-or-later
 * behind.c - where a file ends by its own headers. libav stops there, and does not say whether there is more:
 * a file that was joined to another one. What it reads through (ADTS, AC-3, MPEG-TS, Matroska...) needs
 * nothing of this; what it takes the header of the second one for sound in, is hidden from it. */
#include "plugins/av/behind.h"
#include "base/bytes.h"
#include "formats/chunks.h"
#include "formats/declared.h"
#include "plugins/av/boxes.h"
#include "plugins/av/tag_end.h"

#include <string.h>

#define MAX_PARTS 1000000

static bool load(ap_input *in, uint64_t at, unsigned char *to, size_t size)
{
    return ap_input_seek(in, at, NULL) && ap_input_read(in, to, size, NULL) == (ptrdiff_t)size;
}

/* ---- where it ends: a position, 0 if it cannot be told */

/* At what is no box, or at a second ftyp box. */
static uint64_t end_of_boxes(ap_input *in, uint64_t start)
{
    ap_box all = {start, ap_input_size(in)}, first, found = {start, start};
    if (!ap_box_find(in, all, "ftyp", NULL, &first))
        return 0;
    found = first;
    return ap_box_find(in, all, "ftyp", &first, &found) ? found.begin - 8 : found.end;
}

/* The File Properties object (ASF specification, 3.2): GUID, size, file id, size of the file... */
static uint64_t end_of_asf(ap_input *in, uint64_t start)
{
    static const unsigned char guid[16] = {0xa1, 0xdc, 0xab, 0x8c, 0x47, 0xa9, 0xcf, 0x11,
                                           0x8e, 0xe4, 0x00, 0xc0, 0x0c, 0x20, 0x53, 0x65};
    const unsigned char *p;
    ptrdiff_t n = ap_input_seek(in, start, NULL) ? ap_input_peek(in, &p, 65536, NULL) : 0;
    const unsigned char *found = n > 0 ? memmem(p, (size_t)n, guid, sizeof guid) : NULL;
    return found && n - (found - p) >= 48 ? start + ap_get_little(found + 40, 8) : 0;
}

/* The header, a table of the sizes of its frames, and a checksum after both (TTA1 specification). */
static uint64_t end_of_tta(ap_input *in, uint64_t start)
{
    unsigned char h[22], size[4];
    if (!load(in, start, h, sizeof h))
        return 0;
    uint64_t length = 256 * ap_get_little(h + 10, 4) / 245, samples = ap_get_little(h + 14, 4);
    uint64_t count = length ? (samples + length - 1) / length : 0, end = start + 22 + 4 * count + 4;
    for (uint64_t i = 0; i < count && i < MAX_PARTS; i++) {
        if (ap_input_read(in, size, 4, NULL) != 4)
            return 0;
        end += ap_get_little(size, 4);
    }
    return end;
}

/* At the block where the count of samples starts again (WavPack 4 & 5 Binary File Format). */
static uint64_t end_of_wavpack(ap_input *in, uint64_t start)
{
    unsigned char h[24];
    uint64_t at = start, before = 0;
    while (load(in, at, h, sizeof h) && memcmp(h, "wvpk", 4) == 0) {
        uint64_t index = ap_get_little(h + 16, 4) | (uint64_t)h[10] << 32;
        if (index < before)
            break;
        before = index;
        at += 8 + ap_get_little(h + 4, 4);
    }
    return at;
}

/* At what is no tag of its own: kind, size, time, 4 bytes, data, size (Flash Video 10.1, annex E). */
static uint64_t end_of_flv(ap_input *in, uint64_t start)
{
    unsigned char h[9];
    uint64_t at = load(in, start, h, 9) ? start + ap_get_big(h + 5, 4) + 4 : UINT64_MAX;
    while (at != UINT64_MAX && load(in, at, h, 4) && (h[0] & 0x1f) != 'F' % 32)
        at += 11 + ap_get_big(h + 1, 3) + 4;
    return at == UINT64_MAX ? 0 : at;
}

static uint64_t end_of_voc(ap_input *in, uint64_t start)
{
    return ap_input_seek(in, start, NULL) ? ap_declared_end(in) : 0;
}

/* After the one chunk that all of IFF and of SMAF is. */
static uint64_t end_of_chunk(ap_input *in, uint64_t start)
{
    unsigned char h[8];
    uint64_t size = load(in, start, h, 8) ? ap_get_big(h + 4, 4) : 0;
    return size ? start + 8 + size + (size & 1) : 0;
}

/* Whether another file begins there, if only of the same kind. */
static bool is_file(ap_input *in, uint64_t start, uint64_t at)
{
    unsigned char first[4], second[4];
    return (load(in, start, first, 4) && load(in, at, second, 4) && memcmp(first, second, 4) == 0) ||
           (ap_input_seek(in, at, NULL) && ap_chunks_behind(in, NULL, 0) == AP_BEHIND_FILE);
}

bool ap_av_goes_on(const ap_av_source *s, uint64_t read)
{
    static const struct {
        const char *format;
        uint64_t (*end)(ap_input *in, uint64_t start);
    } kinds[] = {{"mov,mp4,m4a", end_of_boxes}, {"asf", end_of_asf},   {"tta", end_of_tta},
                 {"wv", end_of_wavpack},        {"flv", end_of_flv},   {"voc", end_of_voc},
                 {"iff", end_of_chunk},         {"mmf", end_of_chunk}, {"wtv", ap_av_end_at_start}};
    if (s->end) /* libav was shown no more */
        return s->end < ap_input_size(s->in) && is_file(s->in, s->base, s->end);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strncmp(s->container->iformat->name, kinds[i].format, strlen(kinds[i].format)) != 0)
            continue;
        uint64_t end = kinds[i].end(s->in, s->base), size = ap_input_size(s->in);
        return end && end < size && s->base + read <= end && is_file(s->in, s->base, end);
    }
    return false;
}
