/* SPDX-License-Identifier: GPL-3.0-or-later
 * answer.c - a request, from its headers to the end of its answer. */
#include "serve/http/answer.h"
#include "base/text.h"
#include "jobs/record/clock.h"
#include "serve/http/guard.h"
#include "serve/http/log.h"
#include "serve/http/metrics.h"
#include "serve/http/reply.h"
#include "serve/http/state.h"
#include "serve/kept/peer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- the start */

static void find_address(ap_request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const char *forwarded = r->server->options->trust_proxy ? ap_header(r, "X-Forwarded-For") : NULL;
    const struct sockaddr *from = info ? info->client_addr : NULL;
    if (forwarded) { /* the last is the one that the proxy has seen itself */
        const char *comma = strrchr(forwarded, ',');
        forwarded = comma ? comma + 1 : forwarded;
        snprintf(r->address, sizeof r->address, "%s", forwarded + strspn(forwarded, " "));
        ap_text_one_line(r->address);
    } else if (from && from->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)from)->sin_addr, r->address, sizeof r->address);
    else if (from && from->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)from)->sin6_addr, r->address, sizeof r->address);
    else
        strcpy(r->address, "local");
}

/* The client's own, if it is harmless. */
static void find_trace(ap_request *r)
{
    const char *given = ap_header(r, "X-Request-ID");
    if (given && strlen(given) < sizeof r->trace && *given &&
        strspn(given, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == strlen(given))
        strcpy(r->trace, given);
    else
        ap_random_hex(r->trace);
}

static ap_request *new_request(ap_server *server, struct MHD_Connection *connection, const char *url)
{
    ap_request *r = calloc(1, sizeof *r);
    if (!r || !(r->url = strdup(url))) {
        free(r);
        return NULL;
    }
    r->server = server;
    r->connection = connection;
    r->peer = ap_peer_of(connection);
    r->started_s = ap_monotonic_s();
    find_address(r);
    find_trace(r);
    return r;
}

/* The route of a path and a method. known: whether the path is one; allow: its methods. */
static const ap_route *find_route(ap_request *r, const char *method, bool *known, char allow[128])
{
    *known = false;
    *allow = 0;
    const ap_route *got = NULL;
    for (const ap_route *route = ap_routes; route->method; route++) {
        if (route->flags & AP_COMPAT && !r->server->options->compat)
            continue;
        if (!ap_match_path(route->path, r->url, r->id, r->name, AP_PART_BYTES))
            continue;
        *known = true;
        bool get = strcmp(route->method, "GET") == 0, head = strcmp(method, "HEAD") == 0;
        if (strcmp(route->method, method) == 0)
            return route;
        if (get && head && !got)
            got = route;
        strcat(strcat(allow, *allow ? ", " : ""), route->method);
        if (get)
            strcat(allow, ", HEAD");
    }
    if (got)
        ap_match_path(got->path, r->url, r->id, r->name, AP_PART_BYTES);
    return got;
}

/* OPTIONS, from browsers before they let a page call from elsewhere, and from tus clients. */
static void answer_options(ap_request *r, const char *allow)
{
    char most[32];
    ap_reply_empty(r, 204);
    ap_reply_header(r, "Allow", allow);
    ap_reply_header(r, "Access-Control-Allow-Methods", allow);
    ap_reply_header(r, "Access-Control-Allow-Headers",
                    "Authorization, Content-Type, Tus-Resumable, Upload-Length, Upload-Metadata, "
                    "Upload-Offset, Upload-Checksum, Upload-Concat, X-Request-ID, Idempotency-Key, "
                    "Last-Event-ID, Range, If-Range, If-None-Match");
    ap_reply_header(r, "Access-Control-Max-Age", "600");
    if (strncmp(r->url, "/v1/files", 9) != 0)
        return;
    snprintf(most, sizeof most, "%.0f", r->server->options->max_bytes);
    ap_reply_header(r, "Tus-Resumable", "1.0.0");
    ap_reply_header(r, "Tus-Version", "1.0.0");
    ap_reply_header(r, "Tus-Max-Size", most);
    ap_reply_header(r, "Tus-Extension",
                    "creation,creation-with-upload,expiration,termination,checksum,concatenation");
    ap_reply_header(r, "Tus-Checksum-Algorithm", "sha1,sha256,md5");
}

/* Chooses the route, or answers: 404, 405, OPTIONS. */
static bool choose_route(ap_request *r, const char *method)
{
    bool known;
    char allow[160];
    r->route = find_route(r, method, &known, allow);
    if (r->route)
        return true;
    if (!known)
        ap_reply_missing(r, "path");
    else {
        strcat(allow, ", OPTIONS");
        if (strcmp(method, "OPTIONS") == 0)
            answer_options(r, allow);
        else {
            ap_reply_problem(r, 405, NULL, "%s is not for this path", method);
            ap_reply_header(r, "Allow", allow);
        }
    }
    return false;
}

/* A body where none is expected is read and dropped, if it is small. */
static bool check_body(ap_request *r)
{
    uint64_t announced = ap_body_announced(r);
    if (r->route->take || announced <= AP_JSON_BYTES || announced == AP_UNKNOWN)
        return true;
    ap_reply_problem(r, 413, NULL, "the body is larger than %d bytes", AP_JSON_BYTES);
    return false;
}

static void start(ap_request *r, const char *method)
{
    if (!ap_guard_framing(r) || !choose_route(r, method) || !ap_guard_person(r) || !ap_guard_rate(r) ||
        !check_body(r))
        return;
    if (r->route->begin) {
        r->begun = true;
        r->route->begin(r);
    }
}

/* ---- the body */

static bool collect(ap_request *r, const char *data, size_t size)
{
    if (r->body_size + size > AP_JSON_BYTES)
        return false;
    if (r->body_size + size + 1 > r->body_room) {
        size_t room = 2 * (r->body_size + size) + 1;
        char *more = realloc(r->body, room);
        if (!more)
            return false;
        r->body = more;
        r->body_room = room;
    }
    memcpy(r->body + r->body_size, data, size);
    r->body_size += size;
    r->body[r->body_size] = 0;
    return true;
}

static enum MHD_Result receive(ap_request *r, const char *data, size_t *size)
{
    size_t n = *size;
    *size = 0;
    r->received += n;
    ap_peer_received(r->peer, n);
    if (r->route && r->route->take && r->state)
        r->route->take(r, data, n);
    else if (r->route && r->route->flags & AP_JSON)
        return collect(r, data, n) ? MHD_YES : MHD_NO;
    else if (r->received > AP_JSON_BYTES)
        return MHD_NO;
    return MHD_YES;
}

/* ---- the answer */

static void run_slow(void *user)
{
    ap_request *r = user;
    r->route->handle(r);
    MHD_resume_connection(r->connection);
}

static enum MHD_Result run(ap_request *r)
{
    r->ran = true;
    ap_peer_served(r->peer);
    if (!(r->route->flags & AP_SLOW)) {
        r->route->handle(r);
        return ap_reply_send(r);
    }
    MHD_suspend_connection(r->connection);
    if (!ap_tasks_add(r->server->tasks, run_slow, r)) {
        ap_reply_text(r, 503, NULL, NULL, 0);
        MHD_resume_connection(r->connection);
    }
    return MHD_YES;
}

enum MHD_Result ap_answer(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                          const char *version, const char *data, size_t *size, void **request)
{
    ap_request *r = *request;
    (void)version;
    if (!r) {
        if (!(*request = r = new_request(cls, connection, url)))
            return MHD_NO;
        start(r, method);
        ap_peer_body(r->peer);
        return r->response ? ap_reply_send(r) : MHD_YES;
    }
    if (*size)
        return receive(r, data, size);
    return r->ran ? ap_reply_send(r) : run(r);
}

void ap_completed(void *cls, struct MHD_Connection *connection, void **request,
                  enum MHD_RequestTerminationCode why)
{
    ap_request *r = *request;
    ap_server *server = cls;
    (void)connection;
    if (!r)
        return;
    if (r->begun && r->route->drop)
        r->route->drop(r);
    ap_metrics_count(&server->metrics, r);
    ap_log_request(r, why == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    ap_peer_idle(r->peer);
    if (r->response)
        MHD_destroy_response(r->response);
    free(r->url);
    free(r->body);
    free(r);
    *request = NULL;
}
