/* SPDX-License-Identifier: GPL-3.0-or-later
 * chunks.c - walks the chunks of the formats that libsndfile reads. It shortens a truncated file silently,
 * does not know ID3 in AIFF, and believes sizes that were never filled in or have wrapped. */
#include "formats/chunks.h"
#include "base/bytes.h"
#include "base/error.h"
#include "formats/file_type.h"
#include "formats/mp3/id3.h"

#include <stdlib.h>
#include <string.h>

#define MAX_CHUNKS 100000
#define MAX_HEADER 24
#define AP_TAGS_MAX 4 /* one behind the other */
#define PADDING 4096  /* zeros behind the sound that are no sound: some programs fill up a sector */
#define LAST ((uint64_t)16 << 20) /* bytes at the end in which chunks are looked for */
#define WRAP ((uint64_t)1 << 32)

struct ap_chunk_layout {
    const char *magic;
    size_t magic_size, first_chunk;
    size_t id_size, size_size;
    bool big_endian, counts_header; /* counts_header: the size of a chunk includes its header */
    size_t align;
    const char *data, *id3; /* ids */
    size_t data_header;     /* bytes of the data chunk before the samples */
};

/* AIFF 1.3; Microsoft RIFF; EBU Tech 3306; Sony Wave64; Apple Core Audio Format. AU is handled as one chunk:
 * the size of its data is the third word. */
static const ap_chunk_layout layouts[] = {
    {"FORM", 4, 12, 4, 4, true, false, 2, "SSND", "ID3 ", 8},
    {"RIFF", 4, 12, 4, 4, false, false, 2, "data", "id3 ", 0},
    {"RF64", 4, 12, 4, 4, false, false, 2, "data", "id3 ", 0},
    {"RIFX", 4, 12, 4, 4, true, false, 2, "data", "id3 ", 0},
    {"riff\x2e\x91\xcf\x11", 8, 40, 16, 8, false, true, 8, "data", NULL, 0},
    {"caff", 4, 8, 4, 8, true, false, 1, "data", NULL, 4},
};

const ap_chunk_layout *ap_chunk_layout_of(const unsigned char *magic)
{
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (memcmp(magic, layouts[i].magic, layouts[i].magic_size) == 0)
            return &layouts[i];
    return NULL;
}

bool ap_chunk_size_unknown(uint64_t size)
{
    /* sox: 0x7f000000 in AIFF and 0x7ffff000 in WAV, less what makes whole frames; LAME and opusdec:
     * 0x7fffffff, less the header; arecord: 0x80000000 in WAV, 0xfffffffe in AU; ffmpeg: 0xffffffff. */
    return (size >= 0x7efff000 && size <= 0x7f000100) || (size >= 0x7fff0000 && size <= 0x80000000) ||
           (size >= 0xffff0000 && size <= 0xffffffff);
}

static uint64_t get(const unsigned char *p, size_t size, bool big)
{
    return big ? ap_get_big(p, size) : ap_get_little(p, size);
}

static bool is_unknown(const ap_chunk_layout *l, uint64_t size)
{
    return l->size_size == 4 ? ap_chunk_size_unknown(size) : size > INT64_MAX / 2;
}

/* The size of the body of a chunk. */
static uint64_t body_size(const ap_chunk_layout *l, const unsigned char *header)
{
    uint64_t size = get(header + l->id_size, l->size_size, l->big_endian);
    size_t own = l->counts_header ? l->id_size + l->size_size : 0;
    return size < own ? 0 : size - own;
}

static uint64_t padded(const ap_chunk_layout *l, uint64_t size)
{
    return size + (l->align - size % l->align) % l->align;
}

/* ---- after the sound */

static bool is_any(const unsigned char *p, const char *ids)
{
    for (; *ids; ids += 4)
        if (memcmp(p, ids, 4) == 0)
            return true;
    return false;
}

static bool is_zeros(const unsigned char *p, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (p[i])
            return false;
    return true;
}

/* Chunks whose names are known need no further proof. */
static bool is_known_chunk(const unsigned char *id)
{
    return is_any(id, "LISTlistid3 ID3 bextcue smplinst_PMXiXMLaxmlchnafactPEAKDISPacidJUNKPAD FLLRcart"
                      "levlafspMARKCOMTANNONAMEAUTH(c) APPLINSTMIDIFVERinfostrgpaktfreeuuid");
}

