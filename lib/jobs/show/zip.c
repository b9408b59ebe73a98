/* SPDX-License-Identifier: GPL-3.0-or-later
 * zip.c - a zip archive (PKWARE APPNOTE 6.3.10) of stored files. Sizes and offsets are written in 64 bits
 * (its 4.5.3) where 32 do not hold them. */
#include "jobs/show/zip.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define WIDE_BYTES 20 /* the 64-bit extra field of a local header: two sizes */
#define MAX_32 0xffffffffu
#define UTF8_NAMES 0x800 /* bit 11 of the flags: the name is UTF-8 */
#define UNIX_MADE (3 << 8)

/* What the list at the end says of a file. */
typedef struct entry {
    char *name;
    uint32_t crc, mode, stamp; /* stamp: DOS time and date */
    uint64_t size, offset;
} entry;

struct ap_zip {
    ap_output *out;
    entry *entries;
    size_t count;
};

/* ---- little-endian fields */

typedef struct fields {
    unsigned char bytes[128];
    size_t size;
} fields;

static void put(fields *f, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        f->bytes[f->size++] = (unsigned char)(value >> (8 * i));
}

static uint32_t narrow(uint64_t value)
{
    return value < MAX_32 ? (uint32_t)value : MAX_32;
}

/* ---- entries */

/* APPNOTE 4.4.6: two seconds a unit, from 1980. */
static uint32_t dos_time(time_t when)
{
    struct tm t;
    localtime_r(&when, &t);
    if (t.tm_year < 80)
        return 0x210000; /* 1980-01-01 */
    return (uint32_t)(t.tm_sec / 2 | t.tm_min << 5 | t.tm_hour << 11) |
           (uint32_t)(t.tm_mday | (t.tm_mon + 1) << 5 | (t.tm_year - 80) << 9) << 16;
}

static bool put_local(const ap_zip *z, const entry *e, bool wide, ap_error *err)
{
    fields f = {.size = 0};
    size_t name = strlen(e->name);
    put(&f, 0x04034b50, 4);
    put(&f, wide ? 45 : 20, 2); /* the version that is needed */
    put(&f, UTF8_NAMES, 2);
    put(&f, 0, 2); /* stored */
    put(&f, e->stamp, 4);
    put(&f, e->crc, 4);
    put(&f, wide ? MAX_32 : e->size, 4);
    put(&f, wide ? MAX_32 : e->size, 4);
    put(&f, name, 2);
    put(&f, wide ? WIDE_BYTES : 0, 2);
    if (!ap_output_write(z->out, f.bytes, f.size, err) || !ap_output_write(z->out, e->name, name, err))
        return false;
    f.size = 0;
    put(&f, 1, 2);
    put(&f, WIDE_BYTES - 4, 2);
    put(&f, e->size, 8);
    put(&f, e->size, 8);
    return !wide || ap_output_write(z->out, f.bytes, f.size, err);
}

/* A new entry at the end of the archive; NULL on failure. */
static entry *add_entry(ap_zip *z, const char *name, ap_error *err)
{
    entry *more = reallocarray(z->entries, z->count + 1, sizeof *more);
    char *copy = strdup(name);
    if (more)
        z->entries = more;
    if (!more || !copy || strlen(name) > UINT16_MAX) {
        free(copy);
        ap_fail_memory(err);
        return NULL;
    }
    more[z->count] = (entry){.name = copy, .offset = ap_output_tell(z->out)};
    return &more[z->count++];
}

static bool copy_bytes(const ap_zip *z, int fd, const char *path, entry *e, ap_error *err)
{
    unsigned char block[1 << 16];
    uLong crc = crc32(0, NULL, 0);
    for (ssize_t n; (n = read(fd, block, sizeof block)) != 0; e->size += (uint64_t)n) {
        if (n < 0)
            return ap_fail_errno(err, errno, "cannot read '%s'", path);
        crc = crc32(crc, block, (uInt)n);
        if (!ap_output_write(z->out, block, (size_t)n, err))
            return false;
    }
    e->crc = (uint32_t)crc;
    return true;
}

static bool add_open(ap_zip *z, const char *name, int fd, const char *path, ap_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return ap_fail(err, AP_FAILED, "'%s' is not a file", path);
    entry *e = add_entry(z, name, err);
    if (!e)
        return false;
    bool wide = (uint64_t)st.st_size >= MAX_32;
    e->mode = st.st_mode;
    e->stamp = dos_time(st.st_mtime);
    /* size and checksum are known afterwards */
    if (!put_local(z, e, wide, err) || !copy_bytes(z, fd, path, e, err))
        return false;
    if (!wide && e->size >= MAX_32)
        return ap_fail(err, AP_TRY_AGAIN, "'%s' is still being written", path);
    uint64_t end = ap_output_tell(z->out);
    return ap_output_seek(z->out, e->offset, err) && put_local(z, e, wide, err) &&
           ap_output_seek(z->out, end, err);
}

bool ap_zip_add(ap_zip *z, const char *name, const char *path, ap_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ap_fail_errno(err, errno, "cannot open '%s'", path);
    bool ok = add_open(z, name, fd, path, err);
    close(fd);
    return ok;
}

