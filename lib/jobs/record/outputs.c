/* SPDX-License-Identifier: GPL-3.0-or-later
 * outputs.c - the files that a job made, in its manifest. */
#include "jobs/record/outputs.h"
#include "base/error.h"
#include "base/path.h"
#include "base/text.h"
#include "jobs/record/inspect.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"
#include "jobs/record/sha256.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The folder of a manifest, malloc'ed, absolute. */
static char *folder_of(const char *manifest)
{
    char *real = realpath(manifest, NULL), *folder = real ? ap_folder_of(real) : NULL;
    free(real);
    return folder;
}

/* path as it is written to the manifest: relative to its folder, if it is below it. malloc'ed. */
static char *relative_path(const char *manifest, const char *path)
{
    char *folder = folder_of(manifest), *real = realpath(path, NULL), *result = NULL;
    size_t n = folder ? strlen(folder) : 0;
    if (folder && real && strncmp(folder, real, n) == 0 && real[n] == '/')
        result = strdup(real + n + 1);
    else if (real)
        result = strdup(real);
    free(folder);
    free(real);
    return result;
}

/* The file's name without its last extension, malloc'ed. */
static char *stem_of(const char *path)
{
    const char *name = ap_leaf(path);
    return strndup(name, (size_t)ap_stem_length(name));
}

/* The names of a file and of the folders that it is in, below top; of a file elsewhere only its own. */
static bool sync_names(const char *top, const char *where, ap_error *err)
{
    bool below = *where != '/';
    char *path = below ? ap_print("%s/%s", top, where) : strdup(where);
    size_t least = below ? strlen(top) : 0;
    bool ok = path || ap_fail_memory(err), more = ok;
    while (more) {
        char *slash = strrchr(path, '/');
        *slash = 0;
        more = (size_t)(slash - path) > least;
        ok = !more || ap_sync_folder(path, err);
        more = more && ok && below;
    }
    free(path);
    return ok;
}

static bool in_same_folder(const char *a, const char *b)
{
    size_t n = (size_t)(ap_leaf(a) - a);
    return strncmp(a, b, n) == 0 && !strchr(b + n, '/');
}

/* Each folder once, if files of one follow each other. */
static bool sync_all_names(const cJSON *outputs, const char *manifest, ap_error *err)
{
    char *top = folder_of(manifest);
    bool ok = top || ap_fail_errno(err, errno, "cannot open '%s'", manifest);
    const cJSON *output;
    cJSON_ArrayForEach(output, outputs)
    {
        char *where = ap_json_path(output, "path"), *next = ap_json_path(output->next, "path");
        ok = ok && ((where && next) || ap_fail_memory(err));
        if (ok && !(output->next && in_same_folder(where, next)))
            ok = sync_names(top, where, err);
        free(where);
        free(next);
    }
    free(top);
    return ok;
}

/* Fills output with what was found. */
static bool describe(cJSON *output, const char *manifest, const ap_inspection *file, const char *name,
                     ap_error *err)
{
    const ap_error *why = file->probed.code != AP_OK ? &file->probed : &file->hashed;
    if (why->code != AP_OK) {
        if (err)
            *err = *why;
        return false;
    }
    if (file->bytes == 0)
        return ap_fail(err, AP_FAILED, "'%s' is empty", file->path);
    char *where = relative_path(manifest, file->path), *stem = stem_of(file->path);
    bool ok = where && stem && ap_json_put_text(output, "name", name ? name : stem) &&
              ap_json_put_path(output, "path", where) &&
              ap_json_put_number(output, "bytes", (double)file->bytes) &&
              ap_json_put_text(output, "sha256", file->hex) && ap_probe_put(&file->probe, output);
    free(where);
    free(stem);
    return ok || ap_fail_memory(err);
}

/* Puts output in the place of one with the same name and path, or at the end. Takes it over. */
static bool insert(cJSON *outputs, cJSON *output)
{
    int i = 0;
    const cJSON *old;
    cJSON_ArrayForEach(old, outputs)
    {
        if (strcmp(ap_json_string(old, "path"), ap_json_string(output, "path")) == 0)
            return cJSON_ReplaceItemInArray(outputs, i, output);
        i++;
    }
    return cJSON_AddItemToArray(outputs, output);
}

/* Takes *value over. */
static bool put_if_there(cJSON *document, const char *key, cJSON **value)
{
    cJSON *item = *value;
    *value = NULL;
    return !item || ap_json_put(document, key, item);
}

bool ap_outputs_put(cJSON *document, void *user, ap_error *err)
{
    ap_outputs *found = user;
    cJSON *outputs = cJSON_GetObjectItemCaseSensitive(document, "outputs"), *output;
    if (!cJSON_IsArray(outputs))
        return ap_fail(err, AP_FAILED, "the manifest has no list of outputs");
    while ((output = cJSON_DetachItemFromArray(found->outputs, 0)))
        if (!insert(outputs, output))
            return ap_fail_memory(err);
    return (put_if_there(document, "input", &found->input) &&
            put_if_there(document, "more_inputs", &found->more_inputs)) ||
           ap_fail_memory(err);
}

