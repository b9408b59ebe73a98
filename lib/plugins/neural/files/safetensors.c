/* SPDX-License-Identifier: GPL-3.0-or-later
 * safetensors.c - the .safetensors file: the length of a JSON header in 8 bytes, the header, the data
 * (https://huggingface.co/docs/safetensors). What the model is comes from the header's metadata or from a
 * JSON file beside it: {"klass": "HTDemucs", "kwargs": {...}}; in the metadata kwargs is a string of JSON. */
#include "base/error.h"
#include "base/path.h"
#include "base/text.h"
#include "plugins/neural/files/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 600 tensors take 80 kB of header. */
#define MAX_HEADER ((uint64_t)2 << 20)
#define MAX_JSON ((size_t)1 << 20)

static bool damaged(const nn_checkpoint *c, const char *what, ap_error *err)
{
    return ap_fail(err, AP_FAILED, "'%s' is damaged: %s", c->path, what);
}

/* A whole number up to 2^53, which JSON's doubles hold exactly. */
static bool whole(const cJSON *item, uint64_t *value)
{
    double v = cJSON_IsNumber(item) ? item->valuedouble : -1;
    if (!(v >= 0 && v <= 0x1p53) || v != floor(v))
        return false;
    *value = (uint64_t)v;
    return true;
}

static bool type_of(const cJSON *item, nn_type *type)
{
    static const char *const names[] = {"F16", "BF16", "F32", "F64"};
    for (size_t i = 0; cJSON_IsString(item) && i < sizeof names / sizeof *names; i++) {
        if (strcmp(item->valuestring, names[i]) == 0) {
            *type = (nn_type)i;
            return true;
        }
    }
    return false;
}

static bool shape_of(const cJSON *shape, nn_stored *t)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, shape)
    {
        uint64_t size;
        if (t->dims == NN_MAX_DIMS || !whole(item, &size))
            return false;
        t->size[t->dims++] = (int64_t)size;
    }
    int64_t stride = 1;
    for (int i = t->dims - 1; i >= 0; i--) {
        t->stride[i] = stride;
        if (__builtin_mul_overflow(stride, t->size[i], &stride))
            return false;
    }
    return cJSON_IsArray(shape);
}

static bool add_tensor(nn_checkpoint *c, const cJSON *item, uint64_t data_start, ap_error *err)
{
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(item, "data_offsets");
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(item, "dtype");
    uint64_t start, end;
    nn_stored t = {.name = item->string};
    if (cJSON_IsString(type) && !type_of(type, &t.type))
        return nn_checkpoint_add_strange(c, t.name, err);
    if (!type_of(type, &t.type) || !shape_of(cJSON_GetObjectItemCaseSensitive(item, "shape"), &t) ||
        !whole(cJSON_GetArrayItem(offsets, 0), &start) || !whole(cJSON_GetArrayItem(offsets, 1), &end))
        return damaged(c, "a tensor in its header makes no sense", err);
    if (start > end || end > c->size - data_start)
        return damaged(c, "a tensor lies outside of the file", err);
    t.data = c->bytes + data_start + start;
    return nn_checkpoint_add(c, &t, end - start, err);
}

static bool add_tensors(nn_checkpoint *c, const cJSON *header, uint64_t data_start, ap_error *err)
{
    c->tensors = calloc((size_t)cJSON_GetArraySize(header) + 1, sizeof *c->tensors);
    if (!c->tensors)
        return ap_fail_memory(err);
    const cJSON *item;
    cJSON_ArrayForEach(item, header) if (strcmp(item->string, "__metadata__") != 0 &&
                                         !add_tensor(c, item, data_start, err)) return false;
    return true;
}

/* The JSON file beside it, NULL if there is none. */
static cJSON *read_beside(const nn_checkpoint *c)
{
    char *path = ap_print("%.*s.json", ap_stem_length(c->path), c->path), *text = malloc(MAX_JSON);
    cJSON *json = NULL;
    if (path && text) {
        FILE *file = fopen(path, "rbe");
        size_t n = file ? fread(text, 1, MAX_JSON, file) : 0;
        if (file)
            fclose(file);
        json = n ? cJSON_ParseWithLength(text, n) : NULL;
    }
    free(path);
    free(text);
    return json;
}