static bool is_printable(const unsigned char *id)
{
    for (int i = 0; i < 4; i++)
        if (id[i] < 0x20 || id[i] > 0x7e)
            return false;
    return true;
}

/* Where the next known name is that stands at an even place, or at any if chunks may; size: there is none.
 * odd: whether the first byte stands at an odd place. The first test is for the most of sound, of which few
 * bytes in a row are letters. */
static size_t find_chunk(const ap_chunk_layout *l, const unsigned char *p, size_t size, bool odd)
{
    size_t step = l->align % 2 ? 1 : 2;
    uint32_t word;
    for (size_t i = step == 2 && odd; i + 4 <= size; i += step) {
        memcpy(&word, p + i, 4);
        bool letters = !((word | (word - 0x20202020u)) & 0x80808080u);
        if (letters && is_printable(p + i) && is_known_chunk(p + i))
            return i;
    }
    return size;
}

/* size bytes that are `at` bytes ahead of start, where the input stands. From a pipe, only what a peek
 * reaches. Returns how many there are; -1 beyond that. */
static ptrdiff_t look(ap_input *in, uint64_t start, uint64_t at, unsigned char *to, size_t size)
{
    const unsigned char *p;
    if (ap_input_seekable(in))
        return ap_input_seek(in, start + at, NULL) ? ap_input_read(in, to, size, NULL) : -1;
    if (at + size > 65536)
        return -1;
    ptrdiff_t n = ap_input_peek(in, &p, (size_t)at + size, NULL);
    n = n < (ptrdiff_t)at ? (n < 0 ? -1 : 0) : n - (ptrdiff_t)at;
    if (n > 0)
        memcpy(to, p + at, (size_t)n);
    return n;
}

/* Whether chunks follow each other from there to the very end. */
static bool is_chain(ap_input *in, const ap_chunk_layout *l, uint64_t start, uint64_t at)
{
    unsigned char h[MAX_HEADER];
    size_t header = l->id_size + l->size_size;
    for (int i = 0; i < MAX_CHUNKS; i++) {
        ptrdiff_t n = look(in, start, at, h, header);
        if (n < (ptrdiff_t)header)
            return i > 0 && n >= 0 && is_zeros(h, (size_t)n);
        uint64_t size = body_size(l, h), left = ap_input_size(in);
        if (!is_printable(h) || size > INT64_MAX / 2)
            return false;
        at += header + size;
        if (left == AP_UNKNOWN ? look(in, start, at - 1, h, 1) != 1 : start + at > left)
            return false;
        if (left == AP_UNKNOWN || start + at < left)
            at += padded(l, size) - size;
    }
    return false;
}

/* Whether another file comes behind tags, of which some may be its own. */
static bool is_file_behind_tags(ap_input *in, const unsigned char *p, size_t size, unsigned pad)
{
    unsigned char next[32];
    uint64_t start = ap_input_tell(in), at = pad, tag = ap_tag_size(p, size);
    ptrdiff_t n = 0;
    for (int i = 0; i < AP_TAGS_MAX && tag; i++) {
        n = look(in, start, at += tag, next, sizeof next);
        tag = n > 0 ? ap_tag_size(next, (size_t)n) : 0;
    }
    if (ap_input_seekable(in))
        (void)ap_input_seek(in, start, NULL); /* a failure shows in the next read */
    return n > 0 && ap_is_next_file(next, (size_t)n);
}

ap_behind ap_chunks_behind(ap_input *in, const ap_chunk_layout *l, unsigned pad)
{
    const unsigned char *p;
    ptrdiff_t n = ap_input_peek(in, &p, PADDING + 1, NULL);
    if (n <= (ptrdiff_t)pad || (n <= PADDING && is_zeros(p, (size_t)n)))
        return AP_BEHIND_NOTHING;
    p += pad;
    size_t there = (size_t)n - pad;
    if (ap_is_next_file(p, there))
        return AP_BEHIND_FILE;
    if (there >= 8 && ap_is_tag(p, there))
        return is_file_behind_tags(in, p, there, pad) ? AP_BEHIND_FILE : AP_BEHIND_NOTHING;
    if (l && there >= 8 && is_known_chunk(p))
        return AP_BEHIND_NOTHING;
    uint64_t start = ap_input_tell(in);
    bool chain = l && there >= 4 && is_printable(p) && is_chain(in, l, start, pad);
    if (ap_input_seekable(in))
        (void)ap_input_seek(in, start, NULL); /* a failure shows in the next read */
    return chain ? AP_BEHIND_NOTHING : AP_BEHIND_SOUND;
}

