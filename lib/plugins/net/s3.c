/* SPDX-License-Identifier: GPL-3.0-or-later
 * s3.c - requests to an object store other than for contents: listings, links, settings of buckets. */
#include "base/error.h"
#include "base/text.h"
#include "plugins/net/client.h"
#include "plugins/net/net.h"
#include "plugins/net/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_EXPIRES_S 604800 /* a week, as S3 */

static bool succeeded(const ap_response *r)
{
    return r->status >= 200 && r->status < 300;
}

static bool only_s3(ap_target *t, const char *url, bool need_key, ap_error *err)
{
    if (!ap_target_parse(t, url, need_key, err))
        return false;
    if (t->s3)
        return true;
    ap_fail(err, AP_USAGE, "'%s' is not the name of an object: s3://BUCKET/KEY", t->name);
    ap_target_free(t);
    return false;
}

/* Runs one request. response and body (to be freed) are the caller's; false also for a refusal. */
static bool run(ap_request *q, const char *verb, ap_response *response, ap_bytes *body, ap_error *err)
{
    ap_client *client = ap_client_new(err);
    bool ok = client && ap_client_run(client, q, response, body, err);
    ap_client_free(client);
    return ok && (succeeded(response) || ap_client_refused(q->target, verb, response, body, err));
}

bool ap_net_put(const char *url, const void *bytes, size_t size, const char *type, bool only_new, bool *there,
                ap_error *err)
{
    ap_target t;
    ap_response r = {0};
    ap_bytes body = {0};
    if (!only_s3(&t, url, true, err))
        return false;
    ap_request q = {.target = &t, .method = "PUT", .body = bytes, .body_size = size};
    if (type)
        q.headers[q.header_count++] = (ap_sigv4_pair){"content-type", type};
    if (only_new)
        q.headers[q.header_count++] = (ap_sigv4_pair){"if-none-match", "*"};
    bool ok = run(&q, "write", &r, &body, err);
    if (there)
        *there = r.status == 412 || r.status == 409;
    free(body.data);
    ap_target_free(&t);
    return ok;
}

/* Without the quotes, whatever they are written as. */
static void copy_etag(char *to, size_t room, const char *etag)
{
    size_t n = strlen(etag);
    bool quoted = n >= 2 && etag[0] == '"' && etag[n - 1] == '"';
    snprintf(to, room, "%.*s", (int)(quoted ? n - 2 : n), quoted ? etag + 1 : etag);
}

bool ap_net_head(const char *url, ap_net_object *object, ap_error *err)
{
    ap_target t;
    ap_response r;
    if (!ap_target_parse(&t, url, true, err))
        return false;
    ap_request q = {.target = &t, .method = "HEAD"};
    bool ok = run(&q, "look at", &r, NULL, err);
    if (ok) {
        *object = (ap_net_object){.bytes = r.length};
        copy_etag(object->etag, sizeof object->etag, r.etag);
        memcpy(object->modified, r.modified, sizeof object->modified);
        memcpy(object->type, r.type, sizeof object->type);
    }
    ap_target_free(&t);
    return ok;
}

bool ap_net_remove(const char *url, ap_error *err)
{
    ap_target t;
    ap_response r;
    ap_bytes body = {0};
    if (!only_s3(&t, url, true, err))
        return false;
    ap_request q = {.target = &t, .method = "DELETE"};
    bool ok = run(&q, "remove", &r, &body, err);
    free(body.data);
    ap_target_free(&t);
    return ok;
}

/* ---- listing */

static void copy_text(char *to, size_t room, char *text)
{
    snprintf(to, room, "%s", text ? text : "");
    free(text);
}

static bool visit_page(ap_xml page, ap_net_visit *visit, void *user, ap_error *err)
{
    ap_xml item;
    bool ok = true;
    while (ok && ap_xml_next(&page, "Contents", &item)) {
        char etag[96], *key = ap_xml_text(item, "Key"), *size = ap_xml_text(item, "Size");
        ap_net_object o = {.key = key, .bytes = size ? strtoull(size, NULL, 10) : AP_UNKNOWN};
        copy_text(etag, sizeof etag, ap_xml_text(item, "ETag"));
        copy_etag(o.etag, sizeof o.etag, etag);
        copy_text(o.modified, sizeof o.modified, ap_xml_text(item, "LastModified"));
        ok = key ? visit(user, &o, err) : ap_fail(err, AP_FAILED, "a listing has an object without a key");
        free(key);
        free(size);
    }
    return ok;
}

/* A request for a page; the bucket is asked, the key is the prefix. */
static ap_request page_request(const ap_target *t, const char *prefix, const char *start_after,
                               const char *token)
{
    ap_request q = {
        .target = t, .method = "GET", .query = {{"list-type", "2"}, {"prefix", prefix}}, .query_count = 2};
    if (token)
        q.query[q.query_count++] = (ap_sigv4_pair){"continuation-token", token};
    else if (start_after)
        q.query[q.query_count++] = (ap_sigv4_pair){"start-after", start_after};
    return q;
}

