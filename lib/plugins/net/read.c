/* SPDX-License-Identifier: GPL-3.0-or-later
 * read.c - objects as streams of bytes that survive broken connections. */
#include "base/error.h"
#include "plugins/net/client.h"
#include "plugins/net/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEAR ((uint64_t)256 << 10) /* bytes: what is skipped by reading */

struct ap_net_reader {
    ap_target target;
    ap_client *client;
    char etag[96], modified[40];
    uint64_t size, position;
    uint64_t to_skip; /* bytes that a server without ranges sends again */
    bool started, s3;
    unsigned attempts; /* without a byte in between */
};

void ap_net_close(ap_net_reader *r)
{
    if (!r)
        return;
    ap_client_free(r->client);
    ap_target_free(&r->target);
    free(r);
}

/* The headers of a further request: for the rest, of the same object. */
static void ask_for_rest(const ap_net_reader *r, ap_request *q, char range[48])
{
    snprintf(range, 48, "bytes=%llu-", (unsigned long long)r->position);
    q->headers[q->header_count++] = (ap_sigv4_pair){"range", range};
    if (*r->etag && strncmp(r->etag, "W/", 2) != 0)
        q->headers[q->header_count++] = (ap_sigv4_pair){"if-match", r->etag};
    else if (*r->modified)
        q->headers[q->header_count++] = (ap_sigv4_pair){"if-unmodified-since", r->modified};
}

/* The text of a refusal, for its reason. */
static void read_refusal(ap_net_reader *r, ap_bytes *body)
{
    char block[4096];
    for (ptrdiff_t n; body->size < 65536 && (n = ap_client_read(r->client, block, sizeof block, NULL)) > 0;)
        ap_bytes_add(body, block, (size_t)n);
}

static bool refused(ap_net_reader *r, const ap_response *a, ap_error *err)
{
    ap_bytes body = {0};
    if (a->status == 412)
        return ap_fail(err, AP_FAILED, "'%s' was replaced while it was read", r->target.name);
    read_refusal(r, &body);
    ap_client_refused(&r->target, "read", a, &body, err);
    free(body.data);
    return false;
}

static bool check_answer(ap_net_reader *r, const ap_response *a, ap_error *err)
{
    const bool first = !r->started;
    if (a->status != 200 && a->status != 206)
        return refused(r, a, err);
    if (!first && strcmp(a->etag, r->etag) != 0)
        return ap_fail(err, AP_FAILED, "'%s' was replaced while it was read", r->target.name);
    const uint64_t start = a->range_start == AP_UNKNOWN ? 0 : a->range_start;
    if (start > r->position)
        return ap_fail(err, AP_FAILED, "the server of '%s' sends another part than it was asked for",
                       r->target.name);
    r->to_skip = r->position - start;
    if (first) {
        memcpy(r->etag, a->etag, sizeof r->etag);
        memcpy(r->modified, a->modified, sizeof r->modified);
        r->size = a->length;
        r->started = true;
    }
    return true;
}

/* Sends the request for what comes from the position on. */
static bool connect_once(ap_net_reader *r, ap_response *answer, ap_error *err)
{
    char range[48];
    ap_request q = {.target = &r->target, .method = "GET"};
    if (r->started)
        ask_for_rest(r, &q, range);
    return ap_client_start(r->client, &q, answer, err) && check_answer(r, answer, err);
}

static bool connect_server(ap_net_reader *r, ap_response *answer, ap_error *err)
{
    ap_error why = {0};
    while (!connect_once(r, answer, &why)) {
        ap_client_stop(r->client);
        if (why.code != AP_TRY_AGAIN || ++r->attempts >= AP_CLIENT_ATTEMPTS) {
            if (err)
                *err = why;
            return false;
        }
        if (!ap_client_pause(r->attempts, err))
            return false;
    }
    return true;
}

ap_net_reader *ap_net_open(const char *url, uint64_t *size, bool *seekable, ap_error *err)
{
    ap_response answer;
    ap_net_reader *r = calloc(1, sizeof *r);
    if (!r) {
        ap_fail_memory(err);
        return NULL;
    }
    if (!ap_target_parse(&r->target, url, true, err) || !(r->client = ap_client_new(err)) ||
        !connect_server(r, &answer, err)) {
        ap_net_close(r);
        return NULL;
    }
    *size = r->size;
    *seekable = r->size != AP_UNKNOWN && (answer.ranges || r->target.s3);
    return r;
}

/* Reads past what the server sent again. */
static bool skip(ap_net_reader *r, ap_error *err)
{
    char block[16384];
    while (r->to_skip) {
        ptrdiff_t n = ap_client_read(r->client, block,
                                     r->to_skip < sizeof block ? (size_t)r->to_skip : sizeof block, err);
        if (n < 0)
            return false;
        if (n == 0)
            return ap_fail(err, AP_FAILED, "'%s' became shorter while it was read", r->target.name);
        r->to_skip -= (uint64_t)n;
    }
    return true;
}

ptrdiff_t ap_net_read(ap_net_reader *r, void *buffer, size_t size, ap_error *err)
{
    for (;;) {
        ap_error why = {0};
        ap_response answer;
        if (r->size != AP_UNKNOWN && r->position >= r->size)
            return 0;
        ptrdiff_t n = skip(r, &why) ? ap_client_read(r->client, buffer, size, &why) : -1;
        if (n > 0) {
            r->position += (uint64_t)n;
            r->attempts = 0;
            return n;
        }
        if (n == 0 && r->size == AP_UNKNOWN)
            return 0;
        if (n < 0 && why.code != AP_TRY_AGAIN) {
            if (err)
                *err = why;
            return -1;
        }
        ap_client_stop(r->client);
        if (++r->attempts >= AP_CLIENT_ATTEMPTS) {
            ap_fail(err, AP_TRY_AGAIN, "cannot read '%s': %s", r->target.name,
                    n ? why.message : "it ends too early");
            return -1;
        }
        if (!ap_client_pause(r->attempts, err) || !connect_server(r, &answer, err))
            return -1;
    }
}

bool ap_net_seek(ap_net_reader *r, uint64_t position, ap_error *err)
{
    ap_response answer;
    if (position >= r->position && position - r->position <= NEAR && r->to_skip == 0) {
        r->to_skip = position - r->position;
        r->position = position;
        return true;
    }
    ap_client_stop(r->client);
    r->position = position;
    r->to_skip = 0;
    return (r->size != AP_UNKNOWN && position >= r->size) || connect_server(r, &answer, err);
}

bool ap_net_fetch_once(const char *url, size_t most, ap_bytes *body, ap_error *err)
{
    char block[16384];
    ap_response answer;
    ap_net_reader r = {.position = 0};
    const ap_request q = {.target = &r.target, .method = "GET", .here = true};
    bool ok = ap_target_parse(&r.target, url, true, err) &&
              (!r.target.s3 || ap_fail(err, AP_FAILED, "'%s' is not on a server", url)) &&
              (r.client = ap_client_new(err)) && ap_client_start(r.client, &q, &answer, err);
    if (ok && answer.status != 200)
        ok = refused(&r, &answer, err);
    ptrdiff_t n = 0;
    while (ok && (n = ap_client_read(r.client, block, sizeof block, err)) > 0) {
        if (body->size + (size_t)n > most)
            ok = ap_fail(err, AP_FAILED, "'%s' is larger than %zu bytes", r.target.name, most);
        else
            ap_bytes_add(body, block, (size_t)n);
    }
    if (ok && body->failed)
        ok = ap_fail_memory(err);
    ap_client_free(r.client);
    ap_target_free(&r.target);
    return ok && n == 0;
}
