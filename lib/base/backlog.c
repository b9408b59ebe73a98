/* SPDX-License-Identifier: GPL-3.0-or-later
 * backlog.c - bytes that wait in an unlinked temporary file. */
#include "base/backlog.h"
#include "base/error.h"
#include "base/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define CUT_BYTES ((off_t)4 << 20) /* what was taken is given back to the file system in such pieces */

struct ap_backlog {
    int file;
    off_t taken, cut; /* bytes */
};

ap_backlog *ap_backlog_new(ap_error *err)
{
    ap_backlog *q = calloc(1, sizeof *q);
    if (!q) {
        ap_fail_memory(err);
        return NULL;
    }
    q->file = ap_temporary_file(err);
    if (q->file >= 0)
        return q;
    free(q);
    return NULL;
}

/* Appends: ap_backlog_take does not move the position. */
bool ap_backlog_put(ap_backlog *q, const void *bytes, size_t size, ap_error *err)
{
    return ap_temporary_write(q->file, bytes, size, err);
}

/* Best effort: a file system that cannot make holes keeps the whole. */
static void cut_off(ap_backlog *q)
{
    if (q->taken - q->cut < CUT_BYTES)
        return;
    (void)!fallocate(q->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, q->cut, q->taken - q->cut);
    q->cut = q->taken;
}

bool ap_backlog_take(ap_backlog *q, void *bytes, size_t size, ap_error *err)
{
    char *p = bytes;
    while (size) {
        ssize_t n = pread(q->file, p, size, q->taken);
        if (n == 0 || (n < 0 && errno != EINTR))
            return ap_fail_errno(err, n ? errno : EIO, "cannot read a temporary file");
        if (n > 0) {
            p += n;
            size -= (size_t)n;
            q->taken += n;
        }
    }
    cut_off(q);
    return true;
}

void ap_backlog_free(ap_backlog *q)
{
    if (!q)
        return;
    close(q->file);
    free(q);
}