/* The typed values of demucs 4.1: {"_type": "fraction", "numerator": 39, "denominator": 5} becomes "39/5". */
static void untype(cJSON *value)
{
    cJSON *item = NULL, *next = NULL;
    for (item = value ? value->child : NULL; item; item = next) {
        next = item->next;
        const cJSON *type = cJSON_GetObjectItemCaseSensitive(item, "_type");
        const cJSON *a = cJSON_GetObjectItemCaseSensitive(item, "numerator");
        const cJSON *b = cJSON_GetObjectItemCaseSensitive(item, "denominator");
        if (!cJSON_IsString(type)) {
            untype(item);
        } else if (strcmp(type->valuestring, "fraction") == 0 && cJSON_IsNumber(a) && cJSON_IsNumber(b)) {
            char text[80];
            snprintf(text, sizeof text, "%.17g/%.17g", a->valuedouble, b->valuedouble);
            cJSON *fraction = cJSON_CreateString(text);
            if (cJSON_IsArray(value))
                cJSON_ReplaceItemViaPointer(value, item, fraction);
            else
                cJSON_ReplaceItemInObjectCaseSensitive(value, item->string, fraction);
        }
    }
}

/* An entry of an object, which may be JSON in a string. NULL: none. The caller deletes it. */
static cJSON *entry(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    cJSON *copy = cJSON_IsString(item) ? cJSON_Parse(item->valuestring) : cJSON_Duplicate(item, true);
    untype(copy);
    return copy;
}

/* The constructor's first argument is the list of sources, by position or by name. */
static bool add_arguments(nn_checkpoint *c, cJSON *args, ap_error *err)
{
    const int count = cJSON_GetArraySize(args);
    if (count > 1)
        return damaged(c, "it has too many 'args'", err);
    cJSON *sources = count == 1 ? cJSON_DetachItemFromArray(args, 0) : NULL;
    if (sources) {
        cJSON_DeleteItemFromObjectCaseSensitive(c->kwargs, "sources");
        cJSON_AddItemToObject(c->kwargs, "sources", sources);
    }
    return true;
}

/* Takes klass, args and kwargs from an object. klass may have its module before it, as in
 * "demucs.htdemucs.HTDemucs". */
static bool read_model(nn_checkpoint *c, const cJSON *object, ap_error *err)
{
    const cJSON *klass = cJSON_GetObjectItemCaseSensitive(object, "klass");
    const cJSON *kwargs = cJSON_GetObjectItemCaseSensitive(object, "kwargs");
    if (!cJSON_IsString(klass) || !kwargs)
        return ap_fail(err, AP_FAILED,
                       "'%s' does not say what model it is: put {\"klass\": \"HTDemucs\", \"kwargs\": {...}} "
                       "into a .json file beside it",
                       c->path);
    if (cJSON_HasObjectItem(object, "structure"))
        return ap_fail(err, AP_FAILED,
                       "'%s' is quantised with diffq, which is not supported; use the model without _q",
                       c->path);
    const char *dot = strrchr(klass->valuestring, '.');
    const bool ours = strncmp(klass->valuestring, "demucs.", 7) == 0;
    c->klass = strdup(ours ? dot + 1 : klass->valuestring);
    c->kwargs = entry(object, "kwargs");
    if (!c->klass)
        return ap_fail_memory(err);
    if (!cJSON_IsObject(c->kwargs))
        return damaged(c, "'kwargs' is not a JSON object", err);
    cJSON *args = entry(object, "args");
    const bool ok = add_arguments(c, args, err);
    cJSON_Delete(args);
    return ok;
}

bool nn_safetensors_read(nn_checkpoint *c, ap_error *err)
{
    uint64_t size = 0;
    for (int i = 0; i < 8; i++)
        size |= (uint64_t)c->bytes[i] << (8 * i);
    if (size > MAX_HEADER || size > c->size - 8)
        return damaged(c, "its header is too long", err);
    cJSON *header = cJSON_ParseWithLength((const char *)c->bytes + 8, (size_t)size);
    if (!cJSON_IsObject(header)) {
        cJSON_Delete(header);
        return damaged(c, "its header is not JSON", err);
    }
    const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(header, "__metadata__");
    cJSON *beside = cJSON_HasObjectItem(metadata, "klass") ? NULL : read_beside(c);
    bool ok = read_model(c, beside ? beside : metadata, err) && add_tensors(c, header, 8 + size, err);
    cJSON_Delete(beside);
    cJSON_Delete(header);
    return ok;
}
