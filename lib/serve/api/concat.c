/* SPDX-License-Identifier: GPL-3.0-or-later
 * concat.c - one upload made of others. */
#include "serve/api/concat.h"
#include "base/error.h"
#include "base/write.h"
#include "serve/http/reply.h"
#include "serve/http/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define MOST_PARTS 64
#define BLOCK_BYTES (1 << 17)

typedef bool part_fn(ap_request *r, ap_upload *part, void *user);

/* The ID at the end of one of our URLs, or of a path. */
static bool id_in(const ap_request *r, const char *url, size_t size, char id[AP_FILE_ID_BYTES])
{
    static const char path[] = "/v1/files/";
    const size_t prefix = sizeof path - 1, tail = prefix + AP_FILE_ID_BYTES - 1;
    char *base = ap_base_url(r);
    size_t n = base ? strlen(base) : 0;
    bool ours = size == tail || (n && size == n + tail && strncmp(url, base, n) == 0);
    free(base);
    if (!ours || strncmp(url + size - tail, path, prefix) != 0)
        return false;
    memcpy(id, url + size - AP_FILE_ID_BYTES + 1, AP_FILE_ID_BYTES - 1);
    id[AP_FILE_ID_BYTES - 1] = 0;
    return ap_is_file_id(id);
}

static bool each_part(ap_request *r, const char *list, part_fn *see, void *user)
{
    unsigned count = 0;
    for (const char *p = list; *(p += strspn(p, " ")); p += strcspn(p, " ")) {
        char id[AP_FILE_ID_BYTES];
        ap_upload part = {.partial = false};
        bool ok = id_in(r, p, strcspn(p, " "), id) && ap_upload_load(&r->server->uploads, id, &part) &&
                  strcmp(part.owner, r->person.owner) == 0 && part.partial && ap_upload_is_whole(&part);
        if (!ok || ++count > MOST_PARTS)
            ap_reply_problem(r, 400, "Upload-Concat", "a part is not there, or not whole");
        ok = ok && count <= MOST_PARTS && see(r, &part, user);
        ap_upload_free(&part);
        if (!ok)
            return false;
    }
    return count > 0 || (ap_reply_problem(r, 400, "Upload-Concat", "there are no parts"), false);
}

static bool add_length(ap_request *r, ap_upload *part, void *user)
{
    (void)r;
    *(uint64_t *)user += part->length;
    return true;
}

bool ap_concat_length(ap_request *r, const char *list, uint64_t *length)
{
    *length = 0;
    if (!list || !each_part(r, list, add_length, length))
        return false;
    if ((double)*length <= r->server->options->max_bytes)
        return true;
    ap_reply_problem(r, 413, "size", "a file may have %.0f bytes", r->server->options->max_bytes);
    return false;
}

bool ap_append_file(int out, int in, ap_error *err)
{
    char *block = malloc(BLOCK_BYTES);
    ssize_t n = 0;
    off_t at = 0;
    bool ok = block || ap_fail_memory(err);
    while (ok && (n = pread(in, block, BLOCK_BYTES, at)) > 0) {
        ok = ap_write_all(out, block, (size_t)n) || ap_fail_errno(err, errno, "cannot write the file");
        at += n;
    }
    free(block);
    return ok && (n == 0 || ap_fail_errno(err, errno, "cannot read the file"));
}

static bool append_part(ap_request *r, ap_upload *part, void *user)
{
    ap_error err = {AP_TRY_AGAIN, "cannot open a part"};
    char *path = ap_upload_path(&r->server->uploads, part->id, "");
    int in = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    bool ok = in >= 0 && ap_append_file(*(int *)user, in, &err);
    if (in >= 0)
        close(in);
    free(path);
    if (!ok)
        ap_reply_error(r, NULL, &err);
    return ok;
}

static bool remove_part(ap_request *r, ap_upload *part, void *user)
{
    (void)user;
    ap_upload_remove(&r->server->uploads, part->id);
    return true;
}

bool ap_concat(ap_request *r, ap_upload *upload)
{
    char *path = ap_upload_path(&r->server->uploads, upload->id, "");
    int out = path ? open(path, O_WRONLY | O_APPEND | O_TRUNC | O_CLOEXEC | O_NOFOLLOW) : -1;
    bool ok = out >= 0 && each_part(r, upload->parts, append_part, &out);
    if (ok && fsync(out) != 0)
        ok = false;
    if (ok) {
        upload->offset = upload->length;
        each_part(r, upload->parts, remove_part, NULL);
    } else if (!r->response)
        ap_reply_problem(r, 503, NULL, "cannot write the file");
    if (out >= 0)
        close(out);
    free(path);
    return ok;
}
