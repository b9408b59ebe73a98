/* SPDX-License-Identifier: GPL-3.0-or-later
 * pcm.c - PCM in files to floats. */
#include "formats/pcm.h"
#include "base/error.h"
#include "base/memory.h"
#include "formats/g711.h"
#include "stream/stream.h"

#include <stdlib.h>
#include <string.h>

size_t ap_pcm_size(ap_pcm type)
{
    static const size_t sizes[] = {1, 1, 2, 2, 3, 3, 4, 4, 1, 1, 4, 8};
    return sizes[type];
}

const char *ap_pcm_name(ap_pcm type, bool big_endian)
{
    static const char *const names[][2] = {
        {"pcm_u8", "pcm_u8"},       {"pcm_s8", "pcm_s8"},       {"pcm_u16le", "pcm_u16be"},
        {"pcm_s16le", "pcm_s16be"}, {"pcm_u24le", "pcm_u24be"}, {"pcm_s24le", "pcm_s24be"},
        {"pcm_u32le", "pcm_u32be"}, {"pcm_s32le", "pcm_s32be"}, {"pcm_mulaw", "pcm_mulaw"},
        {"pcm_alaw", "pcm_alaw"},   {"pcm_f32le", "pcm_f32be"}, {"pcm_f64le", "pcm_f64be"},
    };
    return names[type][big_endian];
}

static uint32_t load32(const unsigned char *p, bool big)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return big ? __builtin_bswap32(v) : v;
}

static uint64_t load64(const unsigned char *p, bool big)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return big ? __builtin_bswap64(v) : v;
}

/* Integers: flip is the sign bit if they are unsigned, else 0. */
static void decode_8(const unsigned char *p, unsigned flip, float *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (float)(int8_t)(p[i] ^ flip) * 0x1p-7f;
}

static void decode_16(const unsigned char *p, bool big, unsigned flip, float *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t v;
        memcpy(&v, p + 2 * i, 2);
        if (big)
            v = __builtin_bswap16(v);
        out[i] = (float)(int16_t)(v ^ flip) * 0x1p-15f;
    }
}

static void decode_24(const unsigned char *p, bool big, uint32_t flip, float *out, size_t count)
{
    int hi = big ? 0 : 2, lo = big ? 2 : 0;
    for (size_t i = 0; i < count; i++, p += 3) {
        uint32_t v = (uint32_t)p[hi] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[lo] << 8;
        out[i] = (float)((int32_t)(v ^ flip) >> 8) * 0x1p-23f;
    }
}

static void decode_32(const unsigned char *p, bool big, uint32_t flip, float *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (float)(int32_t)(load32(p + 4 * i, big) ^ flip) * 0x1p-31f;
}

static void decode_law(const unsigned char *p, int16_t (*law)(unsigned char), float *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (float)law(p[i]) * 0x1p-15f;
}

static void decode_float(const unsigned char *p, bool big, float *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t v = load32(p + 4 * i, big);
        memcpy(out + i, &v, 4);
    }
}

static void decode_double(const unsigned char *p, bool big, float *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t v = load64(p + 8 * i, big);
        double d;
        memcpy(&d, &v, 8);
        out[i] = (float)d;
    }
}

/* count samples of bytes to out; integers are divided by 2^(bits-1). bytes and out may not overlap. */
static void decode(ap_pcm type, bool big_endian, const unsigned char *bytes, float *out, size_t count)
{
    switch (type) {
    case AP_PCM_U8:
    case AP_PCM_S8:
        decode_8(bytes, type == AP_PCM_U8 ? 0x80 : 0, out, count);
        break;
    case AP_PCM_U16:
    case AP_PCM_S16:
        decode_16(bytes, big_endian, type == AP_PCM_U16 ? 0x8000 : 0, out, count);
        break;
    case AP_PCM_U24:
    case AP_PCM_S24:
        decode_24(bytes, big_endian, type == AP_PCM_U24 ? 0x80000000u : 0, out, count);
        break;
    case AP_PCM_U32:
    case AP_PCM_S32:
        decode_32(bytes, big_endian, type == AP_PCM_U32 ? 0x80000000u : 0, out, count);
        break;
    case AP_PCM_MULAW:
    case AP_PCM_ALAW:
        decode_law(bytes, type == AP_PCM_MULAW ? ap_mulaw_decode : ap_alaw_decode, out, count);
        break;
    case AP_PCM_F32:
        decode_float(bytes, big_endian, out, count);
        break;
    case AP_PCM_F64:
        decode_double(bytes, big_endian, out, count);
        break;
    }
}

