/* SPDX-License-Identifier: GPL-3.0-or-later
 * riff.c - PCM and MPEG audio in WAV, RF64 and Wave64, from files and pipes. libsndfile would do for files,
 * but from a pipe it stops at 4 GiB and takes a length of 0 for an empty file, and in Wave64 it takes float
 * for int. The formats: Microsoft, "Multimedia Programming Interface and Data Specifications 1.0"; "Multiple
 * Channel Audio Data and WAVE Files"; EBU Tech 3306; Sony, "Wave64". */
#include "formats/riff.h"
#include "base/bytes.h"
#include "base/error.h"
#include "formats/bext.h"
#include "formats/chunks.h"
#include "formats/file_type.h"
#include "formats/mp3/decode_mp3.h"
#include "formats/mp3/id3.h"
#include "formats/mp3/mpeg.h"
#include "formats/pcm.h"
#include "formats/vorbiscomment.h"
#include "stream/stream.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_HEADER 8
#define W64_CHUNK_HEADER 24 /* a GUID, and a size that includes this */
#define W64_MAGIC "riff\x2e\x91\xcf\x11"
#define MAX_FMT 40                 /* of WAVEFORMATEXTENSIBLE */
#define MAX_LIST ((size_t)1 << 20) /* a longer LIST is skipped */
#define SIZE_UNKNOWN 0xffffffffu   /* in RF64: the size is in ds64 */
enum { TAG_PCM = 1, TAG_FLOAT = 3, TAG_MPEG = 0x50, TAG_MP3 = 0x55, TAG_EXTENSIBLE = 0xfffe };

typedef struct wav {
    ap_input *in;
    ap_tags *tags;
    ap_format format;
    ap_pcm type;
    size_t frame_size; /* 0 = no fmt chunk yet */
    bool mpeg;         /* not PCM; a "frame" is a byte then */
    bool w64, rf64;
    bool longer; /* than the header says */
    bool again;  /* the header comes again, as sox writes it to a pipe */
    uint64_t again_at;
    const ap_chunk_layout *layout;
    uint64_t ds64_size;  /* of the data chunk, from RF64 */
    uint64_t data_start; /* position */
    uint64_t data_size;  /* AP_UNKNOWN = until the end */
    unsigned char *bext; /* the bext chunk; its time needs the rate */
    size_t bext_size;
} wav;

static uint32_t get16(const unsigned char *p)
{
    return (uint32_t)ap_get_little(p, 2);
}

static uint32_t get32(const unsigned char *p)
{
    return (uint32_t)ap_get_little(p, 4);
}

static bool is_id(const unsigned char *p, const char *id)
{
    return memcmp(p, id, 4) == 0;
}

/* ---- the fmt chunk */

static bool pcm_type(uint32_t tag, uint32_t sample_size, ap_pcm *type)
{
    static const ap_pcm ints[] = {AP_PCM_U8, AP_PCM_S16, AP_PCM_S24, AP_PCM_S32};
    if (tag == TAG_PCM && sample_size >= 1 && sample_size <= 4)
        *type = ints[sample_size - 1];
    else if (tag == TAG_FLOAT && (sample_size == 4 || sample_size == 8))
        *type = sample_size == 4 ? AP_PCM_F32 : AP_PCM_F64;
    else
        return false;
    return true;
}

/* The body of a fmt chunk. false if it is not linear PCM of whole bytes. Fewer valid bits than bytes hold are
 * at the top of them, so they need no care. */
static bool parse_fmt(wav *w, const unsigned char *p, size_t size)
{
    static const char guid_tail[] = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71";
    if (size < 16)
        return false;
    uint32_t tag = get16(p), channels = get16(p + 2), align = get16(p + 12), bits = get16(p + 14);
    if (tag == TAG_EXTENSIBLE) {
        if (size < MAX_FMT || memcmp(p + 26, guid_tail, 14) != 0)
            return false;
        w->format.mask = get32(p + 20) ? get32(p + 20) : AP_DISCRETE;
        tag = get16(p + 24);
    }
    w->format.channels = channels;
    w->format.rate = get32(p + 4);
    w->mpeg = tag == TAG_MP3 || tag == TAG_MPEG;
    w->frame_size = w->mpeg ? 1 : align;
    if (w->mpeg)
        return true;
    if (channels == 0 || align % channels != 0 || bits == 0 || bits > 8 * (align / channels))
        return false;
    return pcm_type(tag, align / channels, &w->type);
}

