/* SPDX-License-Identifier: GPL-3.0-or-later
 * bundle.c - all outputs of a job as one zip archive, made while it is sent.
 *
 * Headers and list of the archive are written to a sparse temporary file first, with gaps for the files; so
 * its length is known, any part of it can be asked for, and no reader needs data descriptors. */
#include "base/error.h"
#include "base/output.h"
#include "base/text.h"
#include "jobs/record/json.h"
#include "jobs/record/sha256.h"
#include "jobs/show/zip.h"
#include "serve/api/files.h"
#include "serve/http/reply.h"
#include "serve/http/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

typedef struct gap {
    uint64_t start, end;
    int fd;
} gap;

typedef struct bundle {
    ap_output *frame;
    gap *gaps;
    size_t count;
} bundle;

static void free_bundle(void *user)
{
    bundle *b = user;
    for (size_t i = 0; i < b->count; i++)
        close(b->gaps[i].fd);
    ap_output_abort(b->frame);
    free(b->gaps);
    free(b);
}

static ptrdiff_t read_bundle(void *user, uint64_t position, char *to, size_t size)
{
    bundle *b = user;
    uint64_t end = ap_output_size(b->frame);
    for (size_t i = 0; i < b->count; i++) {
        const gap *g = &b->gaps[i];
        if (position >= g->start && position < g->end) {
            size_t n = size < g->end - position ? size : (size_t)(g->end - position);
            return pread(g->fd, to, n, (off_t)(position - g->start));
        }
        if (position < g->start && g->start < end)
            end = g->start;
    }
    size_t n = size < end - position ? size : (size_t)(end - position);
    return ap_output_read_at(b->frame, position, to, n, NULL) ? (ptrdiff_t)n : -1;
}

/* ---- checksums: computed once, and kept by what the file is */

static bool compute_crc(int fd, uint32_t *crc)
{
    unsigned char block[1 << 16];
    uLong sum = crc32(0, NULL, 0);
    ssize_t n;
    off_t at = 0;
    while ((n = pread(fd, block, sizeof block, at)) > 0) {
        sum = crc32(sum, block, (uInt)n);
        at += n;
    }
    *crc = (uint32_t)sum;
    return n == 0;
}

static bool find_crc(const ap_request *r, int fd, const char *sha256, uint32_t *crc)
{
    char text[16];
    char *path = ap_print("%s/crc/%.64s", r->server->home, sha256);
    if (!path)
        return false;
    int kept = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    ssize_t n = kept >= 0 ? pread(kept, text, 8, 0) : -1;
    text[n == 8 ? 8 : 0] = 0;
    bool ok = n == 8 && sscanf(text, "%8x", crc) == 1;
    if (!ok && (ok = compute_crc(fd, crc)) && kept >= 0) {
        snprintf(text, sizeof text, "%08x", *crc);
        (void)!pwrite(kept, text, 8, 0);
    }
    if (kept >= 0)
        close(kept);
    free(path);
    return ok;
}

/* ---- making it */

static bool add_output(ap_request *r, bundle *b, ap_zip *z, const ap_asked_job *job, const cJSON *file,
                       ap_error *err)
{
    struct stat st;
    gap *g = &b->gaps[b->count];
    ap_zip_known known = {.size = 0};
    char *path = ap_json_path(file, "path");
    const char *slash = path ? strchr(path, '/') : NULL;
    int fd = slash ? ap_open_job_file(job, file, &known.size) : -1;
    bool ok = (fd >= 0 && fstat(fd, &st) == 0) || ap_fail(err, AP_FAILED, "an output cannot be read");
    ok = ok && (find_crc(r, fd, ap_json_string(file, "sha256"), &known.crc) ||
                ap_fail(err, AP_FAILED, "an output cannot be read"));
    if (ok) {
        known.mode = st.st_mode;
        known.when = st.st_mtime;
        ok = ap_zip_add_known(z, slash + 1, &known, &g->start, err);
    }
    free(path);
    if (ok) {
        g->end = g->start + known.size;
        g->fd = fd;
        b->count++;
    } else if (fd >= 0)
        close(fd);
    return ok;
}

static bundle *make_bundle(ap_request *r, const ap_asked_job *job, ap_error *err)
{
    const cJSON *outputs = cJSON_GetObjectItemCaseSensitive(job->document, "outputs"), *file;
    bundle *b = calloc(1, sizeof *b);
    if (!b || !(b->gaps = calloc((size_t)cJSON_GetArraySize(outputs) + 1, sizeof *b->gaps))) {
        free(b);
        ap_fail_memory(err);
        return NULL;
    }
    b->frame = ap_output_fd(-1, "the archive", true, err);
    ap_zip *z = b->frame ? ap_zip_new(b->frame, err) : NULL;
    bool ok = z;
    cJSON_ArrayForEach(file, outputs)
    {
        ok = ok && add_output(r, b, z, job, file, err);
    }
    if (ok)
        ok = ap_zip_end(z, err);
    else
        ap_zip_free(z);
    if (ok)
        return b;
    free_bundle(b);
    return NULL;
}

/* What is in it, and its names, make it what it is. */
static void etag_of(const cJSON *outputs, char etag[80])
{
    char *text = NULL, hex[AP_SHA256_HEX] = "";
    size_t size;
    const cJSON *file;
    FILE *f = open_memstream(&text, &size);
    cJSON_ArrayForEach(file, outputs)
    {
        if (f)
            fprintf(f, "%s %s\n", ap_json_string(file, "sha256"), ap_json_string(file, "path"));
    }
    if (f && fclose(f) == 0)
        ap_sha256_text(text, hex);
    free(text);
    snprintf(etag, 80, "\"%s-zip\"", hex);
}

void ap_get_zip(ap_request *r)
{
    ap_asked_job job;
    ap_error err;
    char etag[80];
    if (!ap_find_job(r, &job))
        return;
    const cJSON *outputs = cJSON_GetObjectItemCaseSensitive(job.document, "outputs");
    bundle *b = NULL;
    if (cJSON_GetArraySize(outputs) == 0)
        ap_reply_problem(r, 404, NULL, "the job has no outputs");
    else if (!(b = make_bundle(r, &job, &err)))
        ap_reply_problem(r, 503, NULL, "%s", err.message);
    else {
        etag_of(outputs, etag);
        ap_reply_made(r, read_bundle, free_bundle, b, ap_output_size(b->frame), "application/zip", etag);
        char *name = ap_print("%s.zip", r->id), *disposition = name ? ap_disposition(name) : NULL;
        ap_reply_header(r, "Content-Disposition", disposition);
        free(name);
        free(disposition);
    }
    ap_asked_job_free(&job);
}
