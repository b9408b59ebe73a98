/* SPDX-License-Identifier: GPL-3.0-or-later
 * encode_wav.c - WAV, beyond 4 GiB RF64 (EBU Tech 3306). The sizes in the header are right from the start
 * when the length is known, so that a pipe gets a good header; else they are filled in at the end, where the
 * output allows it, and 0xffffffff where not, which readers take for "until the end". Tags come after the
 * data: simple readers (Java's, hound) expect little before it. Only in a pipe do they come first, because
 * the reader of a pipe cannot look ahead. Chunks have even sizes, because some readers forget the pad byte.
 */
#include "base/bytes.h"
#include "base/error.h"
#include "base/output.h"
#include "formats/bext.h"
#include "formats/info.h"
#include "formats/mp3/id3.h"
#include "formats/pcm_write.h"
#include "stream/stream.h"

#include <stdlib.h>
#include <string.h>

#define UNKNOWN_32 0xffffffffu
#define DS64_SIZE 28 /* three 64-bit sizes, and an empty table */
enum { WAVE_PCM = 1, WAVE_FLOAT = 3, WAVE_EXTENSIBLE = 0xfffe };

/* The header, and the places that depend on the length. */
typedef struct header {
    ap_bytes bytes, tail; /* tail: chunks behind the data */
    size_t ds64_at;       /* a JUNK or ds64 chunk; 0: there is none */
    size_t fact_at;       /* the number of frames; 0: none */
    size_t data_at;       /* the size of the data */
} header;

/* The INFO chunks of the usual keys: RIFF Multimedia Programming Interface 1.0; ITRK and IPRT as ffmpeg. */
static const struct {
    const char *key, *id;
} info[] = {
    {"TITLE", "INAM"},     {"ARTIST", "IART"},  {"ALBUM", "IPRD"},       {"DATE", "ICRD"},
    {"GENRE", "IGNR"},     {"COMMENT", "ICMT"}, {"DESCRIPTION", "ICMT"}, {"TRACKNUMBER", "IPRT"},
    {"COPYRIGHT", "ICOP"}, {"ENCODER", "ISFT"}, {"LANGUAGE", "ILNG"},    {"COMPOSER", "IMUS"},
};

bool ap_wav_info_knows(const unsigned char *id)
{
    for (size_t i = 0; i < sizeof info / sizeof *info; i++)
        if (memcmp(info[i].id, id, 4) == 0)
            return memcmp(id, "ISFT", 4) != 0; /* not read: what made the sound, not what is in it */
    return memcmp(id, "ITRK", 4) == 0 || memcmp(id, "IENG", 4) == 0; /* read, and written elsewhere */
}

static const char *info_id(const char *key)
{
    for (size_t i = 0; i < sizeof info / sizeof *info; i++)
        if (strcmp(info[i].key, key) == 0)
            return info[i].id;
    return NULL;
}

/* Whether INFO can say it all: the first value of the keys that it knows. */
bool ap_wav_info_suffices(const ap_tags *tags)
{
    const char *key, *value;
    for (size_t i = 0; ap_tags_at(tags, i, &key, &value); i++)
        if (!ap_is_bext_key(key) && (!info_id(key) || ap_tags_get(tags, key) != value))
            return false;
    return ap_tags_picture(tags).size == 0;
}

/* A chunk, padded to an even size. */
static void add_chunk(ap_bytes *b, const char *id, const void *data, size_t size)
{
    ap_bytes_text(b, id);
    ap_bytes_little(b, size, 4);
    ap_bytes_add(b, data, size);
    ap_bytes_zeros(b, size & 1);
}

/* A string and one NUL after it, or two. */
static void add_text(ap_bytes *b, const char *id, const char *text)
{
    size_t length = strlen(text) + 1;
    ap_bytes_text(b, id);
    ap_bytes_little(b, length + (length & 1), 4);
    ap_bytes_add(b, text, length);
    ap_bytes_zeros(b, length & 1);
}

static void add_broadcast(ap_bytes *b, const ap_stream *s)
{
    ap_bytes body = {0};
    ap_bext_make(&body, ap_stream_tags(s), s->format.rate);
    if (body.size)
        add_chunk(b, "bext", body.data, body.size);
    b->failed |= body.failed;
    free(body.data);
}

void ap_wav_info_make(ap_bytes *b, const ap_tags *tags, const ap_bytes *others)
{
    const char *key, *value;
    ap_bytes list = {0};
    ap_bytes_text(&list, "INFO");
    for (size_t i = 0; ap_tags_at(tags, i, &key, &value); i++)
        if (info_id(key) && ap_tags_get(tags, key) == value)
            add_text(&list, info_id(key), value);
    if (others)
        ap_bytes_add(&list, others->data, others->size);
    if (list.size > 4)
        add_chunk(b, "LIST", list.data, list.size);
    b->failed |= list.failed;
    free(list.data);
}

/* What INFO has no place for goes into an ID3v2 tag, which many players and libraries look for. */
static bool add_tags(ap_bytes *b, const ap_stream *s, ap_error *err)
{
    const ap_tags *tags = ap_stream_tags(s);
    unsigned char *id3;
    size_t size;
    ap_wav_info_make(b, tags, NULL);
    if (ap_wav_info_suffices(tags))
        return true;
    if (!ap_id3_make(tags, &s->format, &id3, &size, err))
        return false;
    add_chunk(b, "id3 ", id3, size);
    free(id3);
    return true;
}

