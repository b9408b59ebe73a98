/* SPDX-License-Identifier: GPL-3.0-or-later
 * media.c - what a page draws of a job's sound: peaks, and pictures. They are made when they are asked for
 * the first time, and kept by what the file is. */
#include "base/error.h"
#include "base/output.h"
#include "base/text.h"
#include "jobs/record/json.h"
#include "jobs/show/figure.h"
#include "serve/api/files.h"
#include "serve/http/reply.h"
#include "serve/http/state.h"
#include "serve/kept/view.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIXELS 1600 /* of a waveform */

typedef bool make_fn(const char *source, double seconds, const char *target, ap_error *err);

static bool make_peaks(const char *source, double seconds, const char *target, ap_error *err)
{
    ap_peaks_options options;
    ap_peaks_defaults(&options);
    options.format = "json";
    options.bits = 8;
    ap_stream *s = ap_decode(source, NULL, err);
    double frames = s && seconds > 0 ? seconds * ap_stream_format(s)->rate : 0;
    options.samples_per_pixel = frames > 2 * PIXELS ? (unsigned)fmin(1e9, ceil(frames / PIXELS)) : 2;
    return ap_peaks(s, target, &options, err);
}

/* Shown as an image, it cannot reach the page around it. */
static const char picture_style[] =
    "<style>text{font:9px "
    "sans-serif;fill:#5b5a6e;text-anchor:middle}.hz{fill:#fff;text-anchor:start;opacity:.75}"
    ".peak{fill:#b9b2ea}.rms{fill:#5443c8}.tick{stroke:#5b5a6e;stroke-width:.5;opacity:.35}.mark{stroke:#fff;"
    "opacity:.75}@media(prefers-color-scheme:dark){text{fill:#a9a7bd}.peak{fill:#55507f}.rms{fill:#a79bff}"
    ".tick{stroke:#a9a7bd}}</style>";

static bool make_picture(const char *source, double seconds, const char *target, ap_error *err)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    (void)seconds;
    bool ok = f ? ap_picture_svg(f, source, err) : ap_fail_memory(err);
    if (f && fclose(f) != 0)
        ok = ok && ap_fail_memory(err);
    ap_output *out = ok ? ap_output_create(target, false, err) : NULL;
    size_t root = ok ? strcspn(text, ">") + 1 : 0;
    ok = out && ap_output_write(out, text, root, err) &&
         ap_output_write(out, picture_style, sizeof picture_style - 1, err) &&
         ap_output_write(out, text + root, size - root, err);
    free(text);
    if (ok)
        return ap_output_commit(out, err);
    ap_output_abort(out);
    return false;
}

/* The descriptor of what is kept of a file, made if it was not there; -1 on failure. */
static int find_made(const ap_request *r, const ap_asked_job *job, const cJSON *file, const char *kind,
                     make_fn *make, ap_error *err)
{
    char source[64];
    char *path = ap_print("%s/%s/%.64s", r->server->home, kind, ap_json_string(file, "sha256"));
    if (!path)
        return ap_fail_memory(err), -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int in = fd < 0 ? ap_open_job_file(job, file, NULL) : -1;
    if (in >= 0) {
        snprintf(source, sizeof source, "/proc/self/fd/%d", in);
        if (make(source, ap_json_number(file, "duration", 0), path, err))
            fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        close(in);
    }
    free(path);
    return fd;
}

static void get_made(ap_request *r, const char *kind, make_fn *make, const char *type)
{
    ap_asked_job job;
    ap_error err = {AP_FAILED, "it is not there"};
    struct stat st;
    char etag[80];
    const char *of = ap_query(r, "of");
    if (of && strcmp(of, "inputs") != 0 && strcmp(of, "outputs") != 0)
        return ap_reply_problem(r, 400, "of", "it is not inputs or outputs");
    if (!ap_find_job(r, &job))
        return;
    const cJSON *file = ap_view_find(job.document, of && strcmp(of, "inputs") == 0, r->name);
    if (!file || strlen(ap_json_string(file, "sha256")) != 64)
        ap_reply_missing(r, "file");
    else {
        int fd = find_made(r, &job, file, kind, make, &err);
        if (fd < 0 || fstat(fd, &st) != 0)
            ap_reply_problem(r, err.code == AP_TRY_AGAIN ? 503 : 422, NULL,
                             "there is no picture of this file");
        else {
            snprintf(etag, sizeof etag, "\"%.60s-%s\"", ap_json_string(file, "sha256"), kind);
            ap_reply_file(r, fd, (uint64_t)st.st_size, type, etag);
            ap_reply_header(r, "Cache-Control", "private, max-age=31536000, immutable");
        }
    }
    ap_asked_job_free(&job);
}

void ap_get_peaks(ap_request *r)
{
    get_made(r, "peaks", make_peaks, "application/json");
}

void ap_get_picture(ap_request *r)
{
    get_made(r, "pictures", make_picture, "image/svg+xml");
    ap_reply_header(r, "Content-Security-Policy",
                    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox");
}