/* ---- the stream */

typedef struct reader {
    ap_input *in;
    ap_pcm type;
    bool big_endian;
    ap_pcm_end *end;
    const ap_chunk_layout *layout; /* of chunks that end the sound, NULL: none do */
    uint64_t start;
    size_t frame_size;
    size_t have;           /* bytes of a frame that has not arrived completely */
    unsigned char bytes[]; /* AP_BLOCK frames */
} reader;

static void pcm_close(void *state)
{
    reader *r = state;
    ap_input_close(r->in);
    free(r);
}

/* A reader that knows the length does not read past the last frame, so the end is checked there. */
static bool check_end(ap_stream *s, reader *r, ap_error *err)
{
    ap_pcm_end *end = r->end;
    r->end = NULL;
    return !end || end(s, r->in, err);
}

/* As ap_input_read_some, up to where the sound ends. */
static ptrdiff_t read_sound(reader *r, void *to, size_t size, ap_error *err)
{
    ptrdiff_t n = r->layout ? ap_chunks_sound_ahead(r->in, r->layout, r->start, err) : PTRDIFF_MAX;
    return n <= 0 ? n : ap_input_read_some(r->in, to, size < (size_t)n ? size : (size_t)n, err);
}

static ptrdiff_t pcm_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    reader *r = s->state;
    size_t want = (max < AP_BLOCK ? max : AP_BLOCK) * r->frame_size;
    while (r->have < r->frame_size) {
        ptrdiff_t n = read_sound(r, r->bytes + r->have, want - r->have, err);
        if (n == 0 && r->have)
            ap_warn(s, AP_HALF_FRAME, ap_stream_name(s));
        if (n <= 0)
            return n;
        r->have += (size_t)n;
    }
    size_t count = r->have / r->frame_size, used = count * r->frame_size;
    decode(r->type, r->big_endian, r->bytes, frames, count * s->format.channels);
    memmove(r->bytes, r->bytes + used, r->have - used);
    r->have -= used;
    if (r->type >= AP_PCM_F32 && ap_sanitize(frames, count * s->format.channels))
        ap_warn(s, "'%s' has samples that are not finite, taken as silence", ap_stream_name(s));
    if (s->position + count == s->format.frames && !check_end(s, r, err))
        return -1;
    return (ptrdiff_t)count;
}

ap_stream *ap_pcm_stream(ap_input *in, ap_pcm type, bool big_endian, const ap_format *format, ap_tags *tags,
                         ap_pcm_end *end, ap_error *err)
{
    static const ap_stream_ops ops = {pcm_read, pcm_close};
    bool valid = ap_check_format(ap_input_name(in), format, err);
    size_t frame_size = ap_pcm_size(type) * format->channels;
    reader *r = valid ? ap_allocate(1, sizeof *r + AP_BLOCK * frame_size, err) : NULL;
    if (r) {
        *r = (reader){.in = in, .type = type, .big_endian = big_endian, .end = end, .frame_size = frame_size};
        return ap_stream_new(&ops, r, format, ap_input_name(in), tags, err);
    }
    ap_input_close(in);
    ap_tags_free(&tags);
    return NULL;
}

ap_stream *ap_pcm_until_chunks(ap_stream *s, const ap_chunk_layout *layout)
{
    reader *r = s ? s->state : NULL;
    if (r) {
        r->layout = layout;
        r->start = ap_input_tell(r->in);
    }
    return s;
}
