/* SPDX-License-Identifier: GPL-3.0-or-later
 * json.c - members of JSON documents, by key and by path. */
#include "jobs/record/json.h"
#include "base/error.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the UTF-8 sequence that begins here; 0 if it is malformed, overlong, a surrogate, or beyond
 * U+10FFFF (RFC 3629, section 4). */
static size_t utf8_length(const unsigned char *p)
{
    static const unsigned char lowest[] = {0, 0, 0x80, 0xa0, 0x90};
    size_t n = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((*p == 0xe0 || *p == 0xf0) && p[1] < lowest[n])
        return 0;
    if ((*p == 0xed && p[1] > 0x9f) || (*p == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

static bool is_utf8(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    for (size_t n; *p; p += n)
        if (!(n = utf8_length(p)))
            return false;
    return true;
}

cJSON *ap_json_text(const char *text)
{
    if (is_utf8(text))
        return cJSON_CreateString(text);
    char *utf8 = malloc(2 * strlen(text) + 1), *to = utf8;
    if (!utf8)
        return NULL;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p >= 0x80)
            *to++ = (char)(0xc0 | *p >> 6);
        *to++ = (char)(*p < 0x80 ? *p : 0x80 | (*p & 0x3f));
    }
    *to = 0;
    cJSON *item = cJSON_CreateString(utf8);
    free(utf8);
    return item;
}

bool ap_json_put(cJSON *object, const char *key, cJSON *value)
{
    if (!value)
        return false;
    bool ok = cJSON_GetObjectItemCaseSensitive(object, key)
                  ? cJSON_ReplaceItemInObjectCaseSensitive(object, key, value)
                  : cJSON_AddItemToObject(object, key, value);
    if (!ok)
        cJSON_Delete(value);
    return ok;
}

bool ap_json_put_text(cJSON *object, const char *key, const char *text)
{
    return ap_json_put(object, key, text ? ap_json_text(text) : cJSON_CreateNull());
}

bool ap_json_put_number(cJSON *object, const char *key, double number)
{
    return ap_json_put(object, key, isfinite(number) ? cJSON_CreateNumber(number) : cJSON_CreateNull());
}

const char *ap_json_string(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    return text ? text : "";
}

double ap_json_number(const cJSON *object, const char *key, double fallback)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(item) ? item->valuedouble : fallback;
}

/* ---- paths */

/* One step of a path: a key or an index. */
typedef struct step {
    char key[256]; /* empty: index */
    long index;
} step;

/* Takes the first step off *path. */
static bool take_step(const char **path, step *s)
{
    const char *p = *path;
    s->key[0] = 0;
    if (*p == '[') {
        char *end;
        s->index = strtol(p + 1, &end, 10);
        *path = end + 1;
        return end > p + 1 && *end == ']';
    }
    size_t n = *p == '.' ? strcspn(++p, ".[") : 0;
    if (n == 0 || n >= sizeof s->key)
        return false;
    memcpy(s->key, p, n);
    s->key[n] = 0;
    *path = p + n;
    return true;
}

static cJSON *child(const cJSON *parent, const step *s)
{
    if (s->key[0])
        return cJSON_IsObject(parent) ? cJSON_GetObjectItemCaseSensitive(parent, s->key) : NULL;
    if (!cJSON_IsArray(parent))
        return NULL;
    long index = s->index < 0 ? s->index + cJSON_GetArraySize(parent) : s->index;
    return index >= 0 && index < cJSON_GetArraySize(parent) ? cJSON_GetArrayItem(parent, (int)index) : NULL;
}

cJSON *ap_json_find(cJSON *root, const char *path, ap_error *err)
{
    const char *rest = path;
    step s;
    if (strcmp(path, ".") == 0)
        return root;
    while (root && *rest) {
        if (!take_step(&rest, &s)) {
            ap_fail(err, AP_USAGE, "'%s' is not a path like .stages[0].seconds", path);
            return NULL;
        }
        root = child(root, &s);
    }
    if (!root)
        ap_fail(err, AP_FAILED, "there is no '%s'", path);
    return root;
}

/* Puts value below parent; takes it over, also on failure. */
static bool attach(cJSON *parent, const step *s, cJSON *value)
{
    if (s->key[0] && cJSON_IsObject(parent))
        return ap_json_put(parent, s->key, value);
    long size = cJSON_GetArraySize(parent), index = s->index < 0 ? s->index + size : s->index;
    if (!s->key[0] && cJSON_IsArray(parent) && index >= 0 && index <= size)
        return index < size ? cJSON_ReplaceItemInArray(parent, (int)index, value)
                            : cJSON_AddItemToArray(parent, value);
    cJSON_Delete(value);
    return false;
}

bool ap_json_store(cJSON *root, const char *path, cJSON *value, ap_error *err)
{
    const char *rest = path;
    step s;
    if (!value)
        return ap_fail_memory(err);
    while (take_step(&rest, &s)) {
        if (!*rest) {
            if (attach(root, &s, value))
                return true;
            return ap_fail(err, AP_FAILED, "cannot set '%s': no such place", path);
        }
        cJSON *next = child(root, &s);
        if (!next && (next = *rest == '[' ? cJSON_CreateArray() : cJSON_CreateObject()) &&
            !attach(root, &s, next))
            next = NULL;
        if (!next)
            break;
        root = next;
    }
    cJSON_Delete(value);
    return ap_fail(err, AP_USAGE, "'%s' is not a path like .options.period", path);
}
