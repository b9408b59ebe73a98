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
#include <time.h>

typedef struct listing {
    FILE *out;
    ap_list_style style;
    bool stages;
    size_t count;
} listing;

typedef struct walk {
    ap_document_fn *see;
    void *user;
    ap_error *err;
} walk;

static double progress_of(const cJSON *document)
{
    return strcmp(ap_json_string(document, "state"), "done") == 0 ? 1
                                                                  : ap_json_number(document, "progress", 0);
}

double ap_job_next_try(const cJSON *document)
{
    double when = ap_json_number(document, "not_before", NAN);
    bool waits = strcmp(ap_json_string(document, "state"), "queued") == 0 && when > ap_wall_s();
    return waits ? when : NAN;
}

/* For people: the time of the day here, with the day if that is another one. */
static void print_when(FILE *out, double when)
{
    char text[64];
    time_t then = (time_t)when, now = time(NULL);
    struct tm local, today;
    localtime_r(&then, &local);
    localtime_r(&now, &today);
    bool same = local.tm_yday == today.tm_yday && local.tm_year == today.tm_year;
    strftime(text, sizeof text, same ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &local);
    fputs(text, out);
}

double ap_job_seconds(const cJSON *document)
{
    double total = 0;
    const cJSON *stage = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(document, "stages"), 0);
    total = ap_json_number(stage, "seconds", NAN);
    if (isnan(total))
        total = ap_time_of(ap_json_string(document, "finished")) -
                ap_time_of(ap_json_string(document, "started"));
    return total;
}

/* Replaces all that a terminal or a table could misread. */
static void print_text(FILE *out, const char *text)
{
    for (; *text; text++)
        fputc(ap_is_control(*text) ? '?' : *text, out);
}

static void print_cell(FILE *out, const char *text, char end)
{
    print_text(out, text);
    fputc(end, out);
}

static void print_tsv(FILE *out, const cJSON *d)
{
    const cJSON *input = cJSON_GetObjectItemCaseSensitive(d, "input");
    double seconds = ap_job_seconds(d);
    print_cell(out, ap_json_string(d, "id"), '\t');
    print_cell(out, ap_json_string(d, "state"), '\t');
    print_cell(out, ap_json_string(d, "recipe"), '\t');
    print_cell(out, ap_json_string(d, "owner"), '\t');
    fprintf(out, "%g\t%.3f\t", ap_json_number(d, "attempts", 0), progress_of(d));
    if (isnan(seconds))
        fprintf(out, "\t");
    else
        fprintf(out, "%.3f\t", seconds);
    print_cell(out, ap_json_string(d, "created"), '\t');
    print_cell(out, ap_json_string(d, "finished"), '\t');
    print_cell(out, ap_json_string(input, "name"), '\t');
    print_cell(out, ap_json_string(d, "error"), '\t');
    char next[32] = "";
    if (!isnan(ap_job_next_try(d)))
        ap_time_print(ap_job_next_try(d), next);
    print_cell(out, next, '\n');
}

static void print_row(FILE *out, const cJSON *d)
{
    const cJSON *input = cJSON_GetObjectItemCaseSensitive(d, "input");
    double seconds = ap_job_seconds(d);
    const char *error = ap_json_string(d, "error");
    fprintf(out, "%-24s %-8s %-8s %4g %3.0f%% ", ap_json_string(d, "id"), ap_json_string(d, "state"),
            ap_json_string(d, "recipe"), ap_json_number(d, "attempts", 0), 100 * progress_of(d));
    if (isnan(seconds))
        fprintf(out, "%9s  ", "");
    else
        fprintf(out, "%8.1fs  ", seconds);
    print_text(out, ap_json_string(input, "name"));
    int more = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(d, "more_inputs"));
    if (more)
        fprintf(out, " and %d more", more);
    if (*error) {
        fprintf(out, " (");
        print_cell(out, error, ')');
    }
    if (!isnan(ap_job_next_try(d))) {
        fprintf(out, ", next try at ");
        print_when(out, ap_job_next_try(d));
    }
    fprintf(out, "\n");
}

