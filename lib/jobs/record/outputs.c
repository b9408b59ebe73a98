/* SPDX-License-Identifier: GPL-3.0-or-later
 * outputs.c - the files that a job made, in its manifest. */
#include "jobs/record/outputs.h"
#include "base/error.h"
#include "base/path.h"
#include "base/text.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"
#include "jobs/record/probe.h"
#include "jobs/record/sha256.h"

#include <errno.h>
#include <fcntl.h>
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

static bool sync_file(const char *path, ap_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (!ok)
        ap_fail_errno(err, errno, "cannot sync '%s'", path);
    if (fd >= 0)
        close(fd);
    return ok;
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

/* Fills output. */
static bool describe(cJSON *output, const char *manifest, const char *path, const char *name, bool measure,
                     ap_error *err)
{
    ap_probe probe;
    uint64_t bytes;
    char hex[AP_SHA256_HEX];
    if (!ap_probe_file(path, measure ? AP_PROBE_LOUDNESS : AP_PROBE_TYPE, &probe, err) ||
        !sync_file(path, err) || !ap_sha256_file(path, hex, &bytes, err))
        return false;
    if (bytes == 0)
        return ap_fail(err, AP_FAILED, "'%s' is empty", path);
    char *where = relative_path(manifest, path), *stem = stem_of(path);
    bool ok = where && stem && ap_json_put_text(output, "name", name ? name : stem) &&
              ap_json_put_path(output, "path", where) && ap_json_put_number(output, "bytes", (double)bytes) &&
              ap_json_put_text(output, "sha256", hex) && ap_probe_put(&probe, output);
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

/* The loudness of one input, to compare with. It is found once. */
static void measure_input(const char *folder, cJSON *input)
{
    ap_probe probe;
    if (!*ap_json_string(input, "path") || ap_json_number(input, "duration", -1) < 0 ||
        !isnan(ap_json_number(input, "loudness", NAN)))
        return;
    char *where = ap_json_path(input, "path"), *path = where ? ap_print("%s/%s", folder, where) : NULL;
    if (path && ap_probe_file(path, AP_PROBE_LOUDNESS, &probe, NULL))
        ap_probe_put(&probe, input);
    free(where);
    free(path);
}

static bool measure_inputs(const char *manifest, ap_outputs *found, ap_error *err)
{
    cJSON *document = ap_manifest_load(manifest, err), *input;
    char *folder = document ? folder_of(manifest) : NULL;
    if (folder) {
        found->input = cJSON_DetachItemFromObjectCaseSensitive(document, "input");
        found->more_inputs = cJSON_DetachItemFromObjectCaseSensitive(document, "more_inputs");
        measure_input(folder, found->input);
        cJSON_ArrayForEach(input, found->more_inputs)
        {
            measure_input(folder, input);
        }
    }
    bool ok = folder || (document ? ap_fail_memory(err) : false);
    cJSON_Delete(document);
    free(folder);
    return ok;
}

bool ap_outputs_look(ap_outputs *found, const char *manifest, char **files, int count, const char *name,
                     bool measure, ap_error *err)
{
    *found = (ap_outputs){.outputs = cJSON_CreateArray()};
    bool ok = found->outputs || ap_fail_memory(err);
    for (int i = 0; ok && i < count; i++) {
        cJSON *output = cJSON_CreateObject();
        if (!output || !cJSON_AddItemToArray(found->outputs, output))
            ok = ap_fail_memory(err);
        ok = ok && describe(output, manifest, files[i], name, measure, err);
    }
    return ok && sync_all_names(found->outputs, manifest, err) &&
           (!measure || measure_inputs(manifest, found, err));
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
