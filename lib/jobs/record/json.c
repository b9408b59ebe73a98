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

/* A byte that is no UTF-8 is written as U+EF80 to U+EFFF, as MirOS' OPTU-8 has it; and so are the bytes of
 * such a character itself, so that all paths come back. */
#define BYTE_FIRST 0xef80u
#define BYTE_LAST 0xefffu

/* The code point of a sequence of three bytes. */
static unsigned decode3(const unsigned char *p)
{
    return (unsigned)(p[0] & 0x0f) << 12 | (unsigned)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
}

static bool is_escape(const unsigned char *p, size_t n)
{
    return n == 3 && decode3(p) >= BYTE_FIRST && decode3(p) <= BYTE_LAST;
}

bool ap_json_put_path(cJSON *object, const char *key, const char *path)
{
    char *text = malloc(3 * strlen(path) + 1), *to = text;
    if (!text)
        return false;
    for (const unsigned char *p = (const unsigned char *)path; *p;) {
        size_t n = ap_utf8_length((const char *)p);
        if (n && !is_escape(p, n)) {
            memcpy(to, p, n);
            to += n;
            p += n;
        } else
            to += ap_utf8_put(to, BYTE_FIRST - 0x80 + *p++);
    }
    *to = 0;
    bool ok = ap_json_put(object, key, cJSON_CreateString(text));
    free(text);
    return ok;
}

char *ap_json_path(const cJSON *object, const char *key)
{
    char *path = strdup(ap_json_string(object, key)), *to = path;
    for (const unsigned char *p = (const unsigned char *)path; p && *p;) {
        size_t n = ap_utf8_length((const char *)p);
        if (is_escape(p, n)) {
            *to++ = (char)(decode3(p) - BYTE_FIRST + 0x80);
            p += n;
        } else
            *to++ = (char)*p++;
    }
    if (path)
        *to = 0;
    return path;
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

/* ---- numbers */

#define EXACT_UP_TO 0x1p53
#define EXACT_TEXT "9007199254740992" /* the same */

/* cJSON writes 15 digits, and takes them for enough if they are nearly the number. */
static bool needs_more_digits(const cJSON *item)
{
    char text[32];
    if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
        return false;
    snprintf(text, sizeof text, "%1.15g", item->valuedouble);
    return strtod(text, NULL) != item->valuedouble;
}

static bool any_needs_more(const cJSON *item)
{
    for (; item; item = item->next)
        if (needs_more_digits(item) || any_needs_more(item->child))
            return true;
    return false;
}

/* Such numbers become what they are written as: 17 digits tell all doubles apart. */
static bool spell_out(cJSON *item)
{
    char text[32];
    for (; item; item = item->next) {
        if (!spell_out(item->child))
            return false;
        if (!needs_more_digits(item))
            continue;
        snprintf(text, sizeof text, "%1.17g", item->valuedouble);
        if (!(item->valuestring = strdup(text)))
            return false;
        item->type = (item->type & ~cJSON_Number) | cJSON_Raw;
    }
    return true;
}

char *ap_json_print(const cJSON *document, bool pretty)
{
    cJSON *copy = NULL;
    if (needs_more_digits(document) || (document && any_needs_more(document->child))) {
        copy = cJSON_Duplicate(document, true);
        if (!copy || !spell_out(copy)) {
            cJSON_Delete(copy);
            return NULL;
        }
        document = copy;
    }
    char *text = pretty ? cJSON_Print(document) : cJSON_PrintUnformatted(document);
    cJSON_Delete(copy);
    return text;
}

/* The end of the string that starts at p. */
static const char *skip_string(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        if (*p == '\\')
            p++;
    return p < end ? p + 1 : end;
}

/* With an exponent a number is meant to be as near as it gets; without one its whole part is meant to stay.
 */
static bool check_number(const char *token, size_t size, ap_error *err)
{
    char text[64];
    bool power = memchr(token, 'e', size) || memchr(token, 'E', size);
    const char *point = memchr(token, '.', size);
    snprintf(text, sizeof text, "%.*s", (int)(size < sizeof text ? size : sizeof text - 1), token);
    size_t whole = point ? (size_t)(point - token) : size;
    double value = whole < sizeof text ? strtod(text, NULL) : power ? 0 : INFINITY;
    /* the first whole number that no double is comes out as 2^53, too; from 2^52 on there are no fractions */
    bool beyond = !power && fabs(value) >= (point ? EXACT_UP_TO / 2 : EXACT_UP_TO) &&
                  strcmp(text + (*text == '-'), EXACT_TEXT) != 0;
    if (isfinite(value) && !beyond)
        return true;
    return ap_fail(err, AP_USAGE, "'%s' is too large a number to stay exact", text);
}

bool ap_json_check_numbers(const char *text, size_t size, ap_error *err)
{
    const char *end = text + size;
    for (const char *p = text; p < end;)
        if (*p == '"')
            p = skip_string(p, end);
        else if (*p == '-' || (*p >= '0' && *p <= '9')) {
            const char *token = p;
            while (p < end && *p && strchr("+-.eE0123456789", *p))
                p++;
            if (!check_number(token, (size_t)(p - token), err))
                return false;
        } else
            p++;
    return true;
}
