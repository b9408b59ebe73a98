/* SPDX-License-Identifier: GPL-3.0-or-later
 * view.c - a job as the API shows it. */
#include "serve/kept/view.h"
#include "base/media_type.h"
#include "base/path.h"
#include "base/text.h"
#include "jobs/record/clock.h"
#include "jobs/record/json.h"
#include "jobs/show/list.h"
#include "serve/who/parse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- states */

const char *ap_view_state(const cJSON *document, ap_place place)
{
    switch (place) {
    case AP_DONE:
        return "done";
    case AP_FAILED_JOBS:
        return strcmp(ap_json_string(document, "error"), "cancelled") == 0 ? "cancelled" : "failed";
    case AP_RUNNING:
        return "running";
    default:
        return "queued";
    }
}

/* The last stage that runs, except the recipe itself, which is the first. */
static const char *stage_of(const cJSON *document)
{
    const char *name = NULL;
    const cJSON *stage;
    bool first = true;
    cJSON_ArrayForEach(stage, cJSON_GetObjectItemCaseSensitive(document, "stages"))
    {
        if (!first && strcmp(ap_json_string(stage, "state"), "running") == 0)
            name = ap_json_string(stage, "name");
        first = false;
    }
    return name;
}

/* The stage that failed first. */
static const char *failed_stage(const cJSON *document)
{
    const cJSON *stage;
    bool first = true;
    cJSON_ArrayForEach(stage, cJSON_GetObjectItemCaseSensitive(document, "stages"))
    {
        if (!first && strcmp(ap_json_string(stage, "state"), "failed") == 0)
            return ap_json_string(stage, "name");
        first = false;
    }
    return NULL;
}

static double progress_of(const cJSON *document, ap_place place)
{
    return place == AP_DONE      ? 1
           : place == AP_RUNNING ? fmin(1, fmax(0, ap_json_number(document, "progress", 0)))
                                 : 0;
}

/* Seconds until a running job may be done, from how far it is; NAN: not known. */
static double eta_of(const cJSON *document, ap_place place)
{
    double done = progress_of(document, place);
    double started = ap_time_of(ap_json_string(document, "started"));
    if (place != AP_RUNNING || done < 0.02)
        return NAN;
    return fmax(0, (ap_wall_s() - started) * (1 - done) / done);
}

/* ---- files */

static double bytes_of(const cJSON *list)
{
    double total = 0;
    const cJSON *file;
    cJSON_ArrayForEach(file, list)
    {
        total += ap_json_number(file, "bytes", 0);
    }
    return total;
}

double ap_view_bytes(const cJSON *document)
{
    return ap_json_number(cJSON_GetObjectItemCaseSensitive(document, "input"), "bytes", 0) +
           bytes_of(cJSON_GetObjectItemCaseSensitive(document, "more_inputs")) +
           bytes_of(cJSON_GetObjectItemCaseSensitive(document, "outputs"));
}

const char *ap_view_type(const cJSON *file)
{
    return ap_media_type(ap_extension(ap_json_string(file, "path")));
}

/* The path below the first folder of it. */
static const char *below(const char *path)
{
    const char *slash = strchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool has_name(const cJSON *file, const char *name)
{
    char *path = ap_json_path(file, "path");
    bool same = path && *path && *path != '/' && strcmp(below(path), name) == 0;
    free(path);
    return same;
}

const cJSON *ap_view_find(const cJSON *document, bool inputs, const char *name)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(document, inputs ? "more_inputs" : "outputs"), *file;
    const cJSON *first = inputs ? cJSON_GetObjectItemCaseSensitive(document, "input") : NULL;
    if (first && has_name(first, name))
        return first;
    cJSON_ArrayForEach(file, list)
    {
        if (has_name(file, name))
            return file;
    }
    return NULL;
}

/* "/v1/jobs/ID/WHAT/NAME" */
static bool put_link(cJSON *object, const char *key, const char *id, const char *what, const char *name)
{
    char *encoded = name ? ap_percent_encode(name) : NULL;
    char *text =
        ap_print("/v1/jobs/%s%s%s%s%s", id, *what ? "/" : "", what, name ? "/" : "", encoded ? encoded : "");
    bool ok = text && (encoded || !name) && ap_json_put_text(object, key, text);
    free(encoded);
    free(text);
    return ok;
}

/* What inputs and outputs have in common. */
static cJSON *view_file(const cJSON *file, const char *id, const char *what)
{
    cJSON *view = cJSON_CreateObject();
    char *path = ap_json_path(file, "path");
    double seconds = ap_json_number(file, "duration", NAN);
    bool ok = view && path && ap_json_put_number(view, "size", ap_json_number(file, "bytes", NAN)) &&
              ap_json_put_number(view, "duration", seconds >= 0 ? seconds : NAN) &&
              ap_json_put_text(view, "type", ap_view_type(file)) &&
              ap_json_put_number(view, "loudness", ap_json_number(file, "loudness", NAN)) &&
              put_link(view, "href", id, what, below(path));
    free(path);
    if (ok)
        return view;
    cJSON_Delete(view);
    return NULL;
}

