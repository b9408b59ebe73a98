/* SPDX-License-Identifier: GPL-3.0-or-later
 * json.c - members of JSON documents, by key and by path. */
#include "jobs/record/json.h"
#include "base/error.h"
#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cJSON *ap_json_text(const char *text)
{
    char *utf8 = ap_to_utf8(text);
    cJSON *item = utf8 ? cJSON_CreateString(utf8) : NULL;
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