static uint64_t w64_size(const unsigned char *header)
{
    uint64_t size = ap_get_little(header + 16, 8);
    return size < W64_CHUNK_HEADER ? 0 : size - W64_CHUNK_HEADER;
}

/* Bytes between a chunk of this size and the next. */
static unsigned padding(bool w64, uint64_t size)
{
    return w64 ? (unsigned)(-size & 7) : size & 1;
}

static bool is_w64(const unsigned char *p, size_t size)
{
    return size >= 40 && memcmp(p, W64_MAGIC, 8) == 0 && is_id(p + 24, "wave");
}

static bool is_riff(const unsigned char *p, size_t size)
{
    return size >= 12 && ap_is_wave(p, size) && !ap_is_rifx(p, size);
}

bool ap_riff_is_pcm(const unsigned char *bytes, size_t size)
{
    wav w = {.w64 = is_w64(bytes, size)};
    size_t at = w.w64 ? 40 : 12, header = w.w64 ? W64_CHUNK_HEADER : CHUNK_HEADER;
    if (!w.w64 && !is_riff(bytes, size))
        return false;
    while (at <= size && size - at >= header) {
        const unsigned char *h = bytes + at;
        uint64_t length = w.w64 ? w64_size(h) : get32(h + 4);
        at += header;
        if (is_id(h, "fmt "))
            return parse_fmt(&w, h + header, length < size - at ? (size_t)length : size - at);
        if (is_id(h, "data") || length > size - at)
            return false;
        at += (size_t)length + padding(w.w64, length);
    }
    return false;
}

/* ---- tags */

