/* SPDX-License-Identifier: GPL-3.0-or-later
 * reply.c - answers. */
#include "serve/http/reply.h"
#include "base/text.h"
#include "jobs/record/json.h"
#include "serve/http/state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_BYTES 65536
#define PROBLEM "application/problem+json"

static void set(ap_request *r, unsigned status, struct MHD_Response *response, uint64_t size)
{
    if (r->response)
        MHD_destroy_response(r->response);
    r->response = response;
    r->status = status;
    r->sent = size;
}

void ap_reply_header(ap_request *r, const char *name, const char *value)
{
    if (r->response && value)
        MHD_add_response_header(r->response, name, value);
}

void ap_reply_empty(ap_request *r, unsigned status)
{
    set(r, status, MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT), 0);
}

void ap_reply_text(ap_request *r, unsigned status, const char *type, char *text, size_t size)
{
    static const char memory[] = "{\"type\":\"about:blank\",\"title\":\"Service "
                                 "Unavailable\",\"status\":503,\"detail\":\"out of memory\"}\n";
    if (text)
        set(r, status, MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE), size);
    else {
        set(r, 503,
            MHD_create_response_from_buffer(sizeof memory - 1, (void *)memory, MHD_RESPMEM_PERSISTENT), 0);
        type = PROBLEM;
    }
    ap_reply_header(r, "Content-Type", type);
}

static void reply_line(ap_request *r, unsigned status, const char *type, char *text)
{
    size_t size = text ? strlen(text) : 0;
    if (text)
        text[size++] = '\n'; /* over the NUL */
    ap_reply_text(r, status, type, text, size);
    ap_reply_header(r, "Cache-Control", "no-store");
}

static void reply_document(ap_request *r, unsigned status, const char *type, cJSON *document)
{
    reply_line(r, status, type, document ? ap_json_print(document, false) : NULL);
    cJSON_Delete(document);
}

void ap_reply_json_text(ap_request *r, unsigned status, char *text)
{
    reply_line(r, status, "application/json", text);
}

void ap_reply_json(ap_request *r, unsigned status, cJSON *document)
{
    reply_document(r, status, "application/json", document);
}

