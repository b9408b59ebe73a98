/* SPDX-License-Identifier: GPL-3.0-or-later
 * target.c - names of objects. */
#include "plugins/net/target.h"
#include "base/error.h"
#include "base/net.h"
#include "base/text.h"
#include "plugins/net/sigv4.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_URL 8192 /* bytes; keys of S3 have 1024 at most */
#define MAX_S3_KEY 1024

/* Names of buckets as S3 knows them, older ones too, so that nothing else gets into the host's name. */
static bool is_bucket(const char *name)
{
    size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_");
    return n >= 3 && n <= 255 && !name[n];
}

/* Of "host:port": without a port that is the usual one, which libcurl does not send. malloc'ed. */
static char *host_of(const char *endpoint, const char *host, size_t length)
{
    const char *usual = strncmp(endpoint, "https:", 6) == 0 ? ":443" : ":80";
    const size_t n = strlen(usual);
    if (length > n && memcmp(host + length - n, usual, n) == 0)
        length -= n;
    return strndup(host, length);
}

/* Host and scheme of a store for a bucket; a name with dots would not fit the certificate of
 * *.s3.amazonaws.com. The endpoint may have a path of its own: https://host/storage/v1/s3. */
static bool place_bucket(ap_target *t)
{
    const ap_account *a = &t->account;
    const bool in_path = a->path_style || strchr(t->bucket, '.');
    const char *slashes = a->endpoint ? strstr(a->endpoint, "://") : NULL;
    const char *folder = slashes ? strchrnul(slashes + 3, '/') : "";
    char *key = ap_sigv4_encode(t->key, true);
    char *host = slashes ? host_of(a->endpoint, slashes + 3, (size_t)(folder - slashes - 3))
                         : ap_print("s3.%s.amazonaws.com", a->region);
    if (host && key) {
        t->host = in_path ? strdup(host) : ap_print("%s.%s", t->bucket, host);
        t->path = in_path ? ap_print("%s/%s/%s", folder, t->bucket, key) : ap_print("%s/%s", folder, key);
    }
    if (t->host)
        t->base = ap_print("%.*s%s", slashes ? (int)(slashes + 3 - a->endpoint) : 8,
                           slashes ? a->endpoint : "https://", t->host);
    free(key);
    free(host);
    return t->base && t->path;
}

static bool parse_s3(ap_target *t, const char *url, bool need_key, ap_error *err)
{
    const char *rest = url + strlen("s3://"), *slash = strchrnul(rest, '/');
    t->s3 = true;
    t->bucket = strndup(rest, (size_t)(slash - rest));
    t->key = strdup(*slash ? slash + 1 : "");
    if (!t->bucket || !t->key)
        return ap_fail_memory(err);
    if (!is_bucket(t->bucket))
        return ap_fail(err, AP_USAGE, "'%s' does not name a bucket: it is s3://BUCKET/KEY", url);
    if (need_key && !*t->key)
        return ap_fail(err, AP_USAGE, "'%s' names a bucket, not an object in it", url);
    if (strlen(t->key) > MAX_S3_KEY)
        return ap_fail(err, AP_USAGE, "the key of '%.200s...' is longer than %d bytes", url, MAX_S3_KEY);
    return ap_account_find(&t->account, err) && (place_bucket(t) || ap_fail_memory(err));
}

static bool parse_http(ap_target *t, const char *url, ap_error *err)
{
    const char *host = strstr(url, "://") + 3, *path = host + strcspn(host, "/?#");
    const char *query = strchr(path, '?'), *end = path + strcspn(path, "#");
    if (query >= end)
        query = NULL;
    if (memchr(host, '@', (size_t)(path - host)))
        return ap_fail(err, AP_USAGE, "a URL with a user and a password in it is refused");
    if (path == host)
        return ap_fail(err, AP_USAGE, "'%s' does not name a server", t->name);
    t->host = strndup(host, (size_t)(path - host));
    t->base = strndup(url, (size_t)(path - url));
    const char *path_end = query ? query : end;
    t->path = path_end > path ? strndup(path, (size_t)(path_end - path)) : strdup("/");
    t->query = query ? strndup(query + 1, (size_t)(end - query - 1)) : NULL;
    return (t->host && t->base && t->path) || ap_fail_memory(err);
}

bool ap_target_parse(ap_target *t, const char *url, bool need_key, ap_error *err)
{
    *t = (ap_target){0};
    t->name = strndup(url, ap_net_shown(url));
    bool ok = t->name ? true : ap_fail_memory(err);
    if (ok && strlen(url) > MAX_URL)
        ok = ap_fail(err, AP_USAGE, "'%.200s...' is longer than %d bytes", url, MAX_URL);
    if (ok && !ap_net_is_url(url))
        ok = ap_fail(err, AP_USAGE, "'%s' is not the name of an object: s3://BUCKET/KEY", t->name);
    if (ok)
        ok = strncasecmp(url, "s3://", 5) == 0 ? parse_s3(t, url, need_key, err) : parse_http(t, url, err);
    if (!ok)
        ap_target_free(t);
    return ok;
}

void ap_target_free(ap_target *t)
{
    free(t->name);
    free(t->base);
    free(t->host);
    free(t->path);
    free(t->query);
    free(t->bucket);
    free(t->key);
    ap_account_free(&t->account);
    *t = (ap_target){0};
}
