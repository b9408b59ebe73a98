/* SPDX-License-Identifier: GPL-3.0-or-later
 * pcm_write.c - PCM to files: WAV, AIFF and AU differ in their headers only. */
#include "formats/pcm_write.h"
#include "base/error.h"
#include "formats/g711.h"
#include "formats/quantize.h"
#include "stream/stream.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK (4 * (size_t)AP_BLOCK)

size_t ap_bits_size(ap_bits bits)
{
    return bits == AP_BITS_FLOAT ? 4 : (size_t)bits / 8;
}

bool ap_pcm_finish(ap_output *out, uint64_t size, const ap_bytes *tail, ap_error *err)
{
    return (!(size & 1) || ap_output_write(out, "", 1, err)) &&
           ap_output_write(out, tail->data, tail->size, err);
}

bool ap_pcm_mend(ap_output *out, const ap_bytes *header, ap_error *err)
{
    uint64_t end = ap_output_tell(out);
    return ap_output_seek(out, 0, err) && ap_output_write(out, header->data, header->size, err) &&
           ap_output_seek(out, end, err);
}

/* What of a sample type the writer needs to know. */
typedef struct writer {
    ap_pcm type;
    bool big_endian;
    size_t size;             /* bytes of a sample */
    uint32_t flip;           /* of the integers: the sign bit, if they are unsigned */
    ap_quantizer *quantizer; /* NULL: floats */
} writer;

/* Integers of 1, 2, 3 and 4 bytes. Loops that do one thing run side by side. */
static void put_8(const int32_t *in, size_t count, uint32_t flip, unsigned char *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (unsigned char)((uint32_t)in[i] ^ flip);
}

static void put_16(const int32_t *in, size_t count, uint32_t flip, bool big_endian, unsigned char *out)
{
    const unsigned low = big_endian ? 8 : 0, high = 8 - low;
    for (size_t i = 0; i < count; i++) {
        uint32_t v = (uint32_t)in[i] ^ flip;
        uint16_t both = (uint16_t)((v >> low & 0xff) | (v >> high & 0xff) << 8);
        memcpy(out + 2 * i, &both, 2);
    }
}

static void put_24(const int32_t *in, size_t count, uint32_t flip, bool big_endian, unsigned char *out)
{
    const size_t low = big_endian ? 2 : 0;
    for (size_t i = 0; i < count; i++, out += 3) {
        uint32_t v = (uint32_t)in[i] ^ flip;
        out[low] = (unsigned char)v;
        out[1] = (unsigned char)(v >> 8);
        out[2 - low] = (unsigned char)(v >> 16);
    }
}

static void put_32(const int32_t *in, size_t count, uint32_t flip, bool big_endian, unsigned char *out)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t v = (uint32_t)in[i] ^ flip;
        v = big_endian ? __builtin_bswap32(v) : v;
        memcpy(out + 4 * i, &v, 4);
    }
}

static void put_integers(const int32_t *in, size_t count, const writer *w, unsigned char *out)
{
    if (w->size == 1)
        put_8(in, count, w->flip, out);
    else if (w->size == 2)
        put_16(in, count, w->flip, w->big_endian, out);
    else if (w->size == 3)
        put_24(in, count, w->flip, w->big_endian, out);
    else
        put_32(in, count, w->flip, w->big_endian, out);
}

static void put_law(const int32_t *in, size_t count, unsigned char (*law)(int16_t), unsigned char *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = law((int16_t)in[i]);
}

static void put_floats(const float *in, size_t count, bool big_endian, unsigned char *out)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t v;
        memcpy(&v, in + i, 4);
        if (big_endian)
            v = __builtin_bswap32(v);
        memcpy(out + 4 * i, &v, 4);
    }
}

static void put_doubles(const float *in, size_t count, bool big_endian, unsigned char *out)
{
    for (size_t i = 0; i < count; i++) {
        const double d = in[i];
        uint64_t v;
        memcpy(&v, &d, 8);
        if (big_endian)
            v = __builtin_bswap64(v);
        memcpy(out + 8 * i, &v, 8);
    }
}

