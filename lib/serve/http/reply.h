/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * reply.h - answers. Each request gets one; a second replaces the first. */
#ifndef AP_SERVE_HTTP_REPLY_H
#define AP_SERVE_HTTP_REPLY_H

#include "serve/http/request.h"

#include <cjson/cJSON.h>

/* An answer without a body. */
void ap_reply_empty(ap_request *r, unsigned status);
/* text is malloc'ed and taken over; NULL: out of memory. */
void ap_reply_text(ap_request *r, unsigned status, const char *type, char *text, size_t size);
/* document is taken over; NULL: out of memory. */
void ap_reply_json(ap_request *r, unsigned status, cJSON *document);
/* The same of a text, malloc'ed, that it takes over; NULL: out of memory. */
void ap_reply_json_text(ap_request *r, unsigned status, char *text);
/* An error (RFC 9457). field: what of the request is to blame, NULL = nothing of it. */
void ap_reply_problem(ap_request *r, unsigned status, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* An error of the library: AP_USAGE and AP_FAILED are 422, AP_TRY_AGAIN is 507 or 503. */
void ap_reply_error(ap_request *r, const char *field, const ap_error *err);
/* What is not there, or is someone else's. */
void ap_reply_missing(ap_request *r, const char *what);
/* All or a part of an open file, which is taken over; etag with its quotes, NULL = none. */
void ap_reply_file(ap_request *r, int fd, uint64_t size, const char *type, const char *etag);
/* The same of bytes that read delivers from any position; it takes user over, and frees it with done. */
typedef ptrdiff_t ap_read_at(void *user, uint64_t position, char *to, size_t size);
void ap_reply_made(ap_request *r, ap_read_at *read, void (*done)(void *user), void *user, uint64_t size,
                   const char *type, const char *etag);
/* Adds to the answer that is there. value NULL: nothing. */
void ap_reply_header(ap_request *r, const char *name, const char *value);

/* Puts what every answer has into it, and hands it over. */
enum MHD_Result ap_reply_send(ap_request *r);

#endif
