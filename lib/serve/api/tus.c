/* SPDX-License-Identifier: GPL-3.0-or-later
 * tus.c - uploads that go on where they stopped (https://tus.io/protocols/resumable-upload, 1.0). */
#include "serve/api/tus.h"
#include "base/error.h"
#include "base/text.h"
#include "base/write.h"
#include "serve/api/concat.h"
#include "serve/http/reply.h"
#include "serve/http/room.h"
#include "serve/http/state.h"
#include "serve/kept/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define GATHER_BYTES 65536 /* the HTTP library delivers half of its buffer at a time */
#define OCTETS "application/offset+octet-stream"

/* What is being written. */
typedef struct writing {
    ap_upload upload;
    bool created, claimed, ended;
    int fd; /* of the file, or, with a checksum, of ID.part, from which it is copied when it is right */
    char *gathered; /* malloc'ed: bytes that came and are not in the file yet */
    size_t gathered_size;
    uint64_t written;
    bool failed, too_long;
    ap_error why;     /* it failed */
    ap_digest digest; /* kind 0: none is asked for */
} writing;

/* ---- headers */

static void add_expiry(ap_request *r, const ap_upload *upload)
{
    char text[64];
    struct tm utc;
    time_t when = (time_t)upload->expires_s;
    gmtime_r(&when, &utc);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc); /* RFC 9110, section 5.6.7 */
    ap_reply_header(r, "Upload-Expires", text);
}

static void add_number(ap_request *r, const char *name, uint64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    ap_reply_header(r, name, text);
}

static bool check_version(ap_request *r)
{
    const char *version = ap_header(r, "Tus-Resumable");
    if (version && strcmp(version, "1.0.0") == 0)
        return true;
    ap_reply_problem(r, 412, "Tus-Resumable", "this is tus 1.0.0");
    ap_reply_header(r, "Tus-Version", "1.0.0");
    return false;
}

static bool load(ap_request *r, ap_upload *upload)
{
    if (ap_upload_load(&r->server->uploads, r->id, upload) && ap_may_see(r, upload->owner))
        return true;
    ap_upload_free(upload);
    ap_reply_missing(r, "file");
    return false;
}

/* ---- the body */

static bool is_as_it_was(ap_request *r, const writing *w)
{
    ap_upload now;
    bool same = ap_upload_load(&r->server->uploads, w->upload.id, &now) && now.offset == w->upload.offset;
    ap_upload_free(&now);
    return same;
}

/* Opens the file for a body that has been announced. */
static bool prepare_body(ap_request *r, writing *w)
{
    const char *checksum = ap_header(r, "Upload-Checksum");
    uint64_t announced = ap_body_announced(r);
    if (announced != AP_UNKNOWN && announced > w->upload.length - w->upload.offset)
        return ap_reply_problem(r, 413, "Content-Length", "the file has %llu bytes",
                                (unsigned long long)w->upload.length),
               false;
    if (checksum && !ap_digest_start(&w->digest, checksum))
        return ap_reply_problem(r, 400, "Upload-Checksum", "it is not sha1, sha256 or md5 and base64"), false;
    if (!ap_upload_claim(&r->server->uploads, w->upload.id, r->peer))
        return ap_reply_problem(r, 423, NULL, "another request writes to it"), false;
    w->claimed = true;
    if (!is_as_it_was(r, w)) /* another request wrote between our look and our claim */
        return ap_reply_problem(r, 409, "Upload-Offset", "the file has grown meanwhile"), false;
    char *path = ap_upload_path(&r->server->uploads, w->upload.id, checksum ? ".part" : "");
    int mode = checksum ? O_RDWR | O_CREAT | O_TRUNC : O_WRONLY | O_APPEND;
    w->fd = path ? open(path, mode | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    free(path);
    if (w->fd < 0)
        ap_reply_problem(r, 503, NULL, "cannot open the file");
    return w->fd >= 0;
}

static void write_bytes(writing *w, const char *bytes, size_t size)
{
    if (!w->failed)
        w->failed =
            !ap_write_all(w->fd, bytes, size) && !ap_fail_errno(&w->why, errno, "cannot write the file");
}

static void flush(writing *w)
{
    write_bytes(w, w->gathered, w->gathered_size);
    w->gathered_size = 0;
}

void ap_tus_take(ap_request *r, const char *bytes, size_t size)
{
    writing *w = r->state;
    if (!w || w->fd < 0)
        return;
    if (size > w->upload.length - w->upload.offset - w->written)
        w->too_long = true;
    if (w->failed || w->too_long)
        return;
    if (w->digest.kind)
        ap_digest_add(&w->digest, bytes, size);
    w->written += size;
    if (!w->gathered && !(w->gathered = malloc(GATHER_BYTES)))
        return write_bytes(w, bytes, size);
    if (size > GATHER_BYTES - w->gathered_size)
        flush(w);
    if (size > GATHER_BYTES)
        return write_bytes(w, bytes, size);
    memcpy(w->gathered + w->gathered_size, bytes, size);
    w->gathered_size += size;
}

/* The checksum is right: the part becomes part of the upload. */
static bool accept_part(ap_request *r, writing *w, ap_error *err)
{
    char *path = ap_upload_path(&r->server->uploads, w->upload.id, "");
    char *part = ap_upload_path(&r->server->uploads, w->upload.id, ".part");
    int out = path ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW) : -1;
    bool ok = out >= 0 ? ap_append_file(out, w->fd, err) : ap_fail(err, AP_TRY_AGAIN, "cannot open the file");
    if (part)
        unlink(part);
    free(path);
    free(part);
    close(w->fd);
    w->fd = out;
    return ok;
}