/* The URL of the bucket alone. */
static bool parse_bucket(ap_target *t, const char *url, char **prefix, ap_error *err)
{
    const char *rest = strstr(url, "://");
    const char *slash = rest ? strchr(rest + 3, '/') : NULL;
    char *bucket = strndup(url, slash ? (size_t)(slash - url) : strlen(url));
    bool ok = bucket ? only_s3(t, bucket, false, err) : ap_fail_memory(err);
    if (ok && prefix && !(*prefix = strdup(slash ? slash + 1 : ""))) {
        ap_target_free(t);
        ok = ap_fail_memory(err);
    }
    free(bucket);
    return ok;
}

bool ap_net_list(const char *url, const char *start_after, ap_net_visit *visit, void *user, ap_error *err)
{
    ap_target t;
    char *prefix = NULL, *token = NULL;
    if (!parse_bucket(&t, url, &prefix, err))
        return false;
    bool ok, more = true;
    do {
        ap_response r;
        ap_bytes body = {0};
        ap_request q = page_request(&t, prefix, start_after, token);
        ok = run(&q, "list", &r, &body, err);
        ap_xml page = {(char *)body.data, ok ? body.size : 0};
        ok = ok && visit_page(page, visit, user, err);
        free(token);
        token = ok ? ap_xml_text(page, "NextContinuationToken") : NULL;
        more = token && *token;
        free(body.data);
    } while (ok && more);
    free(token);
    free(prefix);
    ap_target_free(&t);
    return ok;
}

/* ---- links */

static bool check_presign(const ap_target *t, const ap_net_presign *what, ap_error *err)
{
    if (!t->account.access_key)
        return ap_fail(err, AP_FAILED,
                       "there are no credentials to sign '%s' with: set AWS_ACCESS_KEY_ID and "
                       "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
                       t->name);
    return ap_check_range("expiry", what->expires_s, 1, MAX_EXPIRES_S, err);
}

char *ap_net_presign_url(const char *url, const ap_net_presign *what, ap_error *err)
{
    ap_target t;
    char length[24], *url_made = NULL, *query = NULL, *disposition = NULL;
    struct tm now;
    time_t seconds = time(NULL);
    if (!only_s3(&t, url, true, err))
        return NULL;
    if (!check_presign(&t, what, err)) {
        ap_target_free(&t);
        return NULL;
    }
    const ap_account *a = &t.account;
    ap_sigv4_request r = {.method = what->method,
                          .host = t.host,
                          .path = t.path,
                          .payload = "UNSIGNED-PAYLOAD",
                          .region = a->region,
                          .access_key = a->access_key,
                          .secret_key = a->secret_key,
                          .token = a->token};
    strftime(r.time, sizeof r.time, "%Y%m%dT%H%M%SZ", gmtime_r(&seconds, &now));
    snprintf(length, sizeof length, "%llu", (unsigned long long)what->bytes);
    if (what->bytes != AP_UNKNOWN)
        r.headers[r.header_count++] = (ap_sigv4_pair){"content-length", length};
    if (what->type)
        r.headers[r.header_count++] = (ap_sigv4_pair){"content-type", what->type};
    char *name = what->filename ? ap_sigv4_encode(what->filename, false) : NULL;
    if (name && (disposition = ap_print("attachment; filename*=UTF-8''%s", name))) /* RFC 6266 */
        r.query[r.query_count++] = (ap_sigv4_pair){"response-content-disposition", disposition};
    if ((!what->filename || disposition) && (query = ap_sigv4_presign(&r, what->expires_s)))
        url_made = ap_print("%s%s?%s", t.base, t.path, query);
    if (!url_made)
        ap_fail_memory(err);
    free(name);
    free(disposition);
    free(query);
    ap_target_free(&t);
    return url_made;
}

/* ---- settings of buckets */

char *ap_net_get_setting(const char *url, const char *name, ap_error *err)
{
    ap_target t;
    ap_response r;
    ap_bytes body = {0};
    if (!parse_bucket(&t, url, NULL, err))
        return NULL;
    ap_request q = {.target = &t, .method = "GET", .query = {{name, ""}}, .query_count = 1};
    bool ok = run(&q, "read the settings of", &r, &body, err);
    ap_bytes_zeros(&body, 1);
    ap_target_free(&t);
    if (ok && !body.failed)
        return (char *)body.data;
    free(body.data);
    return NULL;
}

bool ap_net_put_setting(const char *url, const char *name, const char *text, ap_error *err)
{
    ap_target t;
    ap_response r;
    ap_bytes body = {0};
    if (!parse_bucket(&t, url, NULL, err))
        return false;
    ap_request q = {.target = &t,
                    .method = "PUT",
                    .query = {{name, ""}},
                    .query_count = 1,
                    .headers = {{"content-type", "application/xml"}},
                    .header_count = 1,
                    .body = text,
                    .body_size = strlen(text)};
    bool ok = run(&q, "change the settings of", &r, &body, err);
    free(body.data);
    ap_target_free(&t);
    return ok;
}
