/* SPDX-License-Identifier: GPL-3.0-or-later
 * guard.c - what is checked of every request before anything else. */
#include "serve/http/guard.h"
#include "base/text.h"
#include "jobs/record/clock.h"
#include "serve/http/reply.h"
#include "serve/http/sign.h"
#include "serve/http/state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- framing */

typedef struct framing {
    int lengths, codings, hosts;
    bool odd; /* a coding that is not chunked, a length that is no number */
} framing;

static enum MHD_Result see_header(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
    framing *f = cls;
    uint64_t number;
    (void)kind;
    if (strcasecmp(key, "Content-Length") == 0) {
        f->lengths++;
        f->odd = f->odd || !value || !ap_parse_number(value, &number);
    } else if (strcasecmp(key, "Transfer-Encoding") == 0) {
        f->codings++;
        f->odd = f->odd || !value || strcasecmp(value, "chunked") != 0;
    } else if (strcasecmp(key, "Host") == 0)
        f->hosts++;
    for (const char *p = value; p && *p; p++)
        f->odd = f->odd || (ap_is_control(*p) && *p != '\t');
    f->odd = f->odd || key[strcspn(key, " \t")];
    return MHD_YES;
}

typedef struct parameters {
    const char *keys[32];
    size_t count;
    const char *twice;
} parameters;

static enum MHD_Result see_parameter(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
    parameters *p = cls;
    (void)kind;
    (void)value;
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->keys[i], key) == 0)
            p->twice = key;
    if (p->count == sizeof p->keys / sizeof *p->keys)
        p->twice = key;
    else
        p->keys[p->count++] = key;
    return MHD_YES;
}

bool ap_guard_framing(ap_request *r)
{
    framing f = {0};
    parameters p = {.count = 0};
    MHD_get_connection_values(r->connection, MHD_HEADER_KIND, see_header, &f);
    if (f.lengths > 1 || f.codings > 1 || f.hosts > 1 || (f.lengths && f.codings) || f.odd) {
        ap_reply_problem(r, 400, NULL, "the headers are ambiguous");
        ap_reply_header(r, "Connection", "close");
        return false;
    }
    MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, see_parameter, &p);
    if (!p.twice)
        return true;
    ap_reply_problem(r, 400, p.twice, "a parameter is given twice, or there are too many");
    return false;
}

/* ---- who asks */

static bool changes_something(const ap_request *r)
{
    return strcmp(r->route->method, "GET") != 0 && strcmp(r->route->method, "HEAD") != 0;
}

/* Our own page, or one of those that may call. */
static bool origin_is_known(const ap_request *r, const char *origin)
{
    char *base = ap_base_url(r);
    size_t n = strlen(origin);
    bool known = base && strncmp(base, origin, n) == 0 && (base[n] == 0 || base[n] == '/');
    free(base);
    return known || (r->server->options->origins && ap_lists_word(r->server->options->origins, origin));
}

/* Without signing in, requests have to name this host: a site whose name was made to lead here (DNS
 * rebinding) is refused. */
static bool host_is_here(const ap_request *r)
{
    const char *host = ap_header(r, "Host");
    char name[64];
    if (!host || r->server->options->public_url)
        return true;
    size_t n = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    return snprintf(name, sizeof name, "%.*s", (int)n, host) < (int)sizeof name && ap_is_local_host(name);
}

/* Takes one of the requests that name may make; answers if there is none left. */
static bool take_one(ap_request *r, const char *name)
{
    double wait_s;
    char text[32];
    if (ap_buckets_take(&r->server->buckets, name, ap_monotonic_s(), &wait_s))
        return true;
    bool tus = r->route->flags & AP_TUS, head = strcmp(r->route->method, "HEAD") == 0;
    ap_reply_problem(r, !tus ? 429 : head ? 423 : 503, NULL, "too many requests");
    snprintf(text, sizeof text, "%.0f", fmax(1, ceil(wait_s)));
    MHD_del_response_header(r->response, "Retry-After", "5");
    ap_reply_header(r, "Retry-After", text);
    return false;
}

bool ap_guard_token(ap_request *r, const char *token, ap_person *person)
{
    ap_jwt *jwt = r->server->jwt;
    ap_error err;
    if (!jwt || !ap_is_jwt(token))
        return ap_keys_find(&r->server->tokens, token, person);
    /* checking a signature is work: an address may ask for it so often */
    return ap_jwt_known(jwt, token, person) ||
           (take_one(r, r->address) && ap_jwt_check(jwt, token, person, &err));
}

static bool find_person(ap_request *r)
{
    const char *header = ap_header(r, "Authorization");
    const char *cookie = MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, AP_COOKIE);
    if (r->route->flags & AP_SIGNED && ap_query(r, "signature"))
        return ap_is_signed(r, r->route->method, r->person.owner);
    if (header && strncasecmp(header, "Bearer ", 7) == 0)
        return ap_guard_token(r, header + 7 + strspn(header + 7, " "), &r->person);
    if (cookie && ap_keys_find(&r->server->sessions, cookie, &r->person))
        return r->by_cookie = true;
    if (!r->server->options->open || header)
        return false;
    strcpy(r->person.owner, r->server->user);
    return r->person.admin = r->by_cookie = true;
}

bool ap_guard_person(ap_request *r)
{
    const char *origin = ap_header(r, "Origin");
    bool open = r->route->flags & AP_OPEN;
    if (r->server->options->open && !host_is_here(r)) {
        ap_reply_problem(r, 421, NULL, "the name of this host is not known here");
        return false;
    }
    bool known = find_person(r);
    /* A browser sends cookies for any page that asks; Origin says which page it was. */
    bool from_page = r->by_cookie || (origin && open);
    bool silent = !origin && r->by_cookie && !r->server->options->open;
    if (from_page && changes_something(r) && (silent || (origin && !origin_is_known(r, origin)))) {
        ap_reply_problem(r, 403, NULL, "this has to come from the page itself");
        return false;
    }
    if (r->response)
        return false;
    if (!known && !open && take_one(r, r->address)) /* also limits whoever guesses tokens */
        ap_reply_problem(r, 401, NULL, "a token is needed: ap-serve token add NAME");
    else if (known && r->route->flags & AP_ADMIN && !r->person.admin)
        ap_reply_problem(r, 403, NULL, "this is for administrators");
    else if (r->person.machine && !open)
        ap_reply_problem(r, 403, NULL, MACHINES_ONLY);
    return !r->response;
}

/* ---- how often */

bool ap_guard_rate(ap_request *r)
{
    return take_one(r, *r->person.owner ? r->person.owner : r->address);
}