/* A block in its three shapes. */
typedef struct block {
    float *floats;
    int32_t *integers;
    unsigned char *bytes;
} block;

static bool block_new(block *b, size_t count)
{
    b->floats = malloc(count * sizeof *b->floats);
    b->integers = malloc(count * sizeof *b->integers);
    b->bytes = malloc(count * 8);
    return b->floats && b->integers && b->bytes;
}

static void block_free(block *b)
{
    free(b->floats);
    free(b->integers);
    free(b->bytes);
}

/* The bytes of count samples, some of each channel. */
static void convert(const writer *w, block *b, size_t frames, size_t count)
{
    if (w->quantizer)
        ap_quantize(w->quantizer, b->floats, b->integers, frames);
    if (w->type == AP_PCM_F64)
        put_doubles(b->floats, count, w->big_endian, b->bytes);
    else if (!w->quantizer)
        put_floats(b->floats, count, w->big_endian, b->bytes);
    else if (w->type == AP_PCM_MULAW || w->type == AP_PCM_ALAW)
        put_law(b->integers, count, w->type == AP_PCM_MULAW ? ap_mulaw_encode : ap_alaw_encode, b->bytes);
    else
        put_integers(b->integers, count, w, b->bytes);
}

/* Into a file in large blocks; what reads a pipe does not have to wait for them. */
static bool write_all(ap_stream *s, ap_output *out, const writer *w, block *b, ap_error *err)
{
    const bool whole = ap_output_seekable(out);
    ptrdiff_t n;
    while ((n = (whole ? ap_read_full : ap_read)(s, b->floats, BLOCK, err)) > 0) {
        size_t count = (size_t)n * s->format.channels;
        convert(w, b, (size_t)n, count);
        if (!ap_output_write(out, b->bytes, count * w->size, err))
            return false;
    }
    return n == 0;
}

/* The laws of telephones are made of 16 bits. */
static unsigned bits_of(ap_pcm type)
{
    return type == AP_PCM_MULAW || type == AP_PCM_ALAW ? 16 : 8 * (unsigned)ap_pcm_size(type);
}

static uint32_t sign_bit(ap_pcm type)
{
    const bool is_unsigned =
        type == AP_PCM_U8 || type == AP_PCM_U16 || type == AP_PCM_U24 || type == AP_PCM_U32;
    return is_unsigned ? 1u << (8 * ap_pcm_size(type) - 1) : 0;
}

bool ap_pcm_write_as(ap_stream *s, ap_output *out, ap_pcm type, bool big_endian,
                     const ap_encode_options *options, ap_error *err)
{
    block b = {0};
    writer w = {.type = type, .big_endian = big_endian, .size = ap_pcm_size(type), .flip = sign_bit(type)};
    bool is_float = type >= AP_PCM_F32;
    if (!is_float)
        w.quantizer =
            ap_quantizer_new(s->format.channels, bits_of(type), options->dither, options->seed, err);
    bool ok = is_float || w.quantizer;
    ok = ok && (block_new(&b, BLOCK * s->format.channels) || ap_fail_memory(err));
    ok = ok && write_all(s, out, &w, &b, err);
    block_free(&b);
    ap_quantizer_free(w.quantizer);
    return ok;
}

bool ap_pcm_write(ap_stream *s, ap_output *out, ap_bits bits, bool big_endian,
                  const ap_encode_options *options, ap_error *err)
{
    const ap_pcm type = bits == AP_BITS_FLOAT ? AP_PCM_F32
                        : bits == AP_BITS_16  ? AP_PCM_S16
                        : bits == AP_BITS_24  ? AP_PCM_S24
                                              : AP_PCM_S32;
    return ap_pcm_write_as(s, out, type, big_endian, options, err);
}
