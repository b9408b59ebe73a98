/* SPDX-License-Identifier: GPL-3.0-or-later
 * outputs.c - the files that a job made, in its manifest. */
#include "jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The folder of a manifest, malloc'ed, absolute. */
static char *folder_of(const char *manifest)
{
    char *real = realpath(manifest, NULL);
    if (real)
        *strrchr(real, '/') = 0;
    return real;
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
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    return strndup(name, dot && dot > name ? (size_t)(dot - name) : strlen(name));
}

/* The names of the folders on the way to a file, from its own up to the current one if it is below that. */
static bool sync_folders(const char *path, ap_error *err)
{
    char *copy = strdup(path);
    bool ok = copy || ap_fail_memory(err), more = ok;
    for (char *folder = copy; more;) {
        folder = dirname(folder);
        ok = ap_sync_folder(folder, err);
        more = ok && *path != '/' && strcmp(folder, ".") != 0;
    }
    free(copy);
    return ok;
}

/* The file and its name are on the disk. */
static bool sync_file(const char *path, ap_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (!ok)
        ap_fail_errno(err, errno, "cannot sync '%s'", path);
    if (fd >= 0)
        close(fd);
    return ok && sync_folders(path, err);
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
              ap_json_put_text(output, "path", where) && ap_json_put_number(output, "bytes", (double)bytes) &&
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

/* What is to be put into the manifest. */
typedef struct news {
    cJSON *outputs, *input, *more_inputs; /* input, more_inputs: NULL = as they are */
} news;

/* Takes *value over. */
static bool put_if_there(cJSON *document, const char *key, cJSON **value)
{
    cJSON *item = *value;
    *value = NULL;
    return !item || ap_json_put(document, key, item);
}

static bool append(cJSON *document, void *user, ap_error *err)
{
    news *n = user;
    cJSON *outputs = cJSON_GetObjectItemCaseSensitive(document, "outputs"), *output;
    if (!cJSON_IsArray(outputs))
        return ap_fail(err, AP_FAILED, "the manifest has no list of outputs");
    while ((output = cJSON_DetachItemFromArray(n->outputs, 0)))
        if (!insert(outputs, output))
            return ap_fail_memory(err);
    return (put_if_there(document, "input", &n->input) &&
            put_if_there(document, "more_inputs", &n->more_inputs)) ||
           ap_fail_memory(err);
}

/* The loudness of one input, to compare with. It is found once. */
static void measure_input(const char *folder, cJSON *input)
{
    const char *where = ap_json_string(input, "path");
    ap_probe probe;
    if (!*where || ap_json_number(input, "duration", -1) < 0 ||
        !isnan(ap_json_number(input, "loudness", NAN)))
        return;
    char *path = ap_print("%s/%s", folder, where);
    if (path && ap_probe_file(path, AP_PROBE_LOUDNESS, &probe, NULL))
        ap_probe_put(&probe, input);
    free(path);
}

static bool measure_inputs(const char *manifest, news *n, ap_error *err)
{
    cJSON *document = ap_manifest_load(manifest, err), *input;
    char *folder = document ? folder_of(manifest) : NULL;
    if (folder) {
        n->input = cJSON_DetachItemFromObjectCaseSensitive(document, "input");
        n->more_inputs = cJSON_DetachItemFromObjectCaseSensitive(document, "more_inputs");
        measure_input(folder, n->input);
        cJSON_ArrayForEach(input, n->more_inputs)
        {
            measure_input(folder, input);
        }
    }
    bool ok = folder || (document ? ap_fail_memory(err) : false);
    cJSON_Delete(document);
    free(folder);
    return ok;
}

bool ap_outputs_add(const char *manifest, char **files, int count, const char *name, bool measure,
                    ap_error *err)
{
    news n = {.outputs = cJSON_CreateArray()};
    bool ok = n.outputs || ap_fail_memory(err);
    for (int i = 0; ok && i < count; i++) {
        cJSON *output = cJSON_CreateObject();
        if (!output || !cJSON_AddItemToArray(n.outputs, output))
            ok = ap_fail_memory(err);
        ok = ok && describe(output, manifest, files[i], name, measure, err);
    }
    ok = ok && (!measure || measure_inputs(manifest, &n, err)) &&
         ap_manifest_change(manifest, append, &n, false, err);
    cJSON_Delete(n.outputs);
    cJSON_Delete(n.input);
    cJSON_Delete(n.more_inputs);
    return ok;
}

static bool verify_one(const char *folder, const cJSON *output, ap_error *err)
{
    char hex[AP_SHA256_HEX];
    const char *where = ap_json_string(output, "path");
    uint64_t bytes;
    char *path = ap_print("%s%s%s", *where == '/' ? "" : folder, *where == '/' ? "" : "/", where);
    bool ok = path ? ap_sha256_file(path, hex, &bytes, err) : ap_fail_memory(err);
    if (ok && strcmp(hex, ap_json_string(output, "sha256")) != 0)
        ok = ap_fail(err, AP_FAILED, "'%s' has changed: sha256 is %s", path, hex);
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
