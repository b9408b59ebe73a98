/* SPDX-License-Identifier: GPL-3.0-or-later
 * encode_aiff.c - AIFF (Apple, "Audio Interchange File Format", 1.3), for floats AIFF-C. */
#include "base/bytes.h"
#include "base/error.h"
#include "base/output.h"
#include "formats/info.h"
#include "formats/mp3/id3.h"
#include "formats/pcm_write.h"
#include "stream/stream.h"

#include <stdlib.h>
#include <string.h>

/* kCAFChannelLayoutTag_UseChannelBitmap, kCAFChannelLayoutTag_DiscreteInOrder */
#define LAYOUT_BITMAP 0x10000u
#define LAYOUT_DISCRETE (147u << 16)
#define AIFC_VERSION 0xa2805140u /* AIFF-C draft of 1991 */

/* The header, and the places that depend on the length. The tags come after the sound: Java's readers (17 to
 * 25) refuse odd chunks before it, and more than 8 kB if a sample is not of 16 bits. */
typedef struct header {
    ap_bytes bytes, tail; /* tail: chunks behind the sound */
    size_t frames_at, data_at;
} header;

static const struct {
    const char *key, *id;
} texts[] = {{"TITLE", "NAME"}, {"ARTIST", "AUTH"}, {"COPYRIGHT", "(c) "}, {"COMMENT", "ANNO"}};

static void add_chunk(ap_bytes *b, const char *id, const void *data, size_t size)
{
    ap_bytes_text(b, id);
    ap_bytes_big(b, size, 4);
    ap_bytes_add(b, data, size);
    ap_bytes_zeros(b, size & 1);
}

/* A text of odd size gets a NUL, where C strings end anyway, so that the size is even: some readers forget
 * the pad byte. */
static void add_text(ap_bytes *b, const char *id, const char *text)
{
    size_t size = strlen(text);
    add_chunk(b, id, text, size + (size & 1));
}

/* The places of more channels than two, which plain AIFF does not tell: the layout chunk of Core Audio, as
 * ffmpeg reads and writes it (Apple, "Core Audio Format Specification 1.0", Channel Layout chunk). */
static void add_layout(ap_bytes *b, const ap_format *f)
{
    bool places = ap_has_places(f);
    if (f->channels <= 2 && f->mask == ap_default_mask(f->channels))
        return;
    ap_bytes_text(b, "CHAN");
    ap_bytes_big(b, 12, 4);
    ap_bytes_big(b, places ? LAYOUT_BITMAP : LAYOUT_DISCRETE | f->channels, 4);
    ap_bytes_big(b, places ? f->mask : 0, 4); /* the bits are those of WAVEFORMATEXTENSIBLE */
    ap_bytes_zeros(b, 4);                     /* no descriptions */
}

static const char *text_id(const char *key)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(texts[i].key, key) == 0)
            return texts[i].id;
    return NULL;
}

bool ap_aiff_is_text(const unsigned char *id)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (memcmp(texts[i].id, id, 4) == 0)
            return true;
    return false;
}

bool ap_aiff_texts_make(ap_bytes *b, const ap_tags *tags)
{
    const char *key, *value;
    bool complete = ap_tags_picture(tags).size == 0;
    for (size_t i = 0; ap_tags_at(tags, i, &key, &value); i++) {
        if (text_id(key) && (ap_tags_get(tags, key) == value || strcmp(key, "COMMENT") == 0))
            add_text(b, text_id(key), value);
        else
            complete = false;
    }
    return complete;
}

/* The text chunks, and what they have no place for in an ID3v2 tag. */
static bool add_tags(ap_bytes *b, const ap_stream *s, ap_error *err)
{
    const ap_tags *tags = ap_stream_tags(s);
    unsigned char *id3;
    size_t size;
    if (ap_aiff_texts_make(b, tags))
        return true;
    if (!ap_id3_make(tags, &s->format, &id3, &size, err))
        return false;
    add_chunk(b, "ID3 ", id3, size);
    free(id3);
    return true;
}