static bool finish_body(ap_request *r, writing *w)
{
    ap_error err;
    atomic_fetch_add(&r->server->metrics.upload_bytes, w->written);
    flush(w);
    if (w->too_long)
        return ap_reply_problem(r, 413, NULL, "the file has %llu bytes",
                                (unsigned long long)w->upload.length),
               false;
    if (w->failed)
        return ap_reply_error(r, NULL, &w->why), false;
    if (w->digest.kind && !ap_digest_is_right(&w->digest))
        return ap_reply_problem(r, 460, "Upload-Checksum", "the bytes are others"), false;
    if (w->digest.kind && !accept_part(r, w, &err))
        return ap_reply_error(r, NULL, &err), false;
    if (fsync(w->fd) != 0) {
        ap_fail_errno(&err, errno, "cannot write the file");
        return ap_reply_error(r, NULL, &err), false;
    }
    w->upload.offset += w->written;
    return true;
}

/* Before the answer: the client's next request for it would break a connection that still has it. */
static void release(ap_request *r, writing *w)
{
    if (w->claimed)
        ap_upload_release(&r->server->uploads, w->upload.id);
    w->claimed = false;
}

void ap_tus_finish(ap_request *r)
{
    writing *w = r->state;
    bool ok = w->fd < 0 || finish_body(r, w);
    release(r, w);
    if (!ok)
        return;
    ap_upload now;
    if (w->upload.parts && !ap_concat(r, &w->upload))
        return;
    if (ap_upload_load(&r->server->uploads, w->upload.id, &now))
        w->upload.expires_s = now.expires_s;
    ap_upload_free(&now);
    w->ended = true;
    ap_reply_empty(r, w->created ? 201 : 204);
    if (w->created) {
        char *base = ap_base_url(r), *location = base ? ap_print("%s/v1/files/%s", base, w->upload.id) : NULL;
        ap_reply_header(r, "Location", location);
        free(base);
        free(location);
    }
    add_number(r, "Upload-Offset", w->upload.offset);
    add_expiry(r, &w->upload);
}

void ap_tus_drop(ap_request *r)
{
    writing *w = r->state;
    if (!w)
        return;
    if (w->fd >= 0) {
        flush(w); /* what was cut goes on from there */
        close(w->fd);
    }
    release(r, w); /* by now all of it is in the file */
    free(w->gathered);
    if (w->created && !w->ended && w->upload.id[0] && w->upload.parts)
        ap_upload_remove(&r->server->uploads, w->upload.id); /* a whole that could not be made of its parts */
    ap_upload_free(&w->upload);
    free(w);
    r->state = NULL;
}

static writing *new_writing(ap_request *r)
{
    writing *w = calloc(1, sizeof *w);
    if (!w)
        ap_reply_text(r, 503, NULL, NULL, 0);
    else
        w->fd = -1;
    r->state = w;
    return w;
}

/* ---- creation */

/* The name that the metadata give it; malloc'ed. */
static char *name_of(const char *metadata)
{
    static const char *const keys[] = {"filename", "name"};
    for (size_t i = 0; metadata && i < sizeof keys / sizeof *keys; i++) {
        char *name = ap_tus_metadata(metadata, keys[i]);
        if (name && *name && ap_is_utf8(name) && strlen(name) < 1024)
            return name;
        free(name);
    }
    return strdup("upload");
}

/* Upload-Concat: "partial", or "final;URL URL". */
static bool read_concat(ap_request *r, ap_upload *u)
{
    const char *concat = ap_header(r, "Upload-Concat");
    if (!concat)
        return true;
    u->partial = strcmp(concat, "partial") == 0;
    if (u->partial)
        return true;
    if (strncmp(concat, "final;", 6) != 0)
        return ap_reply_problem(r, 400, "Upload-Concat", "it is not partial or final"), false;
    u->parts = strdup(concat + 6);
    if (!ap_concat_length(r, u->parts, &u->length))
        return false;
    return u->parts || (ap_reply_text(r, 503, NULL, NULL, 0), false);
}