/* Whether known chunks start at one of the places in these bytes, which lie `at` bytes behind the start of
 * the sound, and go on to the very end. */
static uint64_t chain_in(ap_input *in, const ap_chunk_layout *l, uint64_t start, uint64_t at,
                         const unsigned char *p, size_t size)
{
    size_t i = 0;
    while ((i += find_chunk(l, p + i, size - i, (at + i) % 2)) < size && !is_chain(in, l, start, at + i))
        i++;
    return i < size ? at + i : AP_UNKNOWN;
}

uint64_t ap_chunks_rest(ap_input *in, const ap_chunk_layout *l)
{
    unsigned char window[16384 + 3];
    uint64_t start = ap_input_tell(in), rest = ap_input_left(in), found = AP_UNKNOWN;
    for (uint64_t at = rest > LAST ? rest - LAST : 0; l && at < rest && found == AP_UNKNOWN; at += 16384) {
        ptrdiff_t n = look(in, start, at, window, sizeof window);
        found = n > 0 ? chain_in(in, l, start, at, window, (size_t)n) : AP_UNKNOWN;
    }
    (void)ap_input_seek(in, start, NULL); /* a failure shows in the next read */
    return found == AP_UNKNOWN ? rest : found;
}

ptrdiff_t ap_chunks_sound_ahead(ap_input *in, const ap_chunk_layout *l, uint64_t start, ap_error *err)
{
    const unsigned char *p;
    uint64_t at = ap_input_tell(in) - start;
    ptrdiff_t n = ap_input_peek_some(in, &p, 4, err);
    if (n < 4)
        return n;
    size_t next = find_chunk(l, p, (size_t)n, at % 2);
    return next == (size_t)n ? n - 3 : next ? (ptrdiff_t)next : !is_chain(in, l, ap_input_tell(in), 0);
}

/* What stands that many bytes ahead, with or without padding. The input then stands there. */
static ap_behind behind(ap_input *in, const ap_chunk_layout *l, uint64_t start, uint64_t size)
{
    unsigned pad = l ? (unsigned)(padded(l, size) - size) : 0;
    if (!ap_input_seek(in, start + size, NULL))
        return AP_BEHIND_NOTHING;
    ap_behind found = ap_chunks_behind(in, l, pad);
    if (found != AP_BEHIND_SOUND || !pad)
        return found;
    return ap_chunks_behind(in, l, 0);
}

uint64_t ap_chunks_true_size(ap_input *in, const ap_chunk_layout *l, uint64_t declared, bool wraps)
{
    uint64_t start = ap_input_tell(in), rest = ap_input_left(in), size = declared;
    if (declared >= rest || behind(in, l, start, declared) != AP_BEHIND_SOUND)
        goto done;
    size = rest;
    for (uint64_t n = wraps ? (rest - declared) / WRAP : 0; n > 0 && size == rest; n--)
        if (behind(in, l, start, declared + n * WRAP) != AP_BEHIND_SOUND)
            size = declared + n * WRAP;
    if (size == rest && ap_input_seek(in, start, NULL))
        size = ap_chunks_rest(in, l);
done:
    (void)ap_input_seek(in, start, NULL); /* a failure shows in the next read */
    return size;
}

/* ---- the walk */

static bool fail_truncated(const ap_input *in, uint64_t missing, ap_error *err)
{
    return ap_fail(err, AP_FAILED, "'%s' is truncated: %llu bytes of its audio are missing",
                   ap_input_name(in), (unsigned long long)missing);
}

static void read_id3(ap_input *in, uint64_t size, ap_tags *tags)
{
    unsigned char *bytes = size <= AP_ID3_MAX ? ap_input_load(in, (size_t)size, NULL) : NULL;
    if (bytes)
        (void)ap_id3_parse(bytes, (size_t)size, tags);
    free(bytes);
}

