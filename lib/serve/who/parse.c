/* SPDX-License-Identifier: GPL-3.0-or-later
 * parse.c - what stands in the headers of requests. */
#include "serve/who/parse.h"
#include "base/base64.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

bool ap_parse_number(const char *text, uint64_t *value)
{
    *value = 0;
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9' || *value > (UINT64_MAX - 9) / 10)
            return false;
        *value = *value * 10 + (uint64_t)(*p - '0');
    }
    return *text != 0;
}

bool ap_is_file_id(const char *text)
{
    return strspn(text, "0123456789abcdef") == AP_FILE_ID_BYTES - 1 && !text[AP_FILE_ID_BYTES - 1];
}

bool ap_is_owner_name(const char *text)
{
    size_t n = strlen(text);
    for (const char *p = text; *p; p++)
        if (!isalnum((unsigned char)*p) && (p == text || !strchr("._@-", *p)))
            return false;
    return n > 0 && n < 64;
}

/* ---- ranges */

/* "-N": the last N bytes. */
static ap_range_kind suffix_range(const char *text, uint64_t size, uint64_t *first, uint64_t *length)
{
    uint64_t n;
    if (!ap_parse_number(text, &n))
        return AP_RANGE_WHOLE;
    if (n == 0 || size == 0)
        return AP_RANGE_BEYOND;
    *length = n < size ? n : size;
    *first = size - *length;
    return AP_RANGE_PART;
}

ap_range_kind ap_parse_range(const char *text, uint64_t size, uint64_t *first, uint64_t *length)
{
    char copy[64];
    uint64_t last;
    *first = 0;
    *length = size;
    if (!text || strncmp(text, "bytes=", 6) != 0 || strlen(text + 6) >= sizeof copy)
        return AP_RANGE_WHOLE;
    strcpy(copy, text + 6);
    char *dash = strchr(copy, '-');
    if (!dash)
        return AP_RANGE_WHOLE;
    *dash = 0;
    if (dash == copy)
        return suffix_range(dash + 1, size, first, length);
    uint64_t from;
    if (!ap_parse_number(copy, &from) || (dash[1] && (!ap_parse_number(dash + 1, &last) || last < from)))
        return AP_RANGE_WHOLE;
    if (from >= size)
        return AP_RANGE_BEYOND;
    if (!dash[1] || last >= size)
        last = size - 1;
    *first = from;
    *length = last - from + 1;
    return AP_RANGE_PART;
}

bool ap_lists_etag(const char *list, const char *etag)
{
    size_t n = strlen(etag);
    for (const char *p = list; *p;) {
        p += strspn(p, " \t,");
        if (*p == '*')
            return true;
        if (strncmp(p, "W/", 2) == 0)
            p += 2;
        if (strncmp(p, etag, n) == 0 && (p[n] == 0 || strchr(" \t,", p[n])))
            return true;
        p += strcspn(p, ",");
    }
    return false;
}

bool ap_takes_gzip(const char *list)
{
    for (const char *p = list; p && *p; p += strcspn(p, ",")) {
        p += strspn(p, " \t,");
        if (strncasecmp(p, "gzip", 4) != 0 || !strchr(" \t,;", p[4]))
            continue;
        p += 4 + strspn(p + 4, " \t;");
        return strncasecmp(p, "q=", 2) != 0 || strtod(p + 2, NULL) > 0;
    }
    return false;
}

/* ---- tus */

/* The next pair of a list: where key and value are, and how long. false at the end; *ok: it was one. */
static bool next_pair(const char **rest, const char **key, size_t *key_size, const char **value,
                      size_t *value_size, bool *ok)
{
    *rest += strspn(*rest, " ,");
    if (!**rest)
        return false;
    *key = *rest;
    *key_size = strcspn(*rest, " ,");
    *rest += *key_size;
    *rest += strspn(*rest, " ");
    *value = *rest;
    *value_size = strcspn(*rest, ",");
    *rest += *value_size;
    while (*value_size && (*value)[*value_size - 1] == ' ')
        --*value_size;
    size_t plain = strspn(*value, BASE64);
    *ok = *key_size > 0 && plain <= *value_size && *value_size - plain <= 2 &&
          strspn(*value + plain, "=") >= *value_size - plain;
    return true;
}

bool ap_is_tus_metadata(const char *text)
{
    const char *key, *value;
    size_t key_size, value_size;
    bool ok = true;
    while (ok && next_pair(&text, &key, &key_size, &value, &value_size, &ok))
        ;
    return ok;
}

char *ap_tus_metadata(const char *text, const char *name)
{
    const char *key, *value;
    size_t key_size, value_size, size;
    bool ok = true;
    while (next_pair(&text, &key, &key_size, &value, &value_size, &ok)) {
        if (!ok || strlen(name) != key_size || strncmp(key, name, key_size) != 0)
            continue;
        unsigned char *bytes = ap_base64_decode((const unsigned char *)value, value_size, &size);
        char *result = bytes ? strndup((char *)bytes, size) : NULL;
        free(bytes);
        if (result)
            ap_text_one_line(result);
        return result;
    }
    return NULL;
}

/* ---- text */

char *ap_percent_encode(const char *text)
{
    char *result = malloc(3 * strlen(text) + 1), *to = result;
    for (const unsigned char *p = (const unsigned char *)text; result && *p; p++) {
        if (isalnum(*p) || strchr("-._~/", *p))
            *to++ = (char)*p;
        else
            to += sprintf(to, "%%%02X", *p);
    }
    if (result)
        *to = 0;
    return result;
}

char *ap_disposition(const char *name)
{
    char *plain = strdup(name), *encoded = ap_percent_encode(name);
    for (char *p = plain; p && *p; p++)
        if (*p & 0x80 || ap_is_control(*p) || strchr("\"\\%", *p))
            *p = '_';
    char *result = plain && encoded
                       ? ap_print("attachment; filename=\"%s\"; filename*=UTF-8''%s", plain, encoded)
                       : NULL;
    free(plain);
    free(encoded);
    return result;
}

/* ---- paths */

static bool copy_part(const char *from, size_t n, char *to, size_t size)
{
    if (n == 0 || n >= size)
        return false;
    memcpy(to, from, n);
    to[n] = 0;
    return true;
}

bool ap_match_path(const char *pattern, const char *path, char *first, char *second, size_t size)
{
    char *parts[2] = {first, second};
    int count = 0;
    *first = *second = 0;
    while (*pattern) {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        const char *end = strchr(pattern, '}');
        size_t n = end[-1] == '*' ? strlen(path) : strcspn(path, "/");
        if (count == 2 || !copy_part(path, n, parts[count++], size))
            return false;
        path += n;
        pattern = end + 1;
    }
    return *path == 0;
}

bool ap_is_local_host(const char *host)
{
    unsigned char address[4];
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || strcmp(host, "[::1]") == 0 ||
           (inet_pton(AF_INET, host, address) == 1 && address[0] == 127);
}
