/* SPDX-License-Identifier: GPL-3.0-or-later
 * chunks.c - walks the chunks of the formats that libsndfile reads. It shortens a truncated file silently,
 * and does not know ID3 in AIFF. */
#include "formats/chunks.h"
#include "base/bytes.h"
#include "base/error.h"
#include "formats/mp3/id3.h"

#include <stdlib.h>
#include <string.h>

#define MAX_ID3 ((uint64_t)80 << 20)
#define MAX_CHUNKS 100000
#define MAX_HEADER 24
/* At least this in a 32-bit size: what programs write that cannot seek (sox: 0x7f000000 in AIFF, 0x7ffff000
 * in WAV; ffmpeg: 0xffffffff). */
#define UNKNOWN_SIZE_32 0x7f000000u

typedef struct layout {
    const char *magic;
    size_t magic_size, first_chunk;
    size_t id_size, size_size;
    bool big_endian, counts_header; /* counts_header: the size of a chunk includes its header */
    size_t align;
    const char *data, *id3; /* ids */
} layout;

/* AIFF 1.3; Microsoft RIFF; Sony Wave64; Apple Core Audio Format. AU is handled as one chunk: the size of its
 * data is the third word. */
static const layout layouts[] = {
    {"FORM", 4, 12, 4, 4, true, false, 2, "SSND", "ID3 "},
    {"RIFF", 4, 12, 4, 4, false, false, 2, "data", "id3 "},
    {"RIFX", 4, 12, 4, 4, true, false, 2, "data", "id3 "},
    {"riff\x2e\x91\xcf\x11", 8, 40, 16, 8, false, true, 8, "data", NULL},
    {"caff", 4, 8, 4, 8, true, false, 1, "data", NULL},
};

static uint64_t get(const unsigned char *p, size_t size, bool big)
{
    return big ? ap_get_big(p, size) : ap_get_little(p, size);
}

static bool is_unknown(const layout *l, uint64_t size)
{
    return l->size_size == 4 ? size >= UNKNOWN_SIZE_32 : size > INT64_MAX / 2;
}

static bool fail_truncated(const ap_input *in, uint64_t missing, ap_error *err)
{
    return ap_fail(err, AP_FAILED, "'%s' is truncated: %llu bytes of its audio are missing",
                   ap_input_name(in), (unsigned long long)missing);
}

static void read_id3(ap_input *in, uint64_t size, ap_tags *tags)
{
    unsigned char *bytes = size <= MAX_ID3 ? ap_input_load(in, (size_t)size, NULL) : NULL;
    if (bytes)
        (void)ap_id3_parse(bytes, (size_t)size, tags);
    free(bytes);
}

/* Visits the chunks from the position on. */
static bool walk(ap_input *in, const layout *l, ap_tags *tags, ap_error *err)
{
    unsigned char h[MAX_HEADER];
    size_t header = l->id_size + l->size_size;
    for (int i = 0; i < MAX_CHUNKS && ap_input_read(in, h, header, NULL) == (ptrdiff_t)header; i++) {
        uint64_t size = get(h + l->id_size, l->size_size, l->big_endian), left = ap_input_left(in);
        uint64_t start = ap_input_tell(in);
        if (l->counts_header)
            size = size < header ? 0 : size - header;
        if (memcmp(h, l->data, 4) == 0 && size > left)
            return is_unknown(l, size) || fail_truncated(in, size - left, err);
        if (size > left)
            return true;
        if (l->id3 && memcmp(h, l->id3, 4) == 0)
            read_id3(in, size, tags);
        size += (l->align - size % l->align) % l->align;
        if (!ap_input_seek(in, start + size, err))
            return false;
    }
    return true;
}

static bool check_au(ap_input *in, ap_error *err)
{
    unsigned char h[12];
    uint64_t left = ap_input_left(in);
    if (ap_input_read(in, h, sizeof h, err) != sizeof h)
        return true;
    bool big = h[0] == '.';
    uint64_t size = get(h + 8, 4, big), end = get(h + 4, 4, big) + size;
    return size == UINT32_MAX || end <= left || fail_truncated(in, end - left, err);
}

bool ap_chunks_check(ap_input *in, ap_tags *tags, ap_error *err)
{
    uint64_t start = ap_input_tell(in);
    const unsigned char *p;
    bool ok = true;
    if (ap_input_peek(in, &p, 8, err) != 8)
        return true;
    if (memcmp(p, ".snd", 4) == 0 || memcmp(p, "dns.", 4) == 0)
        ok = check_au(in, err);
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (memcmp(p, layouts[i].magic, layouts[i].magic_size) == 0)
            ok = ap_input_seek(in, start + layouts[i].first_chunk, err) && walk(in, &layouts[i], tags, err);
    return ok && ap_input_seek(in, start, err);
}