bool ap_zip_add_known(ap_zip *z, const char *name, const ap_zip_known *file, uint64_t *start, ap_error *err)
{
    entry *e = add_entry(z, name, err);
    if (!e)
        return false;
    e->mode = file->mode;
    e->stamp = dos_time(file->when);
    e->crc = file->crc;
    e->size = file->size;
    if (!put_local(z, e, e->size >= MAX_32, err))
        return false;
    *start = ap_output_tell(z->out);
    return ap_output_seek(z->out, *start + e->size, err);
}

bool ap_zip_add_bytes(ap_zip *z, const char *name, const void *bytes, size_t size, ap_error *err)
{
    entry *e = add_entry(z, name, err);
    if (!e)
        return false;
    e->mode = S_IFREG | 0644;
    e->stamp = dos_time(time(NULL));
    e->size = size;
    e->crc = (uint32_t)crc32_z(crc32(0, NULL, 0), bytes, size);
    return put_local(z, e, size >= MAX_32, err) && ap_output_write(z->out, bytes, size, err);
}

/* ---- the list at the end */

static bool put_central(const ap_zip *z, const entry *e, ap_error *err)
{
    fields f = {.size = 0}, wide = {.size = 0};
    size_t name = strlen(e->name);
    if (e->size >= MAX_32) {
        put(&wide, e->size, 8);
        put(&wide, e->size, 8);
    }
    if (e->offset >= MAX_32)
        put(&wide, e->offset, 8);
    put(&f, 0x02014b50, 4);
    put(&f, UNIX_MADE | 45, 2);
    put(&f, wide.size ? 45 : 20, 2);
    put(&f, UTF8_NAMES, 2);
    put(&f, 0, 2);
    put(&f, e->stamp, 4);
    put(&f, e->crc, 4);
    put(&f, narrow(e->size), 4);
    put(&f, narrow(e->size), 4);
    put(&f, name, 2);
    put(&f, wide.size ? wide.size + 4 : 0, 2);
    put(&f, 0, 6); /* no comment, on disk 0, no attributes inside */
    put(&f, (uint64_t)e->mode << 16, 4);
    put(&f, narrow(e->offset), 4);
    if (!ap_output_write(z->out, f.bytes, f.size, err) || !ap_output_write(z->out, e->name, name, err))
        return false;
    f.size = 0;
    put(&f, 1, 2);
    put(&f, wide.size, 2);
    return !wide.size || (ap_output_write(z->out, f.bytes, f.size, err) &&
                          ap_output_write(z->out, wide.bytes, wide.size, err));
}

/* The end of the archive, twice if 32 bits do not hold it (APPNOTE 4.3.14 to 4.3.16). */
static bool put_end(const ap_zip *z, uint64_t start, uint64_t end, ap_error *err)
{
    fields f = {.size = 0};
    uint64_t size = end - start;
    if (start >= MAX_32 || size >= MAX_32 || z->count >= UINT16_MAX) {
        put(&f, 0x06064b50, 4);
        put(&f, 44, 8); /* bytes that follow */
        put(&f, UNIX_MADE | 45, 2);
        put(&f, 45, 2);
        put(&f, 0, 8); /* the numbers of disks */
        put(&f, z->count, 8);
        put(&f, z->count, 8);
        put(&f, size, 8);
        put(&f, start, 8);
        put(&f, 0x07064b50, 4);
        put(&f, 0, 4);
        put(&f, end, 8);
        put(&f, 1, 4);
    }
    put(&f, 0x06054b50, 4);
    put(&f, 0, 4);
    put(&f, z->count < UINT16_MAX ? z->count : UINT16_MAX, 2);
    put(&f, z->count < UINT16_MAX ? z->count : UINT16_MAX, 2);
    put(&f, narrow(size), 4);
    put(&f, narrow(start), 4);
    put(&f, 0, 2);
    return ap_output_write(z->out, f.bytes, f.size, err);
}

ap_zip *ap_zip_new(ap_output *out, ap_error *err)
{
    ap_zip *z = calloc(1, sizeof *z);
    if (z)
        z->out = out;
    else
        ap_fail_memory(err);
    return z;
}

bool ap_zip_end(ap_zip *z, ap_error *err)
{
    uint64_t start = ap_output_tell(z->out);
    bool ok = true;
    for (size_t i = 0; ok && i < z->count; i++)
        ok = put_central(z, &z->entries[i], err);
    ok = ok && put_end(z, start, ap_output_tell(z->out), err);
    ap_zip_free(z);
    return ok;
}

void ap_zip_free(ap_zip *z)
{
    if (!z)
        return;
    for (size_t i = 0; i < z->count; i++)
        free(z->entries[i].name);
    free(z->entries);
    free(z);
}

bool ap_zip_write(const char *path, bool (*fill)(ap_zip *z, void *user, ap_error *err), void *user,
                  ap_error *err)
{
    ap_output *out = ap_output_create(path, true, err);
    ap_zip *z = out ? ap_zip_new(out, err) : NULL;
    bool ok = z && fill(z, user, err);
    if (ok)
        ok = ap_zip_end(z, err);
    else
        ap_zip_free(z);
    if (ok)
        return ap_output_commit(out, err);
    ap_output_abort(out);
    return false;
}
