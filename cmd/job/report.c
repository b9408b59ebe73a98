/* SPDX-License-Identifier: GPL-3.0-or-later
 * report.c - ap-job report: a page about a job, alone or with its files in a folder or a zip file. */
#include "jobs/show/report.h"
#include "base/error.h"
#include "base/output.h"
#include "base/path.h"
#include "base/text.h"
#include "job/job.h"
#include "jobs/record/manifest.h"
#include "jobs/show/zip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define EMBED_MIB 32 /* of sound and video in a page that is alone */
#define PAGE "index.html"

/* ---- alone */

static bool report_alone(const char *manifest, const char *path, ap_error *err)
{
    const ap_report_options options = {.path = path, .embed_bytes = EMBED_MIB * 0x1p20};
    ap_output *out = path ? ap_output_create(path, false, err)
                          : ap_output_fd(STDOUT_FILENO, "standard output", false, err);
    return out && ap_report(manifest, out, &options, err);
}

/* ---- with its files, in a folder */

static bool take_to_folder(const char *path, const char *name, void *user, ap_error *err)
{
    char *target = ap_print("%s/%s", (const char *)user, name);
    bool ok = target ? job_copy(path, target, err) : ap_fail_memory(err);
    free(target);
    return ok;
}

static bool report_to_folder(const char *manifest, const char *folder, ap_error *err)
{
    const ap_report_options options = {.take = take_to_folder, .user = (void *)folder};
    char *page = ap_print("%s/" PAGE, folder);
    if (!page)
        return ap_fail_memory(err);
    (void)mkdir(folder, 0777); /* if that fails the page says so */
    ap_output *out = ap_output_create(page, false, err);
    free(page);
    return out && ap_report(manifest, out, &options, err);
}

/* ---- with its files, in a zip file */

static bool take_to_zip(const char *path, const char *name, void *user, ap_error *err)
{
    return ap_zip_add(user, name, path, err);
}

/* The page through a temporary file, as its files are added while it is made. */
static bool fill_zip(ap_zip *z, void *user, ap_error *err)
{
    const char *manifest = user;
    const ap_report_options options = {.take = take_to_zip, .user = z};
    FILE *page = tmpfile();
    char path[64];
    if (!page)
        return ap_fail(err, AP_TRY_AGAIN, "cannot create a temporary file");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(page));
    ap_output *out = ap_output_fd(fileno(page), "the page", false, err);
    bool ok = out && ap_report(manifest, out, &options, err) && ap_zip_add(z, PAGE, path, err);
    fclose(page);
    return ok;
}

int job_report(job_config *c, int argc, char **argv, ap_error *err)
{
    char *folder, *manifest = NULL;
    ap_place place;
    const char *path = argc > 1 ? argv[1] : NULL;
    if (c->with_media && !path)
        usage_error(&job_command, "report: --with-media needs a folder or a zip file to write to");
    bool ok = job_find(c, argv[0], &place, &folder, err);
    if (ok && !(manifest = ap_spool_path(c->spool, place, argv[0], AP_MANIFEST_NAME)))
        ok = ap_fail_memory(err);
    umask(c->mask);
    if (ok && !c->with_media)
        ok = report_alone(manifest, path, err);
    else if (ok)
        ok = strcasecmp(ap_extension(path), "zip") == 0 ? ap_zip_write(path, fill_zip, manifest, err)
                                                        : report_to_folder(manifest, path, err);
    free(folder);
    free(manifest);
    return job_result(ok, err);
}