static void patch(ap_chunks *found, uint64_t at, uint64_t value, size_t size, bool big)
{
    ap_chunk_patch *p = &found->patches[found->patch_count++];
    *p = (ap_chunk_patch){.at = at, .size = size};
    for (size_t i = 0; i < size; i++)
        p->bytes[big ? size - 1 - i : i] = (unsigned char)(value >> 8 * i);
}

typedef struct walker {
    uint64_t head; /* size of a header that comes again, 0 = it does not */
    ap_input *in;
    const ap_chunk_layout *l;
    ap_chunks *found;
    ap_tags *tags;
    uint64_t frames_at; /* position of AIFF's count of frames, 0 = none yet */
    uint64_t frame_size;
} walker;

/* Tells the library the true size, if it has room for it. */
static void patch_size(const walker *w, uint64_t start, uint64_t size)
{
    const ap_chunk_layout *l = w->l;
    uint64_t value = size + (l->counts_header ? l->id_size + l->size_size : 0);
    w->found->too_long = l->size_size == 4 && value > UINT32_MAX;
    if (w->found->too_long)
        return;
    patch(w->found, start - l->size_size, value, l->size_size, l->big_endian);
    if (w->frames_at && w->frame_size && size > l->data_header)
        patch(w->found, w->frames_at, (size - l->data_header) / w->frame_size, 4, true);
}

/* The size of the sound that is here, between a header and the same at the end. */
static uint64_t size_before_header(walker *w)
{
    unsigned char magic[8];
    uint64_t start = ap_input_tell(w->in), left = ap_input_left(w->in);
    if (left >= w->head && look(w->in, start, left - w->head, magic, 8) == 8 &&
        ap_chunk_layout_of(magic) == w->l) {
        left -= w->head;
        w->found->another = start + left;
    }
    (void)ap_input_seek(w->in, start, NULL); /* a failure shows in the next read */
    return left;
}

/* The body of the data chunk is here. size becomes the true one. */
static bool check_data(walker *w, uint64_t *size, ap_error *err)
{
    const ap_chunk_layout *l = w->l;
    uint64_t left = ap_input_left(w->in), start = ap_input_tell(w->in), true_size = left;
    bool unknown = is_unknown(l, *size);
    if (*size > left && !unknown)
        return fail_truncated(w->in, *size - left, err);
    if (w->head) {
        true_size = size_before_header(w);
    } else if (*size <= left) {
        /* Without a sample, what is behind the inner header counts. */
        uint64_t declared = *size < l->data_header && left >= l->data_header ? l->data_header : *size;
        true_size = ap_chunks_true_size(w->in, l, declared, l->size_size == 4);
        true_size = true_size == declared ? *size : true_size;
        if (behind(w->in, l, start, true_size) == AP_BEHIND_FILE)
            w->found->another = ap_input_tell(w->in);
        if (!ap_input_seek(w->in, start, err)) /* walk looks for the chunks behind from here */
            return false;
        w->found->longer = true_size != *size && !unknown && *size > l->data_header;
    } else {
        true_size = ap_chunks_rest(w->in, l);
    }
    if (true_size != *size)
        patch_size(w, start, true_size);
    w->found->data_start = start + l->data_header;
    w->found->data_size = true_size < l->data_header ? 0 : true_size - l->data_header;
    *size = true_size;
    return true;
}

/* Bytes of a frame in an AIFF file, 0 if its frames are not of one size. */
static uint64_t aiff_frame_size(const unsigned char *comm, size_t size)
{
    uint64_t channels = ap_get_big(comm, 2), bytes = (ap_get_big(comm + 6, 2) + 7) / 8;
    if (size < 22 || is_any(comm + 18, "NONEsowttwosraw fl32FL32fl64FL64in24in32"))
        return channels * bytes;
    return is_any(comm + 18, "ulawULAWalawALAW") ? channels : 0;
}

