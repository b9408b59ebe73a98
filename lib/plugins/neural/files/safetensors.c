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
    uint64_t start, end;
    nn_stored t = {.name = item->string};
    if (!type_of(cJSON_GetObjectItemCaseSensitive(item, "dtype"), &t.type) ||
        !shape_of(cJSON_GetObjectItemCaseSensitive(item, "shape"), &t) ||
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

/* Takes klass and kwargs from an object; kwargs may be JSON in a string. */
static bool read_model(nn_checkpoint *c, const cJSON *object, ap_error *err)
{
    const cJSON *klass = cJSON_GetObjectItemCaseSensitive(object, "klass");
    const cJSON *kwargs = cJSON_GetObjectItemCaseSensitive(object, "kwargs");
    if (!cJSON_IsString(klass) || !kwargs)
        return ap_fail(err, AP_FAILED,
                       "'%s' does not say what model it is: put {\"klass\": \"HTDemucs\", \"kwargs\": {...}} "
                       "into a .json file beside it",
                       c->path);
    c->klass = strdup(klass->valuestring);
    c->kwargs = cJSON_IsString(kwargs) ? cJSON_Parse(kwargs->valuestring) : cJSON_Duplicate(kwargs, true);
    if (!c->klass)
        return ap_fail_memory(err);
    return cJSON_IsObject(c->kwargs) || damaged(c, "'kwargs' is not a JSON object", err);
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
