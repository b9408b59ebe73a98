/* SPDX-License-Identifier: GPL-3.0-or-later
 * base64.c - bytes as text (RFC 4648, section 4). */
#include "base/base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int base64_value(unsigned char c)
{
    const char *p = c ? memchr(alphabet, c, 64) : NULL;
    return p ? (int)(p - alphabet) : -1;
}

char *ap_base64_encode(const unsigned char *bytes, size_t size)
{
    char *text = size < SIZE_MAX / 2 ? malloc((size + 2) / 3 * 4 + 1) : NULL;
    char *to = text;
    for (size_t i = 0; text && i < size; i += 3) {
        size_t n = size - i < 3 ? size - i : 3;
        uint32_t v = (uint32_t)bytes[i] << 16;
        v |= n > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        v |= n > 2 ? bytes[i + 2] : 0;
        for (size_t k = 0; k < 4; k++)
            *to++ = '=';
        for (size_t k = 0; k <= n; k++)
            to[(ptrdiff_t)k - 4] = alphabet[v >> (18 - 6 * k) & 63];
    }
    if (text)
        *to = 0;
    return text;
}

unsigned char *ap_base64_decode(const unsigned char *text, size_t length, size_t *size)
{
    unsigned char *bytes = malloc(length / 4 * 3 + 3);
    uint32_t v = 0;
    size_t n = 0;
    *size = 0;
    for (size_t i = 0; bytes && i < length && base64_value(text[i]) >= 0; i++) {
        v = v << 6 | (uint32_t)base64_value(text[i]);
        if (++n % 4 != 1)
            bytes[(*size)++] = (unsigned char)(v >> (6 - 2 * ((n - 1) % 4)));
    }
    return bytes;
}