static bool add_input(cJSON *list, const cJSON *file, const char *id)
{
    cJSON *view = view_file(file, id, "inputs");
    return view && cJSON_AddItemToArray(list, view) &&
           ap_json_put_text(view, "name", ap_json_string(file, "name"));
}

static cJSON *view_inputs(const cJSON *document, const char *id)
{
    cJSON *list = cJSON_CreateArray();
    const cJSON *file, *first = cJSON_GetObjectItemCaseSensitive(document, "input");
    bool ok = list && (!cJSON_IsObject(first) || add_input(list, first, id));
    cJSON_ArrayForEach(file, cJSON_GetObjectItemCaseSensitive(document, "more_inputs"))
    {
        ok = ok && add_input(list, file, id);
    }
    if (ok)
        return list;
    cJSON_Delete(list);
    return NULL;
}

cJSON *ap_view_outputs(const cJSON *document)
{
    cJSON *answer = cJSON_CreateObject(), *list = answer ? cJSON_AddArrayToObject(answer, "outputs") : NULL;
    const cJSON *file;
    bool ok = list;
    cJSON_ArrayForEach(file, cJSON_GetObjectItemCaseSensitive(document, "outputs"))
    {
        cJSON *view = ok ? view_file(file, ap_json_string(document, "id"), "outputs") : NULL;
        ok = view && cJSON_AddItemToArray(list, view) &&
             ap_json_put_text(view, "name", below(ap_json_string(file, "path"))) &&
             ap_json_put_text(view, "sha256", ap_json_string(file, "sha256"));
    }
    if (ok)
        return answer;
    cJSON_Delete(answer);
    return NULL;
}

/* ---- the job */

static cJSON *view_error(const cJSON *document)
{
    char when[32];
    const char *reason = ap_json_string(document, "error");
    if (!*reason)
        return cJSON_CreateNull();
    cJSON *error = cJSON_CreateObject();
    double next = ap_job_next_try(document);
    if (!isnan(next))
        ap_time_print(next, when);
    if (error && ap_json_put_text(error, "reason", reason) &&
        ap_json_put_text(error, "stage", failed_stage(document)) &&
        ap_json_put_text(error, "next_try", isnan(next) ? NULL : when))
        return error;
    cJSON_Delete(error);
    return NULL;
}

static cJSON *view_links(const char *id)
{
    cJSON *links = cJSON_CreateObject();
    if (links && put_link(links, "self", id, "", NULL) && put_link(links, "outputs", id, "outputs", NULL) &&
        put_link(links, "report", id, "report", NULL) && put_link(links, "log", id, "log", NULL) &&
        put_link(links, "zip", id, "outputs.zip", NULL))
        return links;
    cJSON_Delete(links);
    return NULL;
}

/* NULL instead of "". */
static const char *text_or_null(const cJSON *document, const char *key)
{
    const char *text = ap_json_string(document, key);
    return *text ? text : NULL;
}

cJSON *ap_view_job(const cJSON *document, ap_place place)
{
    cJSON *job = cJSON_CreateObject();
    const char *id = ap_json_string(document, "id");
    const cJSON *input = cJSON_GetObjectItemCaseSensitive(document, "input");
    const cJSON *options = cJSON_GetObjectItemCaseSensitive(document, "options");
    bool ok = job && ap_json_put_text(job, "id", id) &&
              ap_json_put_text(job, "owner", ap_json_string(document, "owner")) &&
              ap_json_put_text(job, "recipe", ap_json_string(document, "recipe")) &&
              ap_json_put_text(job, "state", ap_view_state(document, place)) &&
              ap_json_put_text(job, "name", ap_json_string(input, "name")) &&
              ap_json_put_text(job, "created", text_or_null(document, "created")) &&
              ap_json_put_text(job, "started", text_or_null(document, "started")) &&
              ap_json_put_text(job, "ended", text_or_null(document, "finished")) &&
              ap_json_put_number(job, "progress", progress_of(document, place)) &&
              ap_json_put_text(job, "stage", place == AP_RUNNING ? stage_of(document) : NULL) &&
              ap_json_put_number(job, "eta", eta_of(document, place)) &&
              ap_json_put_number(job, "attempt", ap_json_number(document, "attempts", 0)) &&
              ap_json_put(job, "error", view_error(document)) &&
              ap_json_put(job, "inputs", view_inputs(document, id)) &&
              ap_json_put(job, "settings", options ? cJSON_Duplicate(options, true) : cJSON_CreateObject()) &&
              ap_json_put(job, "links", view_links(id));
    if (ok)
        return job;
    cJSON_Delete(job);
    return NULL;
}