/* The sample rate as 80-bit extended: exponent with bias 16383, mantissa with its leading bit. */
static void add_rate(ap_bytes *b, uint32_t rate)
{
    int zeros = __builtin_clz(rate);
    ap_bytes_big(b, (uint64_t)(16383 + 31 - zeros), 2);
    ap_bytes_big(b, (uint64_t)rate << (32 + zeros), 8);
}

static void add_common(header *h, const ap_format *f, ap_bits bits)
{
    ap_bytes *b = &h->bytes;
    bool floats = bits == AP_BITS_FLOAT;
    ap_bytes_text(b, "COMM");
    ap_bytes_big(b, floats ? 24 : 18, 4);
    ap_bytes_big(b, f->channels, 2);
    h->frames_at = b->size;
    ap_bytes_zeros(b, 4);
    ap_bytes_big(b, 8 * ap_bits_size(bits), 2);
    add_rate(b, f->rate);
    if (floats)
        ap_bytes_add(b, "fl32\0", 6); /* and an empty name */
}

/* Fills in the sizes. false when they do not fit. */
static bool set_length(header *h, uint64_t frames, size_t frame_size)
{
    unsigned char *p = h->bytes.data;
    uint64_t data = frames * frame_size, form = h->bytes.size - 8 + data + (data & 1) + h->tail.size;
    if (frames > UINT32_MAX || form > UINT32_MAX)
        return false;
    ap_put_big(p + 4, form, 4);
    ap_put_big(p + h->frames_at, frames, 4);
    ap_put_big(p + h->data_at, data + 8, 4);
    return true;
}

static bool fail_too_long(const ap_output *out, ap_error *err)
{
    return ap_fail(err, AP_FAILED, "'%s' is beyond the 4 GiB of AIFF: use wav or flac", ap_output_name(out));
}

/* Refuses at once what is known to be too long. */
static bool make_header(header *h, const ap_stream *s, ap_bits bits, const ap_output *out, ap_error *err)
{
    uint64_t frames = s->format.frames;
    ap_bytes *b = &h->bytes;
    bool floats = bits == AP_BITS_FLOAT;
    ap_bytes_text(b, "FORM");
    ap_bytes_zeros(b, 4);
    ap_bytes_text(b, floats ? "AIFC" : "AIFF");
    if (floats) {
        ap_bytes_text(b, "FVER");
        ap_bytes_big(b, 4, 4);
        ap_bytes_big(b, AIFC_VERSION, 4);
    }
    add_common(h, &s->format, bits);
    add_layout(b, &s->format);
    if (!add_tags(&h->tail, s, err))
        return false;
    ap_bytes_text(b, "SSND");
    h->data_at = b->size;
    ap_bytes_zeros(b, 12); /* size, offset, block size */
    if (b->failed || h->tail.failed)
        return ap_fail_memory(err);
    return frames == AP_UNKNOWN || set_length(h, frames, s->format.channels * ap_bits_size(bits)) ||
           fail_too_long(out, err);
}

static bool complete(header *h, const ap_stream *s, ap_bits bits, ap_output *out, ap_error *err)
{
    size_t frame_size = s->format.channels * ap_bits_size(bits);
    if (!ap_pcm_finish(out, s->position * frame_size, &h->tail, err))
        return false;
    if (!set_length(h, s->position, frame_size))
        return fail_too_long(out, err);
    return ap_pcm_mend(out, &h->bytes, err);
}

bool ap_encode_aiff(ap_stream *s, ap_output *out, const ap_encode_options *options, ap_error *err)
{
    header h = {0};
    bool ok = make_header(&h, s, options->bits, out, err) &&
              ap_output_write(out, h.bytes.data, h.bytes.size, err) &&
              ap_pcm_write(s, out, options->bits, true, options, err) &&
              complete(&h, s, options->bits, out, err);
    free(h.bytes.data);
    free(h.tail.data);
    return ok;
}
