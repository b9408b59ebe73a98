/* SPDX-License-Identifier: GPL-3.0-or-later
 * files.c - what is in a job's folder, over HTTP. */
#include "serve/api/files.h"
#include "base/output.h"
#include "base/path.h"
#include "base/temporary.h"
#include "base/text.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"
#include "jobs/show/report.h"
#include "serve/http/reply.h"
#include "serve/http/state.h"
#include "serve/kept/view.h"
#include "serve/who/parse.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EMBED_MIB 8 /* of sound in a report */

/* ---- opening */

static int open_beneath(const char *folder, const char *path, uint64_t *size)
{
    const struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
                                 .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    struct stat st;
    int at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = at >= 0 ? (int)syscall(SYS_openat2, at, path, &how, sizeof how) : -1;
    if (at >= 0)
        close(at);
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        return -1;
    }
    if (fd >= 0 && size)
        *size = (uint64_t)st.st_size;
    return fd;
}

static int open_job_leaf(const ap_asked_job *job, const char *leaf, uint64_t *size)
{
    return open_beneath(job->folder, leaf, size);
}

int ap_open_job_file(const ap_asked_job *job, const cJSON *file, uint64_t *size)
{
    char *path = ap_json_path(file, "path");
    int fd = path ? open_beneath(job->folder, path, size) : -1;
    free(path);
    return fd;
}

/* ---- inputs and outputs */

void ap_get_outputs(ap_request *r)
{
    ap_asked_job job;
    if (!ap_find_job(r, &job))
        return;
    ap_reply_json(r, 200, ap_view_outputs(job.document));
    ap_asked_job_free(&job);
}

static void get_file(ap_request *r, bool inputs)
{
    ap_asked_job job;
    char etag[80];
    uint64_t size;
    if (!ap_find_job(r, &job))
        return;
    const cJSON *file = ap_view_find(job.document, inputs, r->name);
    int fd = file ? ap_open_job_file(&job, file, &size) : -1;
    if (fd < 0)
        ap_reply_missing(r, inputs ? "input" : "output");
    else {
        snprintf(etag, sizeof etag, "\"%.64s\"", ap_json_string(file, "sha256"));
        ap_reply_file(r, fd, size, ap_view_type(file), etag);
        ap_reply_header(r, "Cache-Control", "private, max-age=31536000, immutable");
        const char *download = ap_query(r, "download");
        char *disposition = download && strcmp(download, "1") == 0 ? ap_disposition(ap_leaf(r->name)) : NULL;
        ap_reply_header(r, "Content-Disposition", disposition);
        free(disposition);
    }
    /* outputs are not trusted: they run no script here */
    ap_reply_header(r, "Content-Security-Policy",
                    "default-src 'none'; img-src data:; media-src 'self'; "
                    "style-src 'unsafe-inline'; sandbox");
    ap_asked_job_free(&job);
}

void ap_get_output(ap_request *r)
{
    get_file(r, false);
}

void ap_get_input(ap_request *r)
{
    get_file(r, true);
}

/* ---- log and report */

void ap_get_log(ap_request *r)
{
    ap_asked_job job;
    uint64_t size;
    if (!ap_find_job(r, &job))
        return;
    int fd = open_job_leaf(&job, "log", &size);
    if (fd >= 0)
        ap_reply_file(r, fd, size, "text/plain; charset=utf-8", NULL);
    else
        ap_reply_text(r, 200, "text/plain; charset=utf-8", strdup(""), 0); /* it has not said anything yet */
    ap_reply_header(r, "Cache-Control", "no-store");
    ap_asked_job_free(&job);
}

static int write_report(const ap_asked_job *job, ap_error *err)
{
    const ap_report_options options = {.embed_bytes = EMBED_MIB * 0x1p20};
    char *manifest = ap_print("%s/" AP_MANIFEST_NAME, job->folder);
    int fd = manifest ? ap_temporary_file(err) : -1;
    ap_output *out = fd >= 0 ? ap_output_fd(fd, "the report", false, err) : NULL;
    bool ok = out && ap_report(manifest, out, &options, err);
    free(manifest);
    if (!ok && fd >= 0)
        close(fd);
    return ok ? fd : -1;
}

void ap_get_report(ap_request *r)
{
    ap_asked_job job;
    ap_error err;
    struct stat st;
    if (!ap_find_job(r, &job))
        return;
    int fd = write_report(&job, &err);
    if (fd >= 0 && fstat(fd, &st) == 0) {
        ap_reply_file(r, fd, (uint64_t)st.st_size, "text/html; charset=utf-8", NULL);
        ap_reply_header(r, "Cache-Control", "no-store");
        ap_reply_header(r, "Content-Security-Policy",
                        "default-src 'none'; img-src data:; media-src data:; "
                        "style-src 'unsafe-inline'; sandbox");
    } else
        ap_reply_problem(r, 503, NULL, "the report cannot be made");
    ap_asked_job_free(&job);
}