/* The inputs, as they are; to compare with, their loudness is to be found, once. */
static bool load_inputs(const char *manifest, ap_outputs *found, ap_error *err)
{
    cJSON *document = ap_manifest_load(manifest, err);
    if (!document)
        return false;
    found->input = cJSON_DetachItemFromObjectCaseSensitive(document, "input");
    found->more_inputs = cJSON_DetachItemFromObjectCaseSensitive(document, "more_inputs");
    cJSON_Delete(document);
    return true;
}

/* malloc'ed; NULL: nothing is to be measured. */
static char *path_to_measure(const char *folder, const cJSON *input)
{
    if (!input || !*ap_json_string(input, "path") || ap_json_number(input, "duration", -1) < 0 ||
        !isnan(ap_json_number(input, "loudness", NAN)))
        return NULL;
    char *where = ap_json_path(input, "path"), *path = where ? ap_print("%s/%s", folder, where) : NULL;
    free(where);
    return path;
}

/* The input of that number. */
static cJSON *input_at(const ap_outputs *found, int i)
{
    return i == 0 ? found->input : cJSON_GetArrayItem(found->more_inputs, i - 1);
}

/* What was found out: of outputs, then of those inputs that have a path. */
static bool put_all(ap_outputs *found, const char *manifest, const ap_inspection *all, int count,
                    const char *name, char **paths, int inputs, ap_error *err)
{
    const ap_inspection *next = all + count;
    bool ok = true;
    for (int i = 0; i < inputs; i++)
        if (paths[i] && next++->probed.code == AP_OK)
            ap_probe_put(&next[-1].probe, input_at(found, i));
    for (int i = 0; ok && i < count; i++) {
        cJSON *output = cJSON_CreateObject();
        ok = (output && cJSON_AddItemToArray(found->outputs, output)) || ap_fail_memory(err);
        ok = ok && describe(output, manifest, &all[i], name, err);
    }
    return ok;
}

/* Looks at files, and at the inputs together with them. */
static bool look_at_all(ap_outputs *found, const char *manifest, char **files, int count, const char *name,
                        bool measure, ap_error *err)
{
    int inputs = 1 + cJSON_GetArraySize(found->more_inputs);
    char *folder = folder_of(manifest), **paths = calloc((size_t)inputs, sizeof *paths);
    ap_inspection *all = calloc((size_t)(count + inputs), sizeof *all), *next = all;
    bool ok = (folder && paths && all) || ap_fail_memory(err);
    for (int i = 0; ok && i < count; i++)
        *next++ = (ap_inspection){
            .path = files[i], .depth = measure ? AP_PROBE_LOUDNESS : AP_PROBE_TYPE, .hash = true};
    for (int i = 0; ok && i < inputs; i++)
        if ((paths[i] = path_to_measure(folder, input_at(found, i))))
            *next++ = (ap_inspection){.path = paths[i], .depth = AP_PROBE_LOUDNESS};
    if (ok)
        ap_inspect(all, (size_t)(next - all));
    ok = ok && put_all(found, manifest, all, count, name, paths, inputs, err);
    for (int i = 0; paths && i < inputs; i++)
        free(paths[i]);
    free(paths);
    free(folder);
    free(all);
    return ok;
}

bool ap_outputs_look(ap_outputs *found, const char *manifest, char **files, int count, const char *name,
                     bool measure, ap_error *err)
{
    *found = (ap_outputs){.outputs = cJSON_CreateArray()};
    bool ok = found->outputs || ap_fail_memory(err);
    return ok && (!measure || load_inputs(manifest, found, err)) &&
           look_at_all(found, manifest, files, count, name, measure, err) &&
           sync_all_names(found->outputs, manifest, err);
}

void ap_outputs_free(ap_outputs *found)
{
    cJSON_Delete(found->outputs);
    cJSON_Delete(found->input);
    cJSON_Delete(found->more_inputs);
    *found = (ap_outputs){0};
}

static bool verify_one(const char *folder, const cJSON *output, ap_error *err)
{
    char hex[AP_SHA256_HEX];
    uint64_t bytes;
    char *where = ap_json_path(output, "path");
    bool outside = where && *where == '/';
    char *path = where ? ap_print("%s%s%s", outside ? "" : folder, outside ? "" : "/", where) : NULL;
    bool ok = path ? ap_sha256_file(path, hex, &bytes, err) : ap_fail_memory(err);
    if (ok && strcmp(hex, ap_json_string(output, "sha256")) != 0)
        ok = ap_fail(err, AP_FAILED, "'%s' has changed: sha256 is %s", path, hex);
    free(where);
    free(path);
    return ok;
}

bool ap_outputs_verify(const char *manifest, ap_error *err)
{
    cJSON *document = ap_manifest_load(manifest, err);
    char *folder = document ? folder_of(manifest) : NULL;
    bool ok = folder != NULL;
    const cJSON *output;
    cJSON_ArrayForEach(output, cJSON_GetObjectItemCaseSensitive(document, "outputs"))
    {
        ok = ok && verify_one(folder, output, err);
    }
    cJSON_Delete(document);
    free(folder);
    return ok;
}