static bool read_length(ap_request *r, ap_upload *u)
{
    const char *length = ap_header(r, "Upload-Length");
    if (ap_header(r, "Upload-Defer-Length"))
        return ap_reply_problem(r, 400, "Upload-Defer-Length", "the length has to be known"), false;
    if (u->parts && !length)
        return true;
    if (!u->parts && length && ap_parse_number(length, &u->length) && u->length <= 1ull << 53)
        return true;
    return ap_reply_problem(r, 400, "Upload-Length", "it is not a number of bytes"), false;
}

static bool read_metadata(ap_request *r, ap_upload *u)
{
    const char *metadata = ap_header(r, "Upload-Metadata");
    if (metadata && *metadata && !ap_is_tus_metadata(metadata))
        return ap_reply_problem(r, 400, "Upload-Metadata", "it is not pairs of KEY BASE64"), false;
    u->metadata = metadata && *metadata ? strdup(metadata) : NULL;
    u->name = name_of(u->metadata);
    strcpy(u->owner, r->person.owner);
    return u->name || (ap_reply_text(r, 503, NULL, NULL, 0), false);
}

void ap_tus_begin_create(ap_request *r)
{
    ap_error err;
    const char *type = ap_header(r, "Content-Type");
    writing *w = check_version(r) ? new_writing(r) : NULL;
    if (!w)
        return;
    ap_upload *u = &w->upload;
    if (!read_concat(r, u) || !read_length(r, u) || !read_metadata(r, u) ||
        !ap_room_for(r, u->parts ? 0 : u->length))
        return;
    uint64_t announced = ap_body_announced(r);
    bool with_body = announced > 0 && !u->parts && type && strcasecmp(type, OCTETS) == 0;
    if (announced > 0 && !with_body)
        return ap_reply_problem(r, 415, "Content-Type", "it has to be " OCTETS);
    if (!ap_upload_new(&r->server->uploads, u, &err))
        return ap_reply_error(r, NULL, &err);
    w->created = true;
    if (with_body && !prepare_body(r, w))
        ap_upload_remove(&r->server->uploads, u->id);
}

/* ---- the rest */

void ap_tus_begin_patch(ap_request *r)
{
    const char *type = ap_header(r, "Content-Type"), *offset = ap_header(r, "Upload-Offset");
    uint64_t from;
    writing *w = check_version(r) ? new_writing(r) : NULL;
    if (!w || !load(r, &w->upload))
        return;
    if (!type || strcasecmp(type, OCTETS) != 0)
        return ap_reply_problem(r, 415, "Content-Type", "it has to be " OCTETS);
    if (!offset || !ap_parse_number(offset, &from))
        return ap_reply_problem(r, 400, "Upload-Offset", "it is not a number of bytes");
    if (w->upload.parts)
        return ap_reply_problem(r, 403, NULL, "a file made of parts has no body");
    if (from == w->upload.offset && prepare_body(r, w))
        return; /* goes on with the body */
    if (!r->response) {
        ap_reply_problem(r, 409, "Upload-Offset", "it goes on at %llu", (unsigned long long)w->upload.offset);
        add_number(r, "Upload-Offset", w->upload.offset);
    }
}

static void add_facts(ap_request *r, const ap_upload *u)
{
    ap_reply_header(r, "Cache-Control", "no-store");
    add_number(r, "Upload-Offset", u->offset);
    add_number(r, "Upload-Length", u->length);
    ap_reply_header(r, "Upload-Metadata", u->metadata);
    if (u->partial)
        ap_reply_header(r, "Upload-Concat", "partial");
    if (u->parts) {
        char *text = ap_print("final;%s", u->parts);
        ap_reply_header(r, "Upload-Concat", text);
        free(text);
    }
    add_expiry(r, u);
}

void ap_tus_head(ap_request *r)
{
    ap_upload u;
    if (!check_version(r) || !load(r, &u))
        return;
    if (ap_upload_claim(&r->server->uploads, u.id, NULL)) {
        ap_upload_release(&r->server->uploads, u.id);
        ap_reply_empty(r, 200);
        add_facts(r, &u);
    } else
        ap_reply_problem(r, 423, NULL, "another request writes to it");
    ap_upload_free(&u);
}

void ap_tus_delete(ap_request *r)
{
    ap_upload u;
    if (!check_version(r) || !load(r, &u))
        return;
    if (ap_upload_claim(&r->server->uploads, u.id, NULL)) {
        ap_upload_remove(&r->server->uploads, u.id);
        ap_reply_empty(r, 204);
    } else
        ap_reply_problem(r, 423, NULL, "another request writes to it");
    ap_upload_free(&u);
}
