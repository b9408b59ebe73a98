/* SPDX-License-Identifier: GPL-3.0-or-later
 * th.c - the .th file: a zip archive with a pickle that describes the tensors; their data are the other
 * entries. */
#include "base/error.h"
#include "plugins/neural/files/checkpoint.h"
#include "plugins/neural/files/unpickle.h"
#include "plugins/neural/files/zip.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PREFIX 256
/* Depth and number of values of the constructor's arguments; published models have 3 and about 100. Lists may
 * be shared, so what is small in the pickle need not be small when it is written out. */
#define MAX_DEPTH 4
#define MAX_VALUES 4096

typedef struct th {
    nn_checkpoint *c;
    nn_zip zip;
    nn_pickle *pickle;
    char prefix[MAX_PREFIX]; /* the folder that all entries are in, with its slash */
    size_t values;           /* of the arguments so far */
    ap_error *err;
} th;

static bool damaged(const th *t, const char *what)
{
    return ap_fail(t->err, AP_FAILED, "'%s' is damaged or not a checkpoint: %s", t->c->path, what);
}

/* ---- arguments to JSON */

static cJSON *to_json(th *t, const nn_value *value, int depth);

static cJSON *list_to_json(th *t, const nn_value *list, int depth)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < list->count && t->values < MAX_VALUES; i++)
        cJSON_AddItemToArray(array, to_json(t, list->items[i], depth));
    return array;
}

static cJSON *dict_to_json(th *t, const nn_value *dict, int depth)
{
    cJSON *object = cJSON_CreateObject();
    for (size_t i = 0; i + 1 < dict->count && t->values < MAX_VALUES; i += 2)
        if (dict->items[i]->kind == NN_STRING)
            cJSON_AddItemToObject(object, dict->items[i]->text, to_json(t, dict->items[i + 1], depth));
    return object;
}

/* Fraction(39, 5) and Fraction("39/5") become "39/5"; what any other call would give is not known: null. */
static cJSON *call_to_json(const nn_value *call)
{
    char text[64];
    const nn_value *arguments = nn_value_at(call, 1), *a = nn_value_at(arguments, 0);
    const nn_value *b = nn_value_at(arguments, 1);
    if (!nn_value_is_symbol(nn_value_at(call, 0), "fractions Fraction") || !a)
        return cJSON_CreateNull();
    if (a->kind == NN_STRING)
        return cJSON_CreateString(a->text);
    if (a->kind != NN_INTEGER || !b || b->kind != NN_INTEGER)
        return cJSON_CreateNull();
    snprintf(text, sizeof text, "%" PRId64 "/%" PRId64, a->integer, b->integer);
    return cJSON_CreateString(text);
}

static cJSON *to_json(th *t, const nn_value *value, int depth)
{
    t->values++;
    if (depth > MAX_DEPTH)
        return cJSON_CreateNull();
    switch (value->kind) {
    case NN_BOOL:
        return cJSON_CreateBool(value->integer != 0);
    case NN_INTEGER:
        return cJSON_CreateNumber((double)value->integer);
    case NN_REAL:
        return cJSON_CreateNumber(value->real);
    case NN_STRING:
        return cJSON_CreateString(value->text);
    case NN_LIST:
        return list_to_json(t, value, depth + 1);
    case NN_DICT:
        return dict_to_json(t, value, depth + 1);
    case NN_CALL:
        return call_to_json(value);
    default:
        return cJSON_CreateNull();
    }
}

/* ---- tensors */

static bool type_of(const nn_value *symbol, nn_type *type)
{
    static const struct {
        const char *symbol;
        nn_type type;
    } types[] = {{"torch HalfStorage", NN_F16},
                 {"torch FloatStorage", NN_F32},
                 {"torch BFloat16Storage", NN_BF16},
                 {"torch DoubleStorage", NN_F64}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (nn_value_is_symbol(symbol, types[i].symbol)) {
            *type = types[i].type;
            return true;
        }
    }
    return false;
}

