/* SPDX-License-Identifier: GPL-3.0-or-later
 * sigv4.c - AWS Signature Version 4. */
#include "plugins/net/sigv4.h"

#include <nettle/base16.h>
#include <nettle/hmac.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void to_hex(const uint8_t sum[SHA256_DIGEST_SIZE], char hex[AP_SIGV4_HEX])
{
    base16_encode_update(hex, SHA256_DIGEST_SIZE, sum);
    hex[BASE16_ENCODE_LENGTH(SHA256_DIGEST_SIZE)] = 0;
}

void ap_sigv4_sha256(const void *bytes, size_t size, char hex[AP_SIGV4_HEX])
{
    struct sha256_ctx hash;
    uint8_t sum[SHA256_DIGEST_SIZE];
    sha256_init(&hash);
    sha256_update(&hash, size, bytes);
    sha256_digest(&hash, sizeof sum, sum);
    to_hex(sum, hex);
}

static void mac(const uint8_t *key, size_t key_size, const char *text, uint8_t sum[SHA256_DIGEST_SIZE])
{
    struct hmac_sha256_ctx hash;
    hmac_sha256_set_key(&hash, key_size, key);
    hmac_sha256_update(&hash, strlen(text), (const uint8_t *)text);
    hmac_sha256_digest(&hash, SHA256_DIGEST_SIZE, sum);
}

char *ap_sigv4_encode(const char *text, bool keep_slash)
{
    static const char digits[] = "0123456789ABCDEF";
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
    char *out = malloc(3 * strlen(text) + 1), *to = out;
    for (const unsigned char *p = (const unsigned char *)text; out && *p; p++) {
        if (strchr(plain, *p) || (*p == '/' && keep_slash)) {
            *to++ = (char)*p;
            continue;
        }
        *to++ = '%';
        *to++ = digits[*p >> 4];
        *to++ = digits[*p & 15];
    }
    if (out)
        *to = 0;
    return out;
}

/* The end of a name sorts before every other character: "a=1" before "a-b=1". */
static int rank(char c)
{
    return c == '=' || c == ':' ? 1 : (unsigned char)c;
}

static int compare_text(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    while (*x && *x == *y) {
        x++;
        y++;
    }
    return rank(*x) - rank(*y);
}

/* Sorts the strings, joins them, and frees them. malloc'ed; NULL when out of memory, or when one of them is
 * NULL. */
static char *join(char **items, size_t count, const char *between)
{
    size_t size = 1;
    bool whole = true;
    for (size_t i = 0; i < count; i++) {
        whole = whole && items[i];
        size += items[i] ? strlen(items[i]) + strlen(between) : 0;
    }
    char *text = whole ? malloc(size) : NULL, *to = text;
    if (text) {
        qsort(items, count, sizeof *items, compare_text);
        *to = 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (text)
            to += sprintf(to, "%s%s", i ? between : "", items[i]);
        free(items[i]);
    }
    return text;
}

/* "name=value", encoded. */
static char *encode_pair(const ap_sigv4_pair *pair)
{
    char *name = ap_sigv4_encode(pair->name, false), *value = ap_sigv4_encode(pair->value, false);
    char *item = name && value ? ap_print("%s=%s", name, value) : NULL;
    free(name);
    free(value);
    return item;
}

char *ap_sigv4_query(const ap_sigv4_request *request)
{
    char *items[AP_SIGV4_PAIRS];
    for (size_t i = 0; i < request->query_count; i++)
        items[i] = encode_pair(&request->query[i]);
    return join(items, request->query_count, "&");
}

