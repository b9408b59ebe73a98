/* SPDX-License-Identifier: GPL-3.0-or-later
 * pcm_write.c - linear PCM to files: WAV, AIFF and AU differ in their headers only. */
#include "formats/pcm_write.h"
#include "base/error.h"
#include "formats/quantize.h"
#include "stream/stream.h"

#include <stdlib.h>
#include <string.h>

size_t ap_bits_size(ap_bits bits)
{
    return bits == AP_BITS_FLOAT ? 4 : (size_t)bits / 8;
}

static void put_integers(const int32_t *in, size_t count, size_t size, bool big_endian, unsigned char *out)
{
    for (size_t i = 0; i < count; i++, out += size) {
        uint32_t v = (uint32_t)in[i];
        for (size_t k = 0; k < size; k++)
            out[big_endian ? size - 1 - k : k] = (unsigned char)(v >> 8 * k);
    }
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
    b->bytes = malloc(count * 4);
    return b->floats && b->integers && b->bytes;
}

static void block_free(block *b)
{
    free(b->floats);
    free(b->integers);
    free(b->bytes);
}

static bool write_all(ap_stream *s, ap_output *out, ap_bits bits, bool big_endian, ap_quantizer *q, block *b,
                      ap_error *err)
{
    size_t size = ap_bits_size(bits);
    ptrdiff_t n;
    while ((n = ap_read(s, b->floats, AP_BLOCK, err)) > 0) {
        size_t count = (size_t)n * s->format.channels;
        if (q) {
            ap_quantize(q, b->floats, b->integers, (size_t)n);
            put_integers(b->integers, count, size, big_endian, b->bytes);
        } else {
            put_floats(b->floats, count, big_endian, b->bytes);
        }
        if (!ap_output_write(out, b->bytes, count * size, err))
            return false;
    }
    return n == 0;
}

bool ap_pcm_write(ap_stream *s, ap_output *out, ap_bits bits, bool big_endian,
                  const ap_encode_options *options, ap_error *err)
{
    block b = {0};
    bool is_float = bits == AP_BITS_FLOAT;
    ap_quantizer *q =
        is_float ? NULL : ap_quantizer_new(s->format.channels, bits, options->dither, options->seed, err);
    bool ok = is_float || q;
    ok = ok && (block_new(&b, AP_BLOCK * (size_t)s->format.channels) || ap_fail_memory(err));
    ok = ok && write_all(s, out, bits, big_endian, q, &b, err);
    block_free(&b);
    ap_quantizer_free(q);
    return ok;
}
