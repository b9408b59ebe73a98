/* SPDX-License-Identifier: GPL-3.0-or-later
 * yaml.c - YAML as plain data, by libyaml's events. Nothing is constructed but mappings, lists and scalars.
 */
#include "plugins/neural/files/yaml.h"
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define MAX_FILE ((size_t)1 << 20)
/* Published files have 3 levels and about 200 nodes. */
#define MAX_DEPTH 8
#define MAX_NODES 16384

typedef struct reader {
    yaml_parser_t parser;
    const char *name;
    size_t nodes;
    ap_error *err;
} reader;

static cJSON *fail(const reader *r, const char *what)
{
    ap_fail(r->err, AP_FAILED, "'%s', line %zu: %.160s", r->name, r->parser.mark.line + 1, what);
    return NULL;
}

/* ---- scalars */

static bool is_one_of(const char *text, const char *const *words)
{
    while (*words && strcmp(text, *words) != 0)
        words++;
    return *words != NULL;
}

/* 352_800 is a number, _1 is not. */
static void without_underscores(const char *text, char *digits)
{
    for (const char *p = text; *p; p++)
        if (*p != '_' || p == text)
            *digits++ = *p;
    *digits = 0;
}

/* A plain scalar by the rules of YAML 1.1 (https://yaml.org/type/), as PyYAML has them. */
static cJSON *plain(const char *text)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const yes[] = {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", NULL};
    static const char *const no[] = {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", NULL};
    char *end, digits[64];
    if (is_one_of(text, nulls))
        return cJSON_CreateNull();
    if (is_one_of(text, yes) || is_one_of(text, no))
        return cJSON_CreateBool(is_one_of(text, yes));
    if (strlen(text) >= sizeof digits)
        return cJSON_CreateString(text);
    without_underscores(text, digits);
    const double number = strtod(digits, &end);
    if (end > digits && *end == 0 && strspn(digits, "+-.0123456789eE") == strlen(digits))
        return cJSON_CreateNumber(number);
    return cJSON_CreateString(text);
}

static cJSON *scalar(const reader *r, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    if (strlen(text) != event->data.scalar.length)
        return fail(r, "it has a NUL byte");
    return event->data.scalar.plain_implicit ? plain(text) : cJSON_CreateString(text);
}

/* ---- structure: a stack of containers, no recursion */

static bool known_tag(const yaml_char_t *tag)
{
    static const char *const known[] = {"tag:yaml.org,2002:python/tuple", "tag:yaml.org,2002:seq",
                                        "tag:yaml.org,2002:map", "tag:yaml.org,2002:str", NULL};
    return !tag || is_one_of((const char *)tag, known);
}

static const yaml_char_t *tag_of(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT           ? event->data.scalar.tag
           : event->type == YAML_SEQUENCE_START_EVENT ? event->data.sequence_start.tag
           : event->type == YAML_MAPPING_START_EVENT  ? event->data.mapping_start.tag
                                                      : NULL;
}

/* The value that an event starts; NULL after an error. */
static cJSON *value_of(reader *r, const yaml_event_t *event)
{
    if (r->nodes++ >= MAX_NODES)
        return fail(r, "it is too large");
    if (!known_tag(tag_of(event))) {
        char what[128];
        snprintf(what, sizeof what, "the tag '%.64s' is not supported", (const char *)tag_of(event));
        return fail(r, what);
    }
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return scalar(r, event);
    case YAML_SEQUENCE_START_EVENT:
        return cJSON_CreateArray();
    case YAML_MAPPING_START_EVENT:
        return cJSON_CreateObject();
    default:
        return fail(r, "aliases are not supported");
    }
}

typedef struct stack {
    cJSON *root, *open[MAX_DEPTH];
    char *keys[MAX_DEPTH]; /* of each open mapping, waiting for its value */
    int depth;
} stack;

/* Puts a value into the container at the top; owns it. */
static bool put(reader *r, stack *s, cJSON *value)
{
    cJSON *top = s->depth ? s->open[s->depth - 1] : NULL;
    if (!top) {
        s->root = value;
        return cJSON_IsObject(value) || fail(r, "it is not a mapping");
    }
    if (cJSON_IsArray(top))
        return cJSON_AddItemToArray(top, value);
    char **key = &s->keys[s->depth - 1];
    if (!*key) {
        const bool is_text = cJSON_IsString(value);
        *key = is_text ? strdup(value->valuestring) : NULL;
        cJSON_Delete(value);
        return *key || fail(r, "a key is not a word");
    }
    cJSON_DeleteItemFromObjectCaseSensitive(top, *key); /* the last one counts */
    cJSON_AddItemToObject(top, *key, value);
    free(*key);
    *key = NULL;
    return true;
}

static bool take(reader *r, stack *s, const yaml_event_t *event)
{
    if (event->type == YAML_SEQUENCE_END_EVENT || event->type == YAML_MAPPING_END_EVENT) {
        s->depth--;
        return true;
    }
    if (s->root && s->depth == 0)
        return fail(r, "it has more than one document");
    cJSON *value = value_of(r, event);
    const bool opens = cJSON_IsArray(value) || cJSON_IsObject(value);
    if (!value)
        return false;
    if (opens && s->depth == MAX_DEPTH) {
        cJSON_Delete(value);
        return fail(r, "it is nested too deeply");
    }
    if (!put(r, s, value))
        return false;
    if (opens)
        s->open[s->depth++] = value;
    return true;
}

static bool is_content(yaml_event_type_t type)
{
    return type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT ||
           type == YAML_SEQUENCE_END_EVENT || type == YAML_MAPPING_START_EVENT ||
           type == YAML_MAPPING_END_EVENT || type == YAML_ALIAS_EVENT;
}

static bool parse_all(reader *r, stack *s)
{
    for (bool done = false; !done;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&r->parser, &event)) {
            fail(r, r->parser.problem ? r->parser.problem : "it is not YAML");
            return false;
        }
        const bool ok = !is_content(event.type) || take(r, s, &event);
        done = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (!ok)
            return false;
    }
    return s->root || fail(r, "it is empty");
}

cJSON *nn_yaml_parse(const char *text, size_t size, const char *name, ap_error *err)
{
    reader r = {.name = name, .err = err};
    stack s = {0};
    if (!yaml_parser_initialize(&r.parser)) {
        ap_fail_memory(err);
        return NULL;
    }
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size);
    const bool ok = parse_all(&r, &s);
    yaml_parser_delete(&r.parser);
    for (int i = 0; i < MAX_DEPTH; i++)
        free(s.keys[i]);
    if (ok)
        return s.root;
    cJSON_Delete(s.root);
    return NULL;
}

cJSON *nn_yaml_read(const char *path, ap_error *err)
{
    char *text = malloc(MAX_FILE);
    FILE *file = text ? fopen(path, "rbe") : NULL;
    cJSON *root = NULL;
    if (!text) {
        ap_fail_memory(err);
    } else if (!file) {
        ap_fail_errno(err, errno, "cannot open '%s'", path);
    } else {
        const size_t n = fread(text, 1, MAX_FILE, file);
        if (ferror(file))
            ap_fail_errno(err, errno, "cannot read '%s'", path);
        else if (n == MAX_FILE)
            ap_fail(err, AP_FAILED, "'%s' is too large for a description of a model", path);
        else
            root = nn_yaml_parse(text, n, path, err);
        fclose(file);
    }
    free(text);
    return root;
}