static const char *info_key(const unsigned char *id)
{
    static const char *const keys[][2] = {
        {"INAM", "TITLE"},     {"IART", "ARTIST"},   {"IPRD", "ALBUM"},       {"ICRD", "DATE"},
        {"IGNR", "GENRE"},     {"ICMT", "COMMENT"},  {"ITRK", "TRACKNUMBER"}, {"IPRT", "TRACKNUMBER"},
        {"ICOP", "COPYRIGHT"}, {"IMUS", "COMPOSER"}, {"ILNG", "LANGUAGE"},    {"IENG", "ENGINEER"},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (is_id(id, keys[i][0]))
            return keys[i][1];
    return NULL;
}

/* The body of a LIST chunk. */
static void parse_info(const unsigned char *p, size_t size, ap_tags *tags)
{
    if (size < 4 || !is_id(p, "INFO"))
        return;
    for (size_t at = 4; at + CHUNK_HEADER < size;) {
        size_t length = get32(p + at + 4);
        const char *key = info_key(p + at);
        at += CHUNK_HEADER;
        length = length < size - at ? length : size - at;
        char *value = strndup((const char *)p + at, length);
        if (key && value && !ap_tags_get(tags, key) && ap_tag_total_of(key))
            ap_tags_add_position(tags, ap_tag_total_of(key), value);
        else if (key && value && !ap_tags_get(tags, key))
            (void)ap_tags_add(tags, key, value); /* one that cannot be kept is no reason to stop */
        free(value);
        at += length + (length & 1);
    }
}

/* ID3 goes before INFO, key by key: it holds several values and long ones, and some taggers write it alone
 * and leave an old INFO as it is. */
static void parse_id3(unsigned char *bytes, size_t size, ap_tags **tags)
{
    ap_tags *id3 = ap_tags_new();
    if (!id3)
        return;
    (void)ap_id3_parse(bytes, size, id3);
    (void)ap_tags_fill(id3, *tags);
    ap_tags_free(tags);
    *tags = id3;
}

/* The id and the size of the next chunk. 0 at the end, -1 on error. */
static int read_chunk_header(wav *w, unsigned char *id, uint64_t *size, ap_error *err)
{
    unsigned char h[W64_CHUNK_HEADER];
    size_t header = w->w64 ? W64_CHUNK_HEADER : CHUNK_HEADER;
    ptrdiff_t n = ap_input_read(w->in, h, header, err);
    if (n < (ptrdiff_t)header)
        return n < 0 ? -1 : 0;
    memcpy(id, h, 4);
    *size = w->w64 ? w64_size(h) : get32(h + 4);
    return 1;
}

/* Reads a chunk that carries tags, skips any other. */
static bool read_other_chunk(wav *w, const unsigned char *id, uint64_t size, ap_error *err)
{
    unsigned pad = padding(w->w64, size);
    bool list = (is_id(id, "LIST") || is_id(id, "list")) && size <= MAX_LIST;
    bool id3 = (is_id(id, "id3 ") || is_id(id, "ID3 ")) && size <= AP_ID3_MAX;
    bool bext = is_id(id, "bext") && size <= MAX_LIST && !w->bext;
    if (!list && !id3 && !bext)
        return ap_input_skip(w->in, size, err) && ap_input_skip(w->in, pad, err);
    unsigned char *bytes = ap_input_load(w->in, (size_t)size + pad, err);
    if (bytes && list)
        parse_info(bytes, (size_t)size, w->tags);
    if (bytes && id3)
        parse_id3(bytes, (size_t)size, &w->tags);
    bool read = bytes != NULL;
    if (bext) {
        w->bext = bytes;
        w->bext_size = (size_t)size;
    } else {
        free(bytes);
    }
    return read;
}

/* Tags after the data. What is wrong there is no reason to fail. */
static void read_trailing_tags(wav *w)
{
    unsigned char id[4];
    uint64_t size;
    if (!ap_input_seek(w->in, w->data_start + w->data_size + padding(w->w64, w->data_size), NULL))
        return;
    while (read_chunk_header(w, id, &size, NULL) > 0)
        if (!read_other_chunk(w, id, size, NULL))
            break;
}

/* ---- the data chunk */

/* The size that programs write when they do not know it. */
static bool is_until_end(bool sixty_four, uint64_t size)
{
    return sixty_four ? size > INT64_MAX / 2 : ap_chunk_size_unknown(size);
}

/* From a pipe, only what comes next can be looked at. */
static uint64_t size_in_pipe(wav *w, uint64_t declared, bool unknown)
{
    if (declared == 0)
        unknown = ap_chunks_behind(w->in, w->layout, 0) == AP_BEHIND_SOUND;
    return unknown ? AP_UNKNOWN : declared;
}

static uint64_t size_in_file(wav *w, uint64_t declared, uint64_t rest, bool unknown, bool wraps)
{
    if (declared > rest)
        return unknown ? ap_chunks_rest(w->in, w->layout) : declared;
    uint64_t size = ap_chunks_true_size(w->in, w->layout, declared, wraps);
    w->longer = !unknown && declared && size / w->frame_size > declared / w->frame_size;
    return size;
}

static bool set_data_size(wav *w, uint64_t size, ap_error *err)
{
    uint64_t rest = ap_input_left(w->in);
    bool from_ds64 = w->rf64 && size == SIZE_UNKNOWN;
    uint64_t declared = from_ds64 ? w->ds64_size : size;
    bool unknown = is_until_end(w->w64 || from_ds64, declared);
    w->data_start = ap_input_tell(w->in);
    w->data_size = rest == AP_UNKNOWN ? size_in_pipe(w, declared, unknown)
                                      : size_in_file(w, declared, rest, unknown, !w->w64 && !from_ds64);
    if (w->data_size == AP_UNKNOWN)
        return true;
    w->format.frames = w->data_size / w->frame_size;
    if (rest / w->frame_size >= w->format.frames)
        return true;
    return ap_fail(err, AP_FAILED, "'%s' is truncated: it has %llu of its %llu %s", ap_input_name(w->in),
                   (unsigned long long)(rest / w->frame_size), (unsigned long long)w->format.frames,
                   w->mpeg ? "bytes" : "frames");
}

/* sox writes Wave64 to a pipe with the header, the header, the sound and the header, none with a size. */
static bool begins_again(const wav *w, uint64_t size)
{
    const unsigned char *p;
    ptrdiff_t n = w->w64 && size == 0 && !w->again ? ap_input_peek(w->in, &p, 40, NULL) : 0;
    return n == 40 && is_w64(p, 40);
}

/* Skips the first header. Where the sound ends is seen from the end of the file. */
static bool begin_again(wav *w, ap_error *err)
{
    if (!ap_input_make_seekable(w->in, err))
        return false;
    w->again = true;
    w->again_at = ap_input_tell(w->in);
    return ap_input_skip(w->in, 40, err);
}

/* The size of the sound, less the header after it. */
static bool set_size_again(wav *w, ap_error *err)
{
    const unsigned char *p;
    w->data_start = ap_input_tell(w->in);
    w->data_size = ap_input_left(w->in);
    uint64_t head = w->data_start - w->again_at;
    if (w->data_size >= head) {
        if (!ap_input_seek(w->in, w->data_start + w->data_size - head, err))
            return false;
        if (ap_input_peek(w->in, &p, 40, NULL) == 40 && is_w64(p, 40))
            w->data_size -= head;
    }
    w->format.frames = w->data_size / w->frame_size;
    return ap_input_seek(w->in, w->data_start, err);
}

/* At the end: a size that was never filled in, or has wrapped, shows in a pipe only now. */
static bool warn_of_more(ap_stream *s, ap_input *in, ap_error *err)
{
    const ap_chunk_layout *layouts[] = {ap_chunk_layout_of((const unsigned char *)"RIFF...."),
                                        ap_chunk_layout_of((const unsigned char *)W64_MAGIC)};
    (void)err;
    bool nothing = false, file = false;
    for (unsigned pad = 0; pad < 8; pad++)
        for (size_t i = 0; i < 2; i++) {
            ap_behind behind = ap_chunks_behind(in, layouts[i], pad);
            nothing = nothing || behind == AP_BEHIND_NOTHING;
            file = file || behind == AP_BEHIND_FILE;
        }
    if (file || !nothing)
        ap_warn_left_out(s);
    return true;
}

/* ---- the file */

static bool read_ds64(wav *w, uint64_t size, ap_error *err)
{
    unsigned char *p = size >= 16 && size <= MAX_LIST
                           ? ap_input_load(w->in, (size_t)size + padding(false, size), err)
                           : NULL;
    if (!p)
        return ap_fail(err, AP_FAILED, "'%s' is RF64 with a header that makes no sense",
                       ap_input_name(w->in));
    w->ds64_size = ap_get_little(p + 8, 8);
    free(p);
    return true;
}

static bool read_fmt(wav *w, uint64_t size, ap_error *err)
{
    unsigned char p[MAX_FMT];
    size_t n = size < sizeof p ? (size_t)size : sizeof p;
    ptrdiff_t got = ap_input_read(w->in, p, n, err);
    if (got < 0)
        return false;
    if (got < (ptrdiff_t)n || !parse_fmt(w, p, n))
        return ap_fail(err, AP_FAILED, "'%s' is WAV with a header that makes no sense", ap_input_name(w->in));
    return ap_input_skip(w->in, size - n, err) && ap_input_skip(w->in, padding(w->w64, size), err);
}

/* Reads chunks until the data begins. */
static bool read_header(wav *w, ap_error *err)
{
    const unsigned char *p;
    unsigned char id[4];
    uint64_t size;
    int found;
    ptrdiff_t n = ap_input_peek(w->in, &p, 40, err);
    w->w64 = n > 0 && is_w64(p, (size_t)n);
    w->rf64 = n >= 4 && is_id(p, "RF64");
    w->layout = n >= 8 ? ap_chunk_layout_of(p) : NULL;
    if (n < 0 || !ap_input_skip(w->in, w->w64 ? 40 : 12, err))
        return false;
    while ((found = read_chunk_header(w, id, &size, err)) > 0) {
        bool again = is_id(id, "data") && begins_again(w, size);
        if (is_id(id, "data") && w->frame_size && !again)
            return w->again && size == 0 ? set_size_again(w, err) : set_data_size(w, size, err);
        bool ok = again                          ? begin_again(w, err)
                  : is_id(id, "fmt ")            ? read_fmt(w, size, err)
                  : w->rf64 && is_id(id, "ds64") ? read_ds64(w, size, err)
                                                 : read_other_chunk(w, id, size, err);
        if (!ok)
            return false;
    }
    return found == 0 && ap_fail(err, AP_FAILED, "'%s' is truncated: it has no audio", ap_input_name(w->in));
}

static void note(ap_stream *s, const wav *w)
{
    const char *format = w->w64 ? "w64" : w->rf64 ? "rf64" : "wav";
    ap_details *d = s ? s->details : NULL;
    uint64_t delay = d ? d->delay : AP_UNKNOWN, padding = d ? d->padding : AP_UNKNOWN;
    d = w->mpeg ? ap_stream_note(s, format, d ? d->codec : "mp3", 0)
                : ap_stream_note(s, format, ap_pcm_name(w->type, false), 8 * (unsigned)ap_pcm_size(w->type));
    if (d) {
        d->delay = delay;
        d->padding = padding;
    }
}

/* Opens what is in the data chunk. Takes the tags over. */
static ap_stream *open_data(wav *w, ap_error *err)
{
    if (!w->mpeg) {
        bool in_pipe = w->data_size == AP_UNKNOWN;
        ap_stream *s =
            ap_pcm_stream(w->in, w->type, false, &w->format, w->tags, w->again ? NULL : warn_of_more, err);
        return in_pipe ? ap_pcm_until_chunks(s, w->layout) : s;
    }
    const unsigned char *p;
    ptrdiff_t n = ap_input_peek(w->in, &p, w->data_size < 65536 ? (size_t)w->data_size : 65536, NULL);
    size_t junk = n > 0 ? ap_mp3_find(p, (size_t)n, (uint64_t)n == w->data_size) : 0;
    if (junk == SIZE_MAX || !ap_input_skip(w->in, junk, NULL))
        junk = 0; /* the decoder says what is wrong */
    ap_stream *s =
        ap_mp3_open_part(w->in, w->data_size == AP_UNKNOWN ? AP_UNKNOWN : w->data_size - junk, err);
    if (s)
        (void)ap_tags_fill(s->tags, w->tags);
    ap_tags_free(&w->tags);
    return s;
}

ap_stream *ap_riff_open(ap_input *in, ap_error *err)
{
    wav w = {.in = in, .tags = ap_tags_new(), .ds64_size = AP_UNKNOWN};
    w.format.frames = AP_UNKNOWN;
    if (!w.tags)
        ap_fail_memory(err);
    if (!w.tags || !read_header(&w, err) || !ap_check_format(ap_input_name(in), &w.format, err))
        goto fail;
    if (ap_input_seekable(in) && w.data_size != AP_UNKNOWN) {
        read_trailing_tags(&w);
        if (!ap_input_seek(in, w.data_start, err))
            goto fail;
    }
    if (w.bext)
        ap_bext_parse(w.bext, w.bext_size, w.format.rate, w.tags);
    free(w.bext);
    ap_stream *s = open_data(&w, err);
    if (s && w.format.frames == 0 && !w.again) /* there is no last frame */
        (void)warn_of_more(s, in, err);
    note(s, &w);
    if (s && w.longer)
        ap_warn(s, "'%s' is longer than its header tells: all of it is read", ap_stream_name(s));
    return s;
fail:
    free(w.bext);
    ap_tags_free(&w.tags);
    ap_input_close(in);
    return NULL;
}