/* The archive's entry for ('storage', type, key, device, count). */
static nn_zip_entry *find_storage(const th *t, const nn_value *storage, nn_type *type)
{
    const nn_value *kind = nn_value_at(storage, 0), *key = nn_value_at(storage, 2);
    char name[MAX_PREFIX + 32];
    if (!kind || storage->kind != NN_STORAGE || kind->kind != NN_STRING ||
        strcmp(kind->text, "storage") != 0 || !type_of(nn_value_at(storage, 1), type) || !key ||
        key->kind != NN_STRING || strlen(key->text) > 16)
        return NULL;
    snprintf(name, sizeof name, "%sdata/%s", t->prefix, key->text);
    return nn_zip_find(&t->zip, name);
}

static bool integers_of(const nn_value *list, int dims, int64_t *out)
{
    if (!list || list->kind != NN_LIST || list->count != (size_t)dims)
        return false;
    for (int i = 0; i < dims; i++) {
        if (list->items[i]->kind != NN_INTEGER)
            return false;
        out[i] = list->items[i]->integer;
    }
    return true;
}

/* A tensor is a call of _rebuild_tensor_v2(storage, offset, size, stride, ...), perhaps inside one of
 * _rebuild_parameter(tensor, ...). */
static const nn_value *tensor_arguments(const nn_value *value)
{
    if (nn_value_is_symbol(nn_value_at(value, 0), "torch._utils _rebuild_parameter"))
        value = nn_value_at(nn_value_at(value, 1), 0);
    bool is_tensor = nn_value_is_symbol(nn_value_at(value, 0), "torch._utils _rebuild_tensor_v2");
    return is_tensor && value->kind == NN_CALL ? nn_value_at(value, 1) : NULL;
}

/* A value under a tensor's name that no supported model has. */
static bool is_strange(const nn_value *arguments)
{
    const nn_value *type = nn_value_at(nn_value_at(arguments, 0), 1), *size = nn_value_at(arguments, 2);
    nn_type known;
    if (!arguments || (type && type->kind == NN_SYMBOL && !type_of(type, &known)))
        return true;
    bool strange = size && size->kind == NN_LIST && size->count > NN_MAX_DIMS;
    for (size_t i = 0; nn_value_at(size, i); i++)
        strange = strange || (size->items[i]->kind == NN_INTEGER && size->items[i]->integer == 0);
    return strange;
}

static bool add_tensor(th *t, const char *name, const nn_value *value)
{
    const nn_value *arguments = tensor_arguments(value);
    if (is_strange(arguments))
        return nn_checkpoint_add_strange(t->c, name, t->err);
    const nn_value *offset = nn_value_at(arguments, 1), *size = nn_value_at(arguments, 2);
    nn_stored tensor = {.name = (char *)(uintptr_t)name};
    nn_zip_entry *entry = find_storage(t, nn_value_at(arguments, 0), &tensor.type);
    if (!entry || !offset || offset->kind != NN_INTEGER || !size || size->kind != NN_LIST ||
        size->count > NN_MAX_DIMS)
        return damaged(t, "a tensor is described in a way that PyTorch does not write");
    tensor.dims = (int)size->count;
    if (!integers_of(size, tensor.dims, tensor.size) ||
        !integers_of(nn_value_at(arguments, 3), tensor.dims, tensor.stride))
        return damaged(t, "a tensor has a broken shape");
    uint64_t width = nn_type_size(tensor.type), start = (uint64_t)offset->integer;
    if (start > entry->size / width)
        return damaged(t, "a tensor lies outside of its data");
    if (!t->c->trusted && !nn_zip_intact(entry))
        return damaged(t, "the checksum of its data is wrong");
    tensor.data = entry->data + start * width;
    return nn_checkpoint_add(t->c, &tensor, entry->size - start * width, t->err);
}

static bool add_tensors(th *t, const nn_value *state)
{
    if (!state || state->kind != NN_DICT)
        return damaged(t, "it has no 'state'");
    if (nn_value_get(state, "__quantized"))
        return ap_fail(t->err, AP_FAILED,
                       "'%s' is quantised with diffq, which is not supported; use the model without _q",
                       t->c->path);
    t->c->tensors = calloc(state->count / 2 + 1, sizeof *t->c->tensors);
    if (!t->c->tensors)
        return ap_fail_memory(t->err);
    for (size_t i = 0; i + 1 < state->count; i += 2) {
        if (state->items[i]->kind != NN_STRING)
            return damaged(t, "a tensor has no name");
        if (!add_tensor(t, state->items[i]->text, state->items[i + 1]))
            return false;
    }
    return true;
}

