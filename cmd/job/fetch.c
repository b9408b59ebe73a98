/* SPDX-License-Identifier: GPL-3.0-or-later
 * fetch.c - ap-job fetch: what a job made, copied to a folder or into a zip file. A file there is whole. */
#include "base/error.h"
#include "base/output.h"
#include "base/text.h"
#include "job/job.h"
#include "jobs/record/tree.h"
#include "jobs/show/zip.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- to a folder */

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

static bool fetch_file(const char *path, const char *below, void *user, ap_error *err)
{
    char *target = ap_print("%s/%s", (const char *)user, below);
    bool ok = target ? make_way(target, err) && copy_file(path, target, err) : ap_fail_memory(err);
    free(target);
    return ok;
}

/* ---- into a zip file */

static bool zip_file(const char *path, const char *below, void *user, ap_error *err)
{
    return ap_zip_add(user, below, path, err);
}

static bool fetch_zip(const char *folder, const char *target, ap_error *err)
{
    ap_output *out = ap_output_create(target, true, err);
    ap_zip *z = out ? ap_zip_new(out, err) : NULL;
    bool ok = z && ap_each_file(folder, zip_file, z, err);
    if (ok)
        ok = ap_zip_end(z, err);
    else
        ap_zip_free(z);
    if (ok)
        return ap_output_commit(out, err);
    ap_output_abort(out);
    return false;
}

int job_fetch(job_config *c, int argc, char **argv, ap_error *err)
{
    char *folder, *out = NULL;
    (void)argc;
    bool ok = job_find_done(c, argv[0], &folder, err);
    if (ok && !(out = ap_spool_path(c->spool, AP_DONE, argv[0], "out")))
        ok = ap_fail_memory(err);
    umask(c->mask);
    if (ok)
        ok = c->zip ? fetch_zip(out, argv[1], err) : ap_each_file(out, fetch_file, argv[1], err);
    free(folder);
    free(out);
    return job_result(ok, err);
}
