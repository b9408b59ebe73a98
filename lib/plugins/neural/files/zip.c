/* SPDX-License-Identifier: GPL-3.0-or-later
 * zip.c - the zip archive inside a .th file (PKWARE APPNOTE 6.3.10). PyTorch stores its entries without
 * compression, so this reads nothing else, and a zip bomb has nothing to expand. */
#include "plugins/neural/files/zip.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Signatures and sizes of the fixed parts (APPNOTE 4.3.7, 4.3.12, 4.3.14 to 4.3.16). */
#define LOCAL_MAGIC 0x04034b50u
#define LOCAL_SIZE 30
#define CENTRAL_MAGIC 0x02014b50u
#define CENTRAL_SIZE 46
#define END_MAGIC 0x06054b50u
#define END_SIZE 22
#define END64_MAGIC 0x06064b50u
#define END64_SIZE 56
#define LOCATOR_MAGIC 0x07064b50u
#define LOCATOR_SIZE 20
#define EXTRA_ZIP64 1
#define MAX_COMMENT 65535
/* The largest published checkpoint has 600 entries. */
#define MAX_ENTRIES 65535

typedef struct reader {
    const unsigned char *bytes;
    size_t size;
    const char *name;
    ap_error *err;
} reader;

static uint64_t get(const unsigned char *p, int size)
{
    uint64_t v = 0;
    for (int i = 0; i < size; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static bool damaged(const reader *r, const char *what)
{
    return ap_fail(r->err, AP_FAILED, "'%s' is damaged or not a checkpoint: %s", r->name, what);
}

/* The end record, which a comment may follow. NULL if there is none. */
static const unsigned char *find_end(const reader *r)
{
    for (size_t back = END_SIZE; back <= r->size && back <= END_SIZE + MAX_COMMENT; back++) {
        const unsigned char *p = r->bytes + r->size - back;
        if (get(p, 4) == END_MAGIC && get(p + 20, 2) == back - END_SIZE)
            return p;
    }
    return NULL;
}

/* Where the directory is and how many entries it has; from the zip64 records if the file has them. */
static bool find_directory(const reader *r, uint64_t *offset, uint64_t *size, uint64_t *count)
{
    const unsigned char *end = find_end(r);
    if (!end)
        return damaged(r, "the end of the zip archive is missing");
    *count = get(end + 10, 2);
    *size = get(end + 12, 4);
    *offset = get(end + 16, 4);
    if (end - r->bytes >= LOCATOR_SIZE && get(end - LOCATOR_SIZE, 4) == LOCATOR_MAGIC) {
        uint64_t at = get(end - LOCATOR_SIZE + 8, 8);
        if (at > r->size || r->size - at < END64_SIZE || get(r->bytes + at, 4) != END64_MAGIC)
            return damaged(r, "its zip64 record is not where it should be");
        *count = get(r->bytes + at + 32, 8);
        *size = get(r->bytes + at + 40, 8);
        *offset = get(r->bytes + at + 48, 8);
    }
    if (*offset > r->size || *size > r->size - *offset)
        return damaged(r, "its directory lies outside of the file");
    if (*count > MAX_ENTRIES || *count > *size / CENTRAL_SIZE)
        return damaged(r, "its directory says that it has too many entries");
    return true;
}

/* Replaces the fields that are all ones by those of the zip64 extra field (APPNOTE 4.5.3). */
static bool apply_zip64(const unsigned char *extra, size_t extra_size, uint64_t *field[3])
{
    while (extra_size >= 4) {
        size_t id = get(extra, 2), size = get(extra + 2, 2);
        extra += 4;
        extra_size -= 4;
        if (size > extra_size)
            return false;
        for (int i = 0; id == EXTRA_ZIP64 && i < 3; i++) {
            if (*field[i] != UINT32_MAX)
                continue;
            if (size < 8)
                return false;
            *field[i] = get(extra, 8);
            extra += 8;
            size -= 8;
            extra_size -= 8;
        }
        extra += size;
        extra_size -= size;
    }
    return true;
}

/* Finds the content of an entry through its local header. */
static bool locate(const reader *r, nn_zip_entry *entry, uint64_t offset, uint64_t size)
{
    if (offset > r->size || r->size - offset < LOCAL_SIZE || get(r->bytes + offset, 4) != LOCAL_MAGIC)
        return damaged(r, "an entry has no local header");
    const unsigned char *local = r->bytes + offset;
    uint64_t start = offset + LOCAL_SIZE + get(local + 26, 2) + get(local + 28, 2);
    if (start > r->size || size > r->size - start)
        return damaged(r, "an entry lies outside of the file");
    entry->data = r->bytes + start;
    entry->size = size;
    return true;
}

/* Parses one directory record of at most size bytes. Returns its length, 0 on failure. */
static size_t parse_entry(const reader *r, const unsigned char *p, size_t size, nn_zip_entry *entry)
{
    if (size < CENTRAL_SIZE || get(p, 4) != CENTRAL_MAGIC)
        return damaged(r, "its directory is broken");
    size_t name_size = get(p + 28, 2), extra_size = get(p + 30, 2);
    size_t length = CENTRAL_SIZE + name_size + extra_size + get(p + 32, 2);
    if (length > size)
        return damaged(r, "its directory is broken");
    uint64_t stored = get(p + 24, 4), packed = get(p + 20, 4), offset = get(p + 42, 4);
    uint64_t *fields[] = {&stored, &packed, &offset};
    if (!apply_zip64(p + CENTRAL_SIZE + name_size, extra_size, fields))
        return damaged(r, "its directory is broken");
    if (get(p + 10, 2) != 0 || stored != packed || (get(p + 8, 2) & 1))
        return damaged(r, "it has compressed or encrypted entries, which PyTorch does not write");
    entry->name = (const char *)p + CENTRAL_SIZE;
    entry->name_size = name_size;
    entry->crc = (uint32_t)get(p + 16, 4);
    return locate(r, entry, offset, stored) ? length : 0;
}

static int compare_data(const void *a, const void *b)
{
    const nn_zip_entry *x = a, *y = b;
    if (x->data != y->data)
        return x->data < y->data ? -1 : 1;
    return (x->size > y->size) - (x->size < y->size);
}

static int compare_names(const char *a, size_t a_size, const char *b, size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int compare_entries(const void *a, const void *b)
{
    const nn_zip_entry *x = a, *y = b;
    return compare_names(x->name, x->name_size, y->name, y->name_size);
}

static bool check_apart(const reader *r, nn_zip *zip)
{
    qsort(zip->entries, zip->count, sizeof *zip->entries, compare_data);
    for (size_t i = 1; i < zip->count; i++)
        if (zip->entries[i].data < zip->entries[i - 1].data + zip->entries[i - 1].size)
            return damaged(r, "its entries overlap");
    qsort(zip->entries, zip->count, sizeof *zip->entries, compare_entries);
    for (size_t i = 1; i < zip->count; i++)
        if (compare_entries(&zip->entries[i - 1], &zip->entries[i]) == 0)
            return damaged(r, "two of its entries have the same name");
    return true;
}

bool nn_zip_open(nn_zip *zip, const unsigned char *bytes, size_t size, const char *name, ap_error *err)
{
    const reader r = {bytes, size, name, err};
    uint64_t offset = 0, directory_size = 0, count = 0;
    *zip = (nn_zip){0};
    if (!find_directory(&r, &offset, &directory_size, &count))
        return false;
    zip->entries = calloc(count ? count : 1, sizeof *zip->entries);
    if (!zip->entries)
        return ap_fail_memory(err);
    const unsigned char *p = bytes + offset, *end = p + directory_size;
    for (; zip->count < count; zip->count++) {
        size_t length = parse_entry(&r, p, (size_t)(end - p), &zip->entries[zip->count]);
        if (length == 0)
            goto fail;
        p += length;
    }
    if (check_apart(&r, zip))
        return true;
fail:
    nn_zip_close(zip);
    return false;
}

void nn_zip_close(nn_zip *zip)
{
    free(zip->entries);
    *zip = (nn_zip){0};
}

nn_zip_entry *nn_zip_find(const nn_zip *zip, const char *name)
{
    const nn_zip_entry key = {.name = name, .name_size = strlen(name)};
    return bsearch(&key, zip->entries, zip->count, sizeof key, compare_entries);
}

bool nn_zip_intact(nn_zip_entry *entry)
{
    if (!entry->checked)
        entry->intact = crc32_z(crc32_z(0, NULL, 0), entry->data, entry->size) == entry->crc;
    entry->checked = true;
    return entry->intact;
}
