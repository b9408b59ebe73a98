/* SPDX-License-Identifier: GPL-3.0-or-later
 * Any bytes as a text, a path into a document, a recipe's header, a time, and a manifest with its report. */
#include "base/output.h"
#include "jobs/record/clock.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"
#include "jobs/run/recipe.h"
#include "jobs/show/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

/* Whatever it was, it survives the way through JSON. */
static void check_text(const char *text)
{
    cJSON *item = ap_json_text(text);
    char *printed = cJSON_PrintUnformatted(item);
    cJSON *again = cJSON_Parse(printed);
    require(again && strcmp(again->valuestring, item->valuestring) == 0);
    cJSON_Delete(item);
    cJSON_Delete(again);
    free(printed);
}

/* What was stored is found, in a document that is still one. */
static void check_path(const char *path)
{
    ap_error err;
    cJSON *root = cJSON_Parse("{\"a\":[1,{\"b\":2}],\"c\":{\"d\":[]},\"e\":null}");
    (void)ap_json_find(root, path, &err);
    cJSON *value = cJSON_CreateNumber(42);
    if (strcmp(path, ".") != 0 && ap_json_store(root, path, value, &err)) {
        const char *minus = strchr(path, '-'); /* counts from an end that the new element may have moved */
        require(minus || ap_json_find(root, path, &err) == value);
        char *text = cJSON_Print(root);
        cJSON *again = cJSON_Parse(text);
        char *same = cJSON_Print(again);
        require(same && strcmp(text, same) == 0);
        cJSON_Delete(again);
        free(text);
        free(same);
    } else if (strcmp(path, ".") == 0)
        cJSON_Delete(value);
    cJSON_Delete(root);
}

static void check_recipe(const char *text)
{
    ap_recipe recipe = {0};
    ap_error err;
    if (ap_recipe_parse(&recipe, strdup(text), &err)) {
        require(recipe.count <= AP_RECIPE_OPTIONS && recipe.summary && recipe.accept && recipe.needs);
        for (size_t i = 0; i < recipe.count; i++) {
            const ap_recipe_option *o = &recipe.options[i];
            require(*o->key && o->value && *o->pattern && o->help);
        }
    }
    ap_recipe_free(&recipe);
}

static void check_manifest(const uint8_t *data, size_t size)
{
    char path[64];
    ap_error err;
    int fd = memfd_create("manifest", 0);
    require(write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    cJSON *document = ap_manifest_load(path, &err);
    const ap_report_options options = {.embed_bytes = 1000};
    ap_output *out = document ? ap_output_create("/dev/null", false, &err) : NULL;
    if (out)
        (void)ap_report(path, out, &options, &err);
    cJSON_Delete(document);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = 0;
    check_text(text);
    check_path(text);
    check_recipe(text);
    double time = ap_time_of(text);
    require(isnan(time) || !isinf(time));
    check_manifest(data, size);
    free(text);
    return 0;
}
