/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * request.h - a request, from its headers to the end of its answer, and the table of routes.
 *
 * A handler runs when the whole request is there, in a thread of the HTTP library or, if its route is SLOW,
 * in one of the server's. It has to leave an answer (reply.h). */
#ifndef AP_SERVE_HTTP_REQUEST_H
#define AP_SERVE_HTTP_REQUEST_H

#include "serve/who/keys.h"
#include "serve/who/parse.h"

#include <microhttpd.h>
#include <stddef.h>

#define AP_PART_BYTES 1024  /* of a path */
#define AP_JSON_BYTES 65536 /* the largest body of JSON */

typedef struct ap_server ap_server;
typedef struct ap_request ap_request;
typedef void ap_handler(ap_request *r);

typedef enum ap_route_flags {
    AP_OPEN = 1, /* nobody has to sign in */
    AP_SLOW = 2, /* uses the disk much: not in the HTTP library's threads */
    AP_JSON = 4, /* the body is collected in r->body */
    AP_TUS = 8,  /* limits are told as tus clients understand them, and answers carry Tus-Resumable */
    AP_ADMIN = 16,
    AP_SIGNED = 32, /* a signed URL does instead of a token */
    AP_COMPAT = 64, /* is there only with --compat */
} ap_route_flags;

typedef struct ap_route {
    const char *method, *path; /* "/v1/jobs/{id}"; HEAD is GET where it is not a route of its own */
    ap_handler *handle;
    unsigned flags;
    /* For bodies that are not collected. begin sees the headers, and may answer: then the body is not read.
     * take gets the body in pieces; what goes wrong is kept for handle. drop is called at the end of every
     * request that begin was called for, also if handle was not. */
    ap_handler *begin;
    void (*take)(ap_request *r, const char *bytes, size_t size);
    ap_handler *drop;
} ap_route;

struct ap_request {
    ap_server *server;
    struct MHD_Connection *connection;
    struct ap_peer *peer;
    const ap_route *route; /* NULL: there is none */
    char *url;
    char id[AP_PART_BYTES], name[AP_PART_BYTES]; /* the parts of the path in braces */
    char trace[40];                              /* X-Request-ID */
    char address[64];                            /* of the client */
    ap_person person;                            /* owner "": nobody */
    bool by_cookie, begun, ran;
    double started_s;
    uint64_t received;
    char *body; /* of a route with AP_JSON */
    size_t body_size, body_room;
    void *state;  /* the route's */
    char job[64]; /* for the log */
    /* The answer. */
    struct MHD_Response *response;
    unsigned status;
    uint64_t sent;
};

extern const ap_route ap_routes[]; /* method NULL at the end */
size_t ap_route_count(void);

/* A header, or a parameter of the query; NULL if it is not there. */
const char *ap_header(const ap_request *r, const char *name);
const char *ap_query(const ap_request *r, const char *name);
/* "https://host:port", without a slash at the end, malloc'ed: what the client sees of us. */
char *ap_base_url(const ap_request *r);
/* Whether r may see what belongs to owner. */
bool ap_may_see(const ap_request *r, const char *owner);
/* Bytes of the body that the headers announce; AP_UNKNOWN if it comes in chunks. */
uint64_t ap_body_announced(const ap_request *r);

#endif