/* Plain headers for what plain headers can say: Microsoft, "Multiple Channel Audio Data and WAVE Files". */
static bool is_extensible(const ap_format *f, ap_bits bits)
{
    return f->channels > 2 || f->mask != ap_default_mask(f->channels) || bits > AP_BITS_16;
}

static void add_format(ap_bytes *b, const ap_format *f, ap_bits bits)
{
    /* The rest of the GUIDs of PCM and float, after the 16 bits of the format tag (mmreg.h). */
    static const unsigned char guid[14] = {0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80,
                                           0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71};
    bool extensible = is_extensible(f, bits), floats = bits == AP_BITS_FLOAT;
    size_t size = ap_bits_size(bits);
    uint32_t tag = floats ? WAVE_FLOAT : WAVE_PCM;
    ap_bytes_text(b, "fmt ");
    ap_bytes_little(b, extensible ? 40 : floats ? 18 : 16, 4);
    ap_bytes_little(b, extensible ? WAVE_EXTENSIBLE : tag, 2);
    ap_bytes_little(b, f->channels, 2);
    ap_bytes_little(b, f->rate, 4);
    ap_bytes_little(b, f->rate * f->channels * size, 4);
    ap_bytes_little(b, f->channels * size, 2);
    ap_bytes_little(b, 8 * size, 2);
    if (extensible || floats)
        ap_bytes_little(b, extensible ? 22 : 0, 2);
    if (!extensible)
        return;
    ap_bytes_little(b, 8 * size, 2);
    ap_bytes_little(b, ap_has_places(f) ? f->mask : 0, 4);
    ap_bytes_little(b, tag, 2);
    ap_bytes_add(b, guid, sizeof guid);
}

/* Fills in the sizes for that many frames, AP_UNKNOWN included. */
static void set_length(header *h, uint64_t frames, size_t frame_size)
{
    unsigned char *p = h->bytes.data;
    bool known = frames < INT64_MAX / frame_size;
    uint64_t data = known ? frames * frame_size : UINT64_MAX;
    uint64_t riff = known ? h->bytes.size - 8 + data + (data & 1) + h->tail.size : UINT64_MAX;
    bool large = known && riff >= UNKNOWN_32 && h->ds64_at;
    memcpy(p, large ? "RF64" : "RIFF", 4);
    ap_put_little(p + 4, riff >= UNKNOWN_32 ? UNKNOWN_32 : riff, 4);
    ap_put_little(p + h->data_at, riff >= UNKNOWN_32 ? UNKNOWN_32 : data, 4);
    if (h->fact_at)
        ap_put_little(p + h->fact_at, frames >= UNKNOWN_32 ? UNKNOWN_32 : frames, 4);
    if (!large)
        return;
    memcpy(p + h->ds64_at, "ds64", 4);
    ap_put_little(p + h->ds64_at + 8, riff, 8);
    ap_put_little(p + h->ds64_at + 16, data, 8);
    ap_put_little(p + h->ds64_at + 24, frames, 8);
}

/* Whether the header may have to become RF64. */
static bool needs_ds64(const ap_format *f, size_t frame_size, bool seekable)
{
    return f->frames == AP_UNKNOWN ? seekable : f->frames > (UNKNOWN_32 >> 1) / frame_size;
}

static bool make_header(header *h, const ap_stream *s, ap_bits bits, bool seekable, ap_error *err)
{
    const ap_format *f = &s->format;
    size_t frame_size = f->channels * ap_bits_size(bits);
    ap_bytes *b = &h->bytes;
    ap_bytes_text(b, "RIFF");
    ap_bytes_zeros(b, 4);
    ap_bytes_text(b, "WAVE");
    if (needs_ds64(f, frame_size, seekable)) {
        static const unsigned char junk[DS64_SIZE];
        h->ds64_at = b->size;
        add_chunk(b, "JUNK", junk, sizeof junk);
    }
    add_format(b, f, bits);
    if (bits == AP_BITS_FLOAT) {
        h->fact_at = b->size + 8;
        add_chunk(b, "fact", "\0\0\0", 4);
    }
    add_broadcast(b, s);
    if (!add_tags(seekable ? &h->tail : b, s, err))
        return false;
    ap_bytes_text(b, "data");
    h->data_at = b->size;
    ap_bytes_zeros(b, 4);
    if (b->failed || h->tail.failed)
        return ap_fail_memory(err);
    set_length(h, f->frames, frame_size);
    return true;
}

/* Pads the data, writes what comes after it and, if the length was not known before, writes the header
 * again. */
static bool complete(header *h, const ap_stream *s, ap_bits bits, ap_output *out, ap_error *err)
{
    size_t frame_size = s->format.channels * ap_bits_size(bits);
    if (!ap_pcm_finish(out, s->position * frame_size, &h->tail, err))
        return false;
    if (s->format.frames != AP_UNKNOWN || !ap_output_seekable(out))
        return true;
    set_length(h, s->position, frame_size);
    return ap_pcm_mend(out, &h->bytes, err);
}

bool ap_encode_wav(ap_stream *s, ap_output *out, const ap_encode_options *options, ap_error *err)
{
    header h = {0};
    bool ok = make_header(&h, s, options->bits, ap_output_seekable(out), err) &&
              ap_output_write(out, h.bytes.data, h.bytes.size, err) &&
              ap_pcm_write(s, out, options->bits, false, options, err) &&
              complete(&h, s, options->bits, out, err);
    free(h.bytes.data);
    free(h.tail.data);
    return ok;
}
