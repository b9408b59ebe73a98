/* SPDX-License-Identifier: GPL-3.0-or-later
 * list.c - many jobs, one on a line. */
#include "jobs/show/list.h"
#include "base/error.h"
#include "base/text.h"
#include "jobs/record/clock.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct listing {
    ap_list_style style;
    bool stages;
    size_t count;
    ap_error *err;
} listing;

/* The mean of the stages' progress; a job in the queue has none. */
static double progress_of(const cJSON *document)
{
    const cJSON *stages = cJSON_GetObjectItemCaseSensitive(document, "stages"), *stage;
    double sum = 0, count = 0;
    if (strcmp(ap_json_string(document, "state"), "done") == 0)
        return 1;
    cJSON_ArrayForEach(stage, stages)
    {
        /* the first one is the recipe, which has no progress of its own */
        if (stage == cJSON_GetArrayItem(stages, 0) && cJSON_GetArraySize(stages) > 1)
            continue;
        sum += ap_json_number(stage, "progress", 0);
        count++;
    }
    return count > 0 ? sum / count : 0;
}

static double seconds_of(const cJSON *document)
{
    double total = 0;
    const cJSON *stage = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(document, "stages"), 0);
    total = ap_json_number(stage, "seconds", NAN);
    if (isnan(total))
        total = ap_time_of(ap_json_string(document, "finished")) -
                ap_time_of(ap_json_string(document, "started"));
    return total;
}

/* Nothing that a terminal or a table could take amiss. */
static void print_text(const char *text)
{
    for (; *text; text++)
        putchar((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

static void print_cell(const char *text, char end)
{
    print_text(text);
    putchar(end);
}

static void print_tsv(const cJSON *d)
{
    const cJSON *input = cJSON_GetObjectItemCaseSensitive(d, "input");
    double seconds = seconds_of(d);
    print_cell(ap_json_string(d, "id"), '\t');
    print_cell(ap_json_string(d, "state"), '\t');
    print_cell(ap_json_string(d, "recipe"), '\t');
    print_cell(ap_json_string(d, "owner"), '\t');
    printf("%g\t%.3f\t", ap_json_number(d, "attempts", 0), progress_of(d));
    if (isnan(seconds))
        printf("\t");
    else
        printf("%.3f\t", seconds);
    print_cell(ap_json_string(d, "created"), '\t');
    print_cell(ap_json_string(d, "finished"), '\t');
    print_cell(ap_json_string(input, "name"), '\t');
    print_cell(ap_json_string(d, "error"), '\n');
}

static void print_row(const cJSON *d)
{
    const cJSON *input = cJSON_GetObjectItemCaseSensitive(d, "input");
    double seconds = seconds_of(d);
    const char *error = ap_json_string(d, "error");
    printf("%-24s %-8s %-8s %4g %3.0f%% ", ap_json_string(d, "id"), ap_json_string(d, "state"),
           ap_json_string(d, "recipe"), ap_json_number(d, "attempts", 0), 100 * progress_of(d));
    if (isnan(seconds))
        printf("%9s  ", "");
    else
        printf("%8.1fs  ", seconds);
    print_text(ap_json_string(input, "name"));
    int more = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(d, "more_inputs"));
    if (more)
        printf(" and %d more", more);
    if (*error) {
        printf(" (");
        print_cell(error, ')');
    }
    printf("\n");
}

static void print_stages(const cJSON *d)
{
    const cJSON *stage;
    cJSON_ArrayForEach(stage, cJSON_GetObjectItemCaseSensitive(d, "stages"))
    {
        double seconds = ap_json_number(stage, "seconds", NAN);
        printf("  %-22s %-8s %13s %3.0f%% ", ap_json_string(stage, "name"), ap_json_string(stage, "state"),
               "", 100 * ap_json_number(stage, "progress", 0));
        if (isnan(seconds))
            printf("\n");
        else
            printf("%8.1fs\n", seconds);
    }
}

static void print_header(ap_list_style style)
{
    if (style == AP_LIST_TABLE)
        printf("%-24s %-8s %-8s %4s %4s %9s  %s\n", "ID", "STATE", "RECIPE", "RUNS", "", "TIME", "INPUT");
    if (style == AP_LIST_TSV)
        printf("id\tstate\trecipe\towner\tattempts\tprogress\tseconds\tcreated\tfinished\tinput\terror\n");
}

static void print_document(listing *l, const cJSON *document)
{
    if (l->count++ == 0)
        print_header(l->style);
    if (l->style == AP_LIST_TABLE)
        print_row(document);
    if (l->style == AP_LIST_TABLE && l->stages)
        print_stages(document);
    if (l->style == AP_LIST_TSV)
        print_tsv(document);
    if (l->style == AP_LIST_JSON) {
        char *text = cJSON_PrintUnformatted(document);
        puts(text ? text : "");
        free(text);
    }
}

static bool list_file(listing *l, const char *path)
{
    cJSON *document = ap_manifest_load(path, l->err);
    if (document)
        print_document(l, document);
    cJSON_Delete(document);
    return document != NULL;
}

/* A job moves while others look: what is gone when we come is not an error. */
static bool list_folder(listing *l, const char *path)
{
    struct dirent **names;
    int count = scandir(path, &names, NULL, alphasort);
    if (count < 0)
        return errno == ENOENT || ap_fail_errno(l->err, errno, "cannot read '%s'", path);
    bool ok = true;
    for (int i = 0; i < count; i++) {
        char *manifest = ap_print("%s/%s/" AP_MANIFEST_NAME, path, names[i]->d_name);
        struct stat st;
        if (names[i]->d_name[0] != '.' && manifest && stat(manifest, &st) == 0 && !list_file(l, manifest))
            ok = ok && stat(manifest, &st) != 0;
        free(manifest);
        free(names[i]);
    }
    free(names);
    return ok;
}

static bool list_path(listing *l, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return ap_fail_errno(l->err, errno, "cannot open '%s'", path);
    if (!S_ISDIR(st.st_mode))
        return list_file(l, path);
    char *manifest = ap_print("%s/" AP_MANIFEST_NAME, path);
    bool job = manifest && stat(manifest, &st) == 0;
    bool ok = job ? list_file(l, manifest) : list_folder(l, path);
    free(manifest);
    return ok;
}

bool ap_list(char **paths, int count, ap_list_style style, bool stages, ap_error *err)
{
    listing l = {.style = style, .stages = stages, .err = err};
    bool ok = true;
    for (int i = 0; i < count; i++)
        if (!list_path(&l, paths[i]))
            ok = false;
    if (fflush(stdout) != 0)
        ok = ap_fail_errno(err, errno, "cannot write 'standard output'");
    return ok;
}