/* The headers as they are signed, one a line, and their names; host is one of them. */
static bool canonical_headers(const ap_sigv4_request *r, char **lines, char **names)
{
    char *line[AP_SIGV4_PAIRS + 1], *name[AP_SIGV4_PAIRS + 1];
    size_t n = 0;
    line[n] = ap_print("host:%s\n", r->host);
    name[n++] = strdup("host");
    for (size_t i = 0; i < r->header_count; i++, n++) {
        line[n] = ap_print("%s:%s\n", r->headers[i].name, r->headers[i].value);
        name[n] = strdup(r->headers[i].name);
    }
    *lines = join(line, n, "");
    *names = join(name, n, ";");
    return *lines && *names;
}

/* 20130524/us-east-1/s3/aws4_request */
static char *scope_of(const ap_sigv4_request *r)
{
    return ap_print("%.8s/%s/s3/aws4_request", r->time, r->region);
}

static void sign(const ap_sigv4_request *r, const char *text, char hex[AP_SIGV4_HEX])
{
    uint8_t key[SHA256_DIGEST_SIZE];
    char date[9], first[260];
    snprintf(first, sizeof first, "AWS4%s", r->secret_key);
    snprintf(date, sizeof date, "%.8s", r->time);
    mac((const uint8_t *)first, strlen(first), date, key);
    const char *const parts[] = {r->region, "s3", "aws4_request", text};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        mac(key, sizeof key, parts[i], key);
    to_hex(key, hex);
}

/* The signature, and the names of the headers that it is of (malloc'ed). */
static bool signature(const ap_sigv4_request *r, char hex[AP_SIGV4_HEX], char **names)
{
    char *lines = NULL, *query = ap_sigv4_query(r), *scope = scope_of(r), *canonical = NULL, *text = NULL;
    bool ok = canonical_headers(r, &lines, names) && query && scope;
    if (ok)
        canonical = ap_print("%s\n%s\n%s\n%s\n%s\n%s", r->method, r->path, query, lines, *names, r->payload);
    if (canonical) {
        ap_sigv4_sha256(canonical, strlen(canonical), hex);
        text = ap_print("AWS4-HMAC-SHA256\n%s\n%s\n%s", r->time, scope, hex);
    }
    if (text)
        sign(r, text, hex);
    ok = text != NULL;
    free(lines);
    free(query);
    free(scope);
    free(canonical);
    free(text);
    return ok;
}

char *ap_sigv4_authorization(const ap_sigv4_request *request)
{
    char hex[AP_SIGV4_HEX], *names = NULL, *scope = scope_of(request), *value = NULL;
    if (signature(request, hex, &names) && scope)
        value = ap_print("AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=%s,Signature=%s",
                         request->access_key, scope, names, hex);
    free(names);
    free(scope);
    return value;
}

char *ap_sigv4_presign(const ap_sigv4_request *request, unsigned expires_s)
{
    ap_sigv4_request r = *request;
    char hex[AP_SIGV4_HEX], expires[16], *lines = NULL, *names = NULL, *out = NULL, *query = NULL;
    char *scope = scope_of(&r), *credential = scope ? ap_print("%s/%s", r.access_key, scope) : NULL;
    snprintf(expires, sizeof expires, "%u", expires_s);
    if (canonical_headers(&r, &lines, &names) && credential && r.query_count + 6 <= AP_SIGV4_PAIRS) {
        const ap_sigv4_pair more[] = {{"X-Amz-Algorithm", "AWS4-HMAC-SHA256"},
                                      {"X-Amz-Credential", credential},
                                      {"X-Amz-Date", r.time},
                                      {"X-Amz-Expires", expires},
                                      {"X-Amz-SignedHeaders", names},
                                      {"X-Amz-Security-Token", r.token}};
        for (size_t i = 0; i < (r.token ? 6 : 5); i++)
            r.query[r.query_count++] = more[i];
        char *again = NULL;
        query = ap_sigv4_query(&r);
        if (query && signature(&r, hex, &again))
            out = ap_print("%s&X-Amz-Signature=%s", query, hex);
        free(again);
    }
    free(lines);
    free(names);
    free(scope);
    free(credential);
    free(query);
    return out;
}
