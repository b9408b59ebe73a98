/* SPDX-License-Identifier: GPL-3.0-or-later
 * copy.c - files copied out of a spool; a copy is there whole, or not at all. */
#include "base/error.h"
#include "base/output.h"
#include "job/job.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Makes the folders on the way to path, as the user's mask has it. */
static bool make_way(char *path, ap_error *err)
{
    for (char *slash = path; (slash = strchr(slash + 1, '/'));) {
        *slash = 0;
        bool ok = mkdir(path, 0777) == 0 || errno == EEXIST ||
                  ap_fail_errno(err, errno, "cannot create '%s'", path);
        *slash = '/';
        if (!ok)
            return false;
    }
    return true;
}

static bool copy_to(ap_output *out, int fd, const char *path, ap_error *err)
{
    char block[1 << 16];
    ssize_t n;
    while ((n = read(fd, block, sizeof block)) > 0)
        if (!ap_output_write(out, block, (size_t)n, err))
            return false;
    return n == 0 || ap_fail_errno(err, errno, "cannot read '%s'", path);
}

static bool copy_file(const char *path, const char *target, ap_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ap_fail_errno(err, errno, "cannot open '%s'", path);
    ap_output *out = ap_output_create(target, false, err);
    bool ok = out && copy_to(out, fd, path, err);
    if (ok)
        ok = ap_output_commit(out, err);
    else
        ap_output_abort(out);
    close(fd);
    return ok;
}

bool job_copy(const char *path, char *target, ap_error *err)
{
    return make_way(target, err) && copy_file(path, target, err);
}