static void print_stages(FILE *out, const cJSON *d)
{
    const cJSON *stage;
    cJSON_ArrayForEach(stage, cJSON_GetObjectItemCaseSensitive(d, "stages"))
    {
        double seconds = ap_json_number(stage, "seconds", NAN);
        fprintf(out, "  %-22s %-8s %13s %3.0f%% ", ap_json_string(stage, "name"),
                ap_json_string(stage, "state"), "", 100 * ap_json_number(stage, "progress", 0));
        if (isnan(seconds))
            fprintf(out, "\n");
        else
            fprintf(out, "%8.1fs\n", seconds);
    }
}

static void print_header(FILE *out, ap_list_style style)
{
    if (style == AP_LIST_TABLE)
        fprintf(out, "%-24s %-8s %-8s %4s %4s %9s  %s\n", "ID", "STATE", "RECIPE", "RUNS", "", "TIME",
                "INPUT");
    if (style == AP_LIST_TSV)
        fprintf(out, "id\tstate\trecipe\towner\tattempts\tprogress\tseconds\tcreated\tfinished\tinput\terror"
                     "\tnext_try\n");
}

static void print_document(const cJSON *document, void *user)
{
    listing *l = user;
    if (l->count++ == 0)
        print_header(l->out, l->style);
    if (l->style == AP_LIST_TABLE)
        print_row(l->out, document);
    if (l->style == AP_LIST_TABLE && l->stages)
        print_stages(l->out, document);
    if (l->style == AP_LIST_TSV)
        print_tsv(l->out, document);
    if (l->style == AP_LIST_JSON) {
        char *text = ap_json_print(document, false);
        fprintf(l->out, "%s\n", text ? text : "");
        free(text);
    }
}

/* ---- finding manifests */

static bool see_file(const walk *w, const char *path)
{
    cJSON *document = ap_manifest_load(path, w->err);
    if (document)
        w->see(document, w->user);
    cJSON_Delete(document);
    return document != NULL;
}

/* A job moves while others look: what is gone when we come is not an error. */
static bool see_folder(const walk *w, const char *path)
{
    struct dirent **names;
    int count = scandir(path, &names, NULL, alphasort);
    if (count < 0)
        return errno == ENOENT || ap_fail_errno(w->err, errno, "cannot read '%s'", path);
    bool ok = true;
    for (int i = 0; i < count; i++) {
        char *manifest = ap_print("%s/%s/" AP_MANIFEST_NAME, path, names[i]->d_name);
        struct stat st;
        if (names[i]->d_name[0] != '.' && manifest && stat(manifest, &st) == 0 && !see_file(w, manifest))
            ok = ok && stat(manifest, &st) != 0;
        free(manifest);
        free(names[i]);
    }
    free(names);
    return ok;
}

static bool see_path(const walk *w, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return ap_fail_errno(w->err, errno, "cannot open '%s'", path);
    if (!S_ISDIR(st.st_mode))
        return see_file(w, path);
    char *manifest = ap_print("%s/" AP_MANIFEST_NAME, path);
    bool job = manifest && stat(manifest, &st) == 0;
    bool ok = job ? see_file(w, manifest) : see_folder(w, path);
    free(manifest);
    return ok;
}

bool ap_each_manifest(char **paths, int count, ap_document_fn *see, void *user, ap_error *err)
{
    const walk w = {see, user, err};
    bool ok = true;
    for (int i = 0; i < count; i++)
        if (!see_path(&w, paths[i]))
            ok = false;
    return ok;
}

bool ap_list(FILE *out, char **paths, int count, ap_list_style style, bool stages, ap_error *err)
{
    listing l = {.out = out, .style = style, .stages = stages};
    return ap_each_manifest(paths, count, print_document, &l, err);
}
