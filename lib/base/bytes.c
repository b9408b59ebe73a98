/* SPDX-License-Identifier: GPL-3.0-or-later
 * bytes.c - numbers in bytes, and bytes under construction: headers and tags of files. */
#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

uint64_t ap_get_big(const unsigned char *p, size_t size)
{
    uint64_t v = 0;
    for (size_t i = 0; i < size; i++)
        v = v << 8 | p[i];
    return v;
}

uint64_t ap_get_little(const unsigned char *p, size_t size)
{
    uint64_t v = 0;
    while (size-- > 0)
        v = v << 8 | p[size];
    return v;
}

static bool reserve(ap_bytes *b, size_t more)
{
    if (b->failed || more > SIZE_MAX / 4 - b->size) {
        b->failed = true;
        return false;
    }
    if (b->size + more <= b->capacity)
        return true;
    size_t capacity = 2 * (b->size + more);
    unsigned char *data = realloc(b->data, capacity);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->capacity = capacity;
    return true;
}

void ap_bytes_add(ap_bytes *b, const void *data, size_t size)
{
    if (size && reserve(b, size)) {
        memcpy(b->data + b->size, data, size);
        b->size += size;
    }
}

void ap_bytes_text(ap_bytes *b, const char *text)
{
    ap_bytes_add(b, text, strlen(text));
}

void ap_bytes_zeros(ap_bytes *b, size_t size)
{
    if (size && reserve(b, size)) {
        memset(b->data + b->size, 0, size);
        b->size += size;
    }
}

void ap_put_big(unsigned char *p, uint64_t value, int size)
{
    for (int i = size - 1; i >= 0; i--, value >>= 8)
        p[i] = (unsigned char)value;
}

void ap_put_little(unsigned char *p, uint64_t value, int size)
{
    for (int i = 0; i < size; i++, value >>= 8)
        p[i] = (unsigned char)value;
}

void ap_bytes_big(ap_bytes *b, uint64_t value, int size)
{
    unsigned char p[8];
    ap_put_big(p, value, size);
    ap_bytes_add(b, p, (size_t)size);
}

void ap_bytes_little(ap_bytes *b, uint64_t value, int size)
{
    unsigned char p[8];
    ap_put_little(p, value, size);
    ap_bytes_add(b, p, (size_t)size);
}