/* ---- the whole */

/* "demucs.htdemucs HTDemucs" -> "HTDemucs" */
static bool read_class(th *t, const nn_value *klass)
{
    if (klass->kind != NN_SYMBOL)
        return damaged(t, "it does not say what model it is ('klass')");
    const char *name = strrchr(klass->text, ' ') + 1;
    bool ours = strncmp(klass->text, "demucs.", 7) == 0;
    t->c->klass = strdup(ours ? name : klass->text);
    return t->c->klass || ap_fail_memory(t->err);
}

/* The constructor's first argument is the list of sources, whether by position or by name. */
static bool read_arguments(th *t, const nn_value *args, const nn_value *kwargs)
{
    if (!kwargs || kwargs->kind != NN_DICT)
        return damaged(t, "it has no 'kwargs'");
    if (args && (args->kind != NN_LIST || args->count > 1))
        return damaged(t, "it has too many 'args'");
    t->c->kwargs = to_json(t, kwargs, 0);
    if (args && args->count == 1)
        cJSON_AddItemToObject(t->c->kwargs, "sources", to_json(t, args->items[0], 1));
    if (t->values >= MAX_VALUES)
        return damaged(t, "it has too many 'kwargs'");
    return t->c->kwargs || ap_fail_memory(t->err);
}

static nn_zip_entry *find_pickle(th *t)
{
    static const char pickle[] = "/data.pkl";
    for (size_t i = 0; i < t->zip.count; i++) {
        nn_zip_entry *e = &t->zip.entries[i];
        size_t n = strlen(pickle);
        if (e->name_size <= n || e->name_size - n >= MAX_PREFIX - 1 ||
            memcmp(e->name + e->name_size - n, pickle, n) != 0)
            continue;
        memcpy(t->prefix, e->name, e->name_size - n + 1);
        t->prefix[e->name_size - n + 1] = 0;
        return e;
    }
    return NULL;
}

static bool read_pickle(th *t)
{
    nn_zip_entry *entry = find_pickle(t);
    if (!entry)
        return damaged(t, "it has no data.pkl");
    if (!nn_zip_intact(entry))
        return damaged(t, "the checksum of data.pkl is wrong");
    t->pickle = nn_unpickle(entry->data, entry->size, t->c->path, t->err);
    if (!t->pickle)
        return false;
    const nn_value *root = nn_pickle_root(t->pickle);
    if (root->kind != NN_DICT)
        return damaged(t, "it is no dictionary of tensors");
    const nn_value *klass = nn_value_get(root, "klass");
    if (!klass)
        return (t->c->klass = strdup("")) || ap_fail_memory(t->err);
    return read_class(t, klass) &&
           read_arguments(t, nn_value_get(root, "args"), nn_value_get(root, "kwargs"));
}

/* The dictionary of tensors: a Demucs package has it under 'state', training programs under some other name
 * beside what they need to go on, or there is nothing else. */
static const nn_value *find_state(const th *t)
{
    static const char *const names[] = {"state", "state_dict", "model_state_dict"};
    const nn_value *root = nn_pickle_root(t->pickle);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const nn_value *state = nn_value_get(root, names[i]);
        if (i == 0 && *t->c->klass)
            return state;
        if (state && state->kind == NN_DICT)
            return state;
    }
    return root;
}

bool nn_th_read(nn_checkpoint *c, ap_error *err)
{
    th t = {.c = c, .err = err};
    if (!nn_zip_open(&t.zip, c->bytes, c->size, c->path, err))
        return false;
    bool ok = read_pickle(&t);
    /* An unsupported class is the better reason than tensors of a type that nothing supported has. */
    if (ok && strcmp(c->klass, "Demucs") != 0)
        ok = add_tensors(&t, find_state(&t));
    nn_pickle_free(t.pickle);
    nn_zip_close(&t.zip);
    return ok;
}
