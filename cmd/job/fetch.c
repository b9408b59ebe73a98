/* SPDX-License-Identifier: GPL-3.0-or-later
 * fetch.c - ap-job fetch: what a job made, copied to a folder or into a zip file. A file there is whole. */
#include "base/error.h"
#include "base/text.h"
#include "job/job.h"
#include "jobs/record/tree.h"
#include "jobs/show/zip.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- to a folder */

static bool fetch_file(const char *path, const char *below, void *user, ap_error *err)
{
    char *target = ap_print("%s/%s", (const char *)user, below);
    bool ok = target ? job_copy(path, target, err) : ap_fail_memory(err);
    free(target);
    return ok;
}

/* ---- into a zip file */

static bool zip_file(const char *path, const char *below, void *user, ap_error *err)
{
    return ap_zip_add(user, below, path, err);
}

static bool fill_zip(ap_zip *z, void *user, ap_error *err)
{
    const char *folder = user;
    return ap_each_file(folder, zip_file, z, err);
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
        ok = c->zip ? ap_zip_write(argv[1], fill_zip, out, err) : ap_each_file(out, fetch_file, argv[1], err);
    free(folder);
    free(out);
    return job_result(ok, err);
}