void ap_reply_problem(ap_request *r, unsigned status, const char *field, const char *format, ...)
{
    char detail[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    cJSON *document = cJSON_CreateObject();
    bool ok = document && ap_json_put_text(document, "type", "about:blank") &&
              ap_json_put_text(document, "title", MHD_get_reason_phrase_for(status)) &&
              ap_json_put_number(document, "status", status) &&
              ap_json_put_text(document, "detail", detail) &&
              (!field || ap_json_put_text(document, "field", field));
    if (!ok) {
        cJSON_Delete(document);
        document = NULL;
    }
    reply_document(r, status, PROBLEM, document);
    if (status == 401)
        ap_reply_header(r, "WWW-Authenticate", "Bearer");
    if (status == 503 || status == 429)
        ap_reply_header(r, "Retry-After", "5");
}

/* Where the spool is is nobody's business: paths in a message begin below it. */
static void hide_spool(const ap_request *r, char *message)
{
    const char *spool = r->server->options->work.spool;
    size_t n = strlen(spool);
    for (char *p = message; n > 0 && (p = strstr(p, spool));) {
        size_t more = p[n] == '/';
        memmove(p, p + n + more, strlen(p + n + more) + 1);
    }
}

void ap_reply_error(ap_request *r, const char *field, const ap_error *err)
{
    bool later = err->code == AP_TRY_AGAIN, full = err->number == ENOSPC || err->number == EDQUOT;
    char message[sizeof err->message];
    strcpy(message, err->message);
    hide_spool(r, message);
    ap_reply_problem(r, full ? 507 : later ? 503 : 422, field, "%s", message);
}

void ap_reply_missing(ap_request *r, const char *what)
{
    ap_reply_problem(r, 404, NULL, "there is no such %s", what);
}

/* ---- ranges */

/* Whether the client has it already: then the answer is 304. */
static bool not_modified(ap_request *r, const char *etag)
{
    const char *list = ap_header(r, "If-None-Match");
    if (!list || !etag || !ap_lists_etag(list, etag))
        return false;
    ap_reply_empty(r, 304);
    ap_reply_header(r, "ETag", etag);
    return true;
}

/* Which part of that many bytes is to be sent, and the status for it: 200, 206. Any other: it has answered
 * already. */
static unsigned choose_range(ap_request *r, uint64_t size, const char *etag, uint64_t *first,
                             uint64_t *length)
{
    const char *condition = ap_header(r, "If-Range"), *range = ap_header(r, "Range");
    char text[64];
    if (not_modified(r, etag))
        return 0;
    if (condition && (!etag || strcmp(condition, etag) != 0))
        range = NULL;
    ap_range_kind kind = ap_parse_range(range, size, first, length);
    if (kind != AP_RANGE_BEYOND)
        return kind == AP_RANGE_PART ? 206 : 200;
    ap_reply_problem(r, 416, NULL, "the range begins behind the end");
    snprintf(text, sizeof text, "bytes */%llu", (unsigned long long)size);
    ap_reply_header(r, "Content-Range", text);
    return 0;
}

static void describe(ap_request *r, uint64_t first, uint64_t length, uint64_t size, const char *type,
                     const char *etag)
{
    char text[96];
    snprintf(text, sizeof text, "bytes %llu-%llu/%llu", (unsigned long long)first,
             (unsigned long long)(first + length - 1), (unsigned long long)size);
    if (r->status == 206)
        ap_reply_header(r, "Content-Range", text);
    ap_reply_header(r, "Content-Type", type);
    ap_reply_header(r, "Accept-Ranges", "bytes");
    ap_reply_header(r, "ETag", etag);
}

void ap_reply_file(ap_request *r, int fd, uint64_t size, const char *type, const char *etag)
{
    uint64_t first, length;
    unsigned status = choose_range(r, size, etag, &first, &length);
    if (!status || size == 0) {
        close(fd);
        if (status)
            ap_reply_empty(r, status);
    } else
        set(r, status, MHD_create_response_from_fd_at_offset64(length, fd, first), length);
    if (status)
        describe(r, first, length, size, type, etag);
}

typedef struct made {
    ap_read_at *read;
    void (*done)(void *user);
    void *user;
    uint64_t first;
} made;

static ssize_t read_made(void *cls, uint64_t position, char *to, size_t size)
{
    made *m = cls;
    ptrdiff_t n = m->read(m->user, m->first + position, to, size);
    return n > 0 ? n : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void free_made(void *cls)
{
    made *m = cls;
    m->done(m->user);
    free(m);
}

void ap_reply_made(ap_request *r, ap_read_at *read, void (*done)(void *user), void *user, uint64_t size,
                   const char *type, const char *etag)
{
    uint64_t first, length;
    unsigned status = choose_range(r, size, etag, &first, &length);
    made *m = status ? malloc(sizeof *m) : NULL;
    if (!m) {
        done(user);
        if (status)
            ap_reply_text(r, 503, NULL, NULL, 0);
        return;
    }
    *m = (made){read, done, user, first};
    set(r, status, MHD_create_response_from_callback(length, BLOCK_BYTES, read_made, m, free_made), length);
    describe(r, first, length, size, type, etag);
}

/* ---- what every answer has */

/* A page that may call from elsewhere has to be able to read the answer, and its headers. */
static void add_cors(ap_request *r)
{
    const char *origin = ap_header(r, "Origin"), *origins = r->server->options->origins;
    if (!origins)
        return;
    ap_reply_header(r, "Vary", "Origin");
    if (!origin || !ap_lists_word(origins, origin))
        return;
    ap_reply_header(r, "Access-Control-Allow-Origin", origin);
    ap_reply_header(r, "Access-Control-Expose-Headers",
                    "Location, Upload-Offset, Upload-Length, Upload-Expires, Upload-Metadata, Upload-Concat, "
                    "Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm, ETag, "
                    "Content-Range, Content-Disposition, Retry-After, X-Request-ID");
}

static void add_security(ap_request *r)
{
    const char *origin = r->server->options->store_origin;
    char policy[512];
    snprintf(
        policy, sizeof policy,
        "default-src 'self'; connect-src 'self'%s%s; img-src 'self' data: blob:; media-src 'self' blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        origin ? " " : "", origin ? origin : "");
    if (!MHD_get_response_header(r->response, "Content-Security-Policy"))
        ap_reply_header(r, "Content-Security-Policy", policy);
    ap_reply_header(r, "X-Content-Type-Options", "nosniff");
    ap_reply_header(r, "Referrer-Policy", "no-referrer");
    ap_reply_header(r, "Cross-Origin-Opener-Policy", "same-origin");
    ap_reply_header(r, "Cross-Origin-Resource-Policy",
                    r->server->options->origins ? "cross-origin" : "same-origin");
    if (r->server->options->certificate)
        ap_reply_header(r, "Strict-Transport-Security", "max-age=31536000");
}

enum MHD_Result ap_reply_send(ap_request *r)
{
    if (!r->response)
        ap_reply_problem(r, 500, NULL, "there is no answer");
    if (!r->response)
        return MHD_NO;
    add_cors(r);
    add_security(r);
    ap_reply_header(r, "X-Request-ID", r->trace);
    if (r->route && r->route->flags & AP_TUS)
        ap_reply_header(r, "Tus-Resumable", "1.0.0");
    if (atomic_load(&r->server->stopping))
        ap_reply_header(r, "Connection", "close");
    enum MHD_Result sent = MHD_queue_response(r->connection, r->status, r->response);
    MHD_destroy_response(r->response);
    r->response = NULL;
    return sent;
}