/* A chunk that is not the data. The input stands at its body. */
static void see_chunk(walker *w, const unsigned char *id, uint64_t size)
{
    unsigned char p[22];
    uint64_t start = ap_input_tell(w->in);
    size_t n = size < sizeof p ? (size_t)size : sizeof p;
    if (w->l->id3 && memcmp(id, w->l->id3, 4) == 0) {
        read_id3(w->in, size, w->tags);
    } else if (is_any(id, "COMM") && n >= 18 && ap_input_read(w->in, p, n, NULL) == (ptrdiff_t)n) {
        memcpy(w->found->comm, p, n);
        w->found->comm_size = n;
        w->frames_at = start + 2;
        w->frame_size = aiff_frame_size(p, n);
    } else if (is_any(id, "fact") && n >= 4 && ap_input_read(w->in, p, 4, NULL) == 4) {
        w->found->frames = get(p, 4, w->l->big_endian);
    }
}

/* Visits the chunks from the position on. */
static bool walk(walker *w, ap_error *err)
{
    unsigned char h[MAX_HEADER];
    const ap_chunk_layout *l = w->l;
    size_t header = l->id_size + l->size_size;
    for (int i = 0; i < MAX_CHUNKS && ap_input_read(w->in, h, header, NULL) == (ptrdiff_t)header; i++) {
        uint64_t size = body_size(l, h), start = ap_input_tell(w->in);
        bool data = memcmp(h, l->data, 4) == 0 && !w->found->data_start;
        if (data && !check_data(w, &size, err))
            return false;
        if (size > ap_input_left(w->in))
            return true;
        if (!data)
            see_chunk(w, h, size);
        if (!ap_input_seek(w->in, start + padded(l, size), err))
            return false;
    }
    return true;
}

static bool check_au(ap_input *in, ap_chunks *found, ap_error *err)
{
    unsigned char h[12];
    uint64_t start = ap_input_tell(in), left = ap_input_left(in);
    if (ap_input_read(in, h, sizeof h, err) != sizeof h)
        return true;
    bool big;
    (void)ap_is_au(h, sizeof h, &big);
    uint64_t size = get(h + 8, 4, big), offset = get(h + 4, 4, big);
    bool unknown = size == 0 || ap_chunk_size_unknown(size);
    if (offset > left || (offset + size > left && !unknown))
        return fail_truncated(in, offset + size - left, err);
    if (!ap_input_seek(in, start + offset, err))
        return false;
    uint64_t true_size = unknown ? left - offset : ap_chunks_true_size(in, NULL, size, true);
    found->longer = true_size != size && !unknown;
    if (true_size != size && true_size < UINT32_MAX)
        patch(found, start + 8, true_size, 4, big);
    if (!big) /* the one magic of little-endian AU that libsndfile knows */
        patch(found, start, ap_get_big((const unsigned char *)"dns.", 4), 4, true);
    return true;
}

/* Whether the file is a header without sound, and then the same header. */
static bool begins_again(ap_input *in, uint64_t start, const ap_chunks *found)
{
    unsigned char first[128], second[128];
    size_t n = sizeof first;
    return found->data_start && found->data_size == 0 && found->another > start &&
           found->another - start >= n && look(in, start, 0, first, n) == (ptrdiff_t)n &&
           look(in, start, found->another - start, second, n) == (ptrdiff_t)n &&
           memcmp(first, second, n) == 0;
}

/* Looks at the second header instead. */
static bool walk_again(walker *w, uint64_t start, ap_error *err)
{
    uint64_t again = w->found->another;
    *w->found = (ap_chunks){.frames = AP_UNKNOWN, .again = again};
    w->head = again - start;
    return ap_input_seek(w->in, again + w->l->first_chunk, err) && walk(w, err);
}

bool ap_chunks_check(ap_input *in, ap_chunks *found, ap_tags *tags, ap_error *err)
{
    uint64_t start = ap_input_tell(in);
    const unsigned char *p;
    bool ok = true, big;
    *found = (ap_chunks){.frames = AP_UNKNOWN};
    if (ap_input_peek(in, &p, 8, err) != 8)
        return true;
    walker w = {.in = in, .l = ap_chunk_layout_of(p), .found = found, .tags = tags};
    if (ap_is_au(p, 8, &big))
        ok = check_au(in, found, err);
    else if (w.l && memcmp(p, "RF64", 4) != 0) /* whose size stands elsewhere */
        ok = ap_input_seek(in, start + w.l->first_chunk, err) && walk(&w, err) &&
             (!begins_again(in, start, found) || walk_again(&w, start, err));
    return ok && ap_input_seek(in, start, err);
}
