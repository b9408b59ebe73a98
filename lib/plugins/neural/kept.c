/* SPDX-License-Identifier: GPL-3.0-or-later
 * kept.c - the file of a separation that may be interrupted: a text of NN_KEPT_TEXT bytes that says which one
 * it is, then records, each a head and floats. A record that was not written to its end has a wrong checksum.
 */
#include "plugins/neural/kept.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

struct nn_kept {
    int fd;
    char *path;
    off_t at; /* of the next record */
};

typedef struct head {
    uint64_t tag, count;
    uint64_t sum; /* CRC-32 of tag, count and floats */
} head;

static uint64_t sum_of(const head *h, const float *result)
{
    uLong sum = crc32(0, (const Bytef *)h, 2 * sizeof h->tag);
    return crc32_z(sum, (const Bytef *)result, (size_t)h->count * sizeof *result);
}

static bool read_all(int fd, void *to, size_t size, off_t at)
{
    for (size_t done = 0; done < size;) {
        const ssize_t n = pread(fd, (char *)to + done, size - done, at + (off_t)done);
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool write_all(const nn_kept *k, const void *from, size_t size, off_t at, ap_error *err)
{
    for (size_t done = 0; done < size;) {
        const ssize_t n = pwrite(k->fd, (const char *)from + done, size - done, at + (off_t)done);
        if (n == 0 || (n < 0 && errno != EINTR))
            return ap_fail_errno(err, n ? errno : EIO, "cannot write '%s'", k->path);
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* A new file gets the text, an old one has to have it. */
static bool check_text(const nn_kept *k, const char *text, ap_error *err)
{
    char there[NN_KEPT_TEXT] = "", wanted[NN_KEPT_TEXT] = "";
    struct stat st;
    snprintf(wanted, sizeof wanted, "%s", text);
    if (fstat(k->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return ap_fail(err, AP_FAILED, "'%s' is no file", k->path);
    if (st.st_size < NN_KEPT_TEXT)
        return (ftruncate(k->fd, 0) == 0 || ap_fail_errno(err, errno, "cannot write '%s'", k->path)) &&
               write_all(k, wanted, sizeof wanted, 0, err);
    if (read_all(k->fd, there, sizeof there, 0) && memcmp(there, wanted, sizeof there) == 0)
        return true;
    return ap_fail(err, AP_FAILED,
                   "'%s' belongs to a separation of another input, or by another model or options: remove it",
                   k->path);
}

nn_kept *nn_kept_open(const char *path, const char *text, ap_error *err)
{
    nn_kept *k = calloc(1, sizeof *k);
    if (!k || !(k->path = strdup(path))) {
        ap_fail_memory(err);
        free(k);
        return NULL;
    }
    k->at = NN_KEPT_TEXT;
    k->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (k->fd < 0)
        ap_fail_errno(err, errno, "cannot open '%s'", path);
    else if (flock(k->fd, LOCK_EX | LOCK_NB) != 0)
        ap_fail(err, AP_TRY_AGAIN, "another process is working with '%s'", path);
    else if (check_text(k, text, err))
        return k;
    nn_kept_close(k);
    return NULL;
}

void nn_kept_close(nn_kept *k)
{
    if (!k)
        return;
    if (k->fd >= 0)
        close(k->fd);
    free(k->path);
    free(k);
}

bool nn_kept_take(nn_kept *k, uint64_t tag, float *result, size_t count)
{
    head h;
    const size_t size = count * sizeof *result;
    if (!k || !read_all(k->fd, &h, sizeof h, k->at) || h.tag != tag || h.count != count ||
        !read_all(k->fd, result, size, k->at + (off_t)sizeof h) || sum_of(&h, result) != h.sum)
        return false;
    k->at += (off_t)(sizeof h + size);
    return true;
}

bool nn_kept_put(nn_kept *k, uint64_t tag, const float *result, size_t count, ap_error *err)
{
    head h = {tag, count, 0};
    const size_t size = count * sizeof *result;
    if (!k)
        return true;
    h.sum = sum_of(&h, result);
    if (!write_all(k, &h, sizeof h, k->at, err) || !write_all(k, result, size, k->at + (off_t)sizeof h, err))
        return false;
    k->at += (off_t)(sizeof h + size);
    return true;
}

/* ---- what it belongs to */

bool nn_kept_describe(const nn_track *t, char *text, size_t size, ap_error *err)
{
    enum { BLOCK = 16384 };
    float *block = malloc(BLOCK * (size_t)t->channels * sizeof *block);
    uLong sum = crc32(0, NULL, 0);
    bool ok = block || ap_fail_memory(err);
    for (int64_t at = 0; ok && at < t->frames; at += BLOCK) {
        const int64_t n = t->frames - at < BLOCK ? t->frames - at : BLOCK;
        ok = nn_track_load(t, at, n, block, err);
        if (ok)
            sum = crc32_z(sum, (const Bytef *)block, (size_t)(n * t->channels) * sizeof *block);
    }
    free(block);
    snprintf(text, size, "input %lld %08lx\n", (long long)t->frames, sum);
    return ok;
}

void nn_kept_file(const char *path, char *text, size_t size)
{
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *bytes = MAP_FAILED;
    *text = 0;
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0)
        bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes != MAP_FAILED) {
        snprintf(text, size, "%lld-%08lx", (long long)st.st_size,
                 crc32_z(crc32(0, NULL, 0), bytes, (size_t)st.st_size));
        munmap(bytes, (size_t)st.st_size);
    }
    if (fd >= 0)
        close(fd);
}
