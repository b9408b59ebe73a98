/* SPDX-License-Identifier: GPL-3.0-or-later
 * archive.h - makes zip archives of stored entries, right and wrong ones. */
#ifndef ARCHIVE_H
#define ARCHIVE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

typedef struct bytes {
    unsigned char *data;
    size_t size;
} bytes;

/* The power of two that a buffer of this size has got. */
static size_t capacity_for(size_t size)
{
    size_t capacity = 64;
    while (capacity < size + 1)
        capacity *= 2;
    return capacity;
}

static void add(bytes *b, const void *data, size_t size)
{
    if (!b->data || capacity_for(b->size + size) > capacity_for(b->size))
        b->data = realloc(b->data, capacity_for(b->size + size));
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

static void add_text(bytes *b, const char *text)
{
    add(b, text, strlen(text));
}

/* Of a string literal, which may contain NUL. */
#define ADD(b, literal) add((b), (literal), sizeof(literal) - 1)

static void add_number(bytes *b, uint64_t number, size_t size)
{
    add(b, &number, size); /* little-endian machines only, as the rest of the tests */
}

typedef struct archive {
    bytes body, directory;
    int count;
} archive;

static void add_entry_at(archive *a, const char *name, const bytes *content, int method, uint32_t offset)
{
    uint32_t crc = (uint32_t)crc32(0, content->data, (uInt)content->size);
    add_text(&a->directory, "PK\1\2");
    add_number(&a->directory, 0, 6);
    add_number(&a->directory, (uint64_t)method, 2);
    add_number(&a->directory, 0, 4);
    add_number(&a->directory, crc, 4);
    add_number(&a->directory, content->size, 4);
    add_number(&a->directory, content->size, 4);
    add_number(&a->directory, strlen(name), 2);
    add_number(&a->directory, 0, 8);
    add_number(&a->directory, 0, 4);
    add_number(&a->directory, offset, 4);
    add_text(&a->directory, name);
    a->count++;
}

static void add_entry(archive *a, const char *name, const bytes *content, int method)
{
    uint32_t offset = (uint32_t)a->body.size;
    add_text(&a->body, "PK\3\4");
    add_number(&a->body, 0, 8);
    add_number(&a->body, 0, 8);
    add_number(&a->body, 0, 6);
    add_number(&a->body, strlen(name), 2);
    add_number(&a->body, 0, 2);
    add_text(&a->body, name);
    add(&a->body, content->data, content->size);
    add_entry_at(a, name, content, method, offset);
}

static bytes finish(archive *a)
{
    size_t start = a->body.size;
    bytes all = a->body;
    add(&all, a->directory.data, a->directory.size);
    add_text(&all, "PK\5\6");
    add_number(&all, 0, 4);
    add_number(&all, (uint64_t)a->count, 2);
    add_number(&all, (uint64_t)a->count, 2);
    add_number(&all, a->directory.size, 4);
    add_number(&all, start, 4);
    add_number(&all, 0, 2);
    free(a->directory.data);
    *a = (archive){0};
    return all;
}

#endif
