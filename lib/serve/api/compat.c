/* SPDX-License-Identifier: GPL-3.0-or-later
 * compat.c - the paths that other services have. */
#include "serve/api/compat.h"
#include "base/path.h"
#include "base/text.h"
#include "jobs/record/json.h"
#include "jobs/spool/clean.h"
#include "jobs/spool/settle.h"
#include "serve/api/files.h"
#include "serve/api/form.h"
#include "serve/api/jobs.h"
#include "serve/api/signed.h"
#include "serve/api/submit.h"
#include "serve/http/reply.h"
#include "serve/http/room.h"
#include "serve/http/sign.h"
#include "serve/http/state.h"
#include "serve/kept/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- the name for file and job */

#define TIME_BYTES 16 /* "20261130-080000-" */

static void plan_job(const char *upload, char job[AP_ID_BYTES])
{
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    size_t n = strftime(job, AP_ID_BYTES, "%Y%m%d-%H%M%S-", &utc);
    snprintf(job + n, AP_ID_BYTES - n, "%s", upload);
}

/* The ID of the upload in a name; NULL: it is none. */
static const char *upload_in(const char *name)
{
    return strlen(name) == TIME_BYTES + AP_FILE_ID_BYTES - 1 && ap_is_file_id(name + TIME_BYTES)
               ? name + TIME_BYTES
               : NULL;
}

/* ---- JSON in and out */

/* The body as an object; NULL: it has answered. */
static cJSON *read_body(ap_request *r)
{
    cJSON *asked = r->body ? cJSON_Parse(r->body) : NULL;
    if (cJSON_IsObject(asked))
        return asked;
    cJSON_Delete(asked);
    ap_reply_problem(r, 400, NULL, "the body is not a JSON object");
    return NULL;
}

/* An object of texts: KEY, TEXT, KEY, TEXT, NULL; NULL texts are left out. */
static void reply_texts(ap_request *r, unsigned status, const char *const *texts)
{
    cJSON *answer = cJSON_CreateObject();
    bool ok = answer;
    for (; ok && *texts; texts += 2)
        ok = !texts[1] || ap_json_put_text(answer, texts[0], texts[1]);
    if (!ok) {
        cJSON_Delete(answer);
        answer = NULL;
    }
    ap_reply_json(r, status, answer);
}

/* ---- uploads */

/* Makes an upload of a name and hands out its URL, as {NAME_KEY: ..., URL_KEY: ...}. recipe: see ap_upload.
 */
static void new_upload(ap_request *r, const char *file, const char *field, const char *recipe,
                       const char *name_key, const char *url_key)
{
    ap_error err;
    char when[32];
    ap_upload u = {.length = 1}; /* until it is there: so it is not whole */
    if (!*file || strlen(file) > 1000)
        return ap_reply_problem(r, 422, field, "it has to be the name of a file");
    if (!ap_room_for(r, 0))
        return;
    u.name = strdup(ap_leaf(file));
    u.recipe = recipe ? strdup(recipe) : NULL;
    strcpy(u.owner, r->person.owner);
    if (u.name)
        ap_text_one_line(u.name);
    bool ok = u.name && (u.recipe || !recipe) && ap_upload_new(&r->server->uploads, &u, &err);
    if (ok) {
        plan_job(u.id, u.job);
        ok = ap_upload_save(&r->server->uploads, &u, &err);
    }
    char *url = ok ? ap_signed_put(r, u.id, when) : NULL;
    if (url)
        reply_texts(r, 200, (const char *[]){name_key, u.job, url_key, url, "expires", when, NULL});
    else
        ap_reply_problem(r, 503, NULL, "cannot make an upload");
    free(url);
    ap_upload_free(&u);
}

/* The job of a name, if it is there: r->id. */
static bool has_job(ap_request *r, const char *name)
{
    ap_place place;
    if (strlen(name) >= AP_ID_BYTES || !ap_job_find(r->server->options->work.spool, name, &place))
        return false;
    strcpy(r->id, name);
    return true;
}

/* Makes the job of a name's upload, unless there is one: r->id. Answers when it says false. */
static bool need_job(ap_request *r, const char *name, const char *recipe, const char *format)
{
    ap_upload u = {.partial = false};
    const char *id = upload_in(name);
    ap_asked_job job;
    if (has_job(r, name)) {
        bool may = ap_find_job(r, &job);
        ap_asked_job_free(&job);
        return may;
    }
    bool ok = false;
    if (!id || !ap_upload_load(&r->server->uploads, id, &u) || !ap_may_see(r, u.owner))
        ap_reply_missing(r, "upload");
    else if (!ap_upload_is_whole(&u))
        ap_reply_problem(r, 409, NULL, "the file is not there yet");
    else
        ok = ap_submit_upload(r, &u, recipe, format);
    ap_upload_free(&u);
    return ok;
}

/* ---- outputs */

/* A URL that downloads an output, malloc'ed: the one whose name ends so; the first if that is NULL. */
static char *url_of(ap_request *r, const ap_asked_job *job, const char *end)
{
    const cJSON *file;
    char when[32], *url = NULL;
    cJSON_ArrayForEach(file, cJSON_GetObjectItemCaseSensitive(job->document, "outputs"))
    {
        char *path = ap_json_path(file, "path");
        size_t n = path ? strlen(path) : 0, m = end ? strlen(end) : 0;
        char *href =
            path && strncmp(path, "out/", 4) == 0 && n >= m && (!end || strcmp(path + n - m, end) == 0)
                ? ap_print("/v1/jobs/%s/outputs/%s", r->id, path + 4)
                : NULL;
        if (href && !url)
            url = ap_sign_url(r, "GET", href, ap_json_string(job->document, "owner"), when);
        free(href);
        free(path);
    }
    return url;
}

/* ---- POST /presigned-url */

/* What is asked for again and again until it is there: 404 says that it may come. */
static void download_url(ap_request *r, const char *key)
{
    ap_asked_job job;
    ap_upload u = {.partial = false};
    const char *id = upload_in(key);
    if (!has_job(r, key)) {
        bool refused = id && ap_upload_load(&r->server->uploads, id, &u) && ap_may_see(r, u.owner) &&
                       u.recipe && ap_upload_is_whole(&u);
        ap_upload_free(&u);
        return refused ? ap_reply_problem(r, 410, "key", "this file could not be taken")
                       : ap_reply_missing(r, "output");
    }
    if (!ap_find_job(r, &job))
        return;
    char *url = job.place == AP_DONE ? url_of(r, &job, NULL) : NULL;
    if (url)
        reply_texts(r, 200, (const char *[]){"url", url, NULL});
    else if (job.place == AP_FAILED_JOBS || job.place == AP_DONE)
        ap_reply_problem(r, 410, "key", "%s",
                         job.place == AP_DONE ? "it made nothing" : ap_json_string(job.document, "error"));
    else
        ap_reply_missing(r, "output");
    free(url);
    ap_asked_job_free(&job);
}

void ap_compat_presigned(ap_request *r)
{
    cJSON *asked = read_body(r);
    if (!asked)
        return;
    const char *action = ap_json_string(asked, "action");
    if (strcmp(action, "getUploadUrl") == 0)
        new_upload(r, ap_json_string(asked, "fileName"), "fileName", "8d", "key", "url");
    else if (strcmp(action, "getDownloadUrl") == 0)
        download_url(r, ap_json_string(asked, "key"));
    else
        ap_reply_problem(r, 400, "action", "it is neither getUploadUrl nor getDownloadUrl");
    cJSON_Delete(asked);
}

/* ---- POST /upload, /process, /status, /cleanup */

void ap_compat_upload(ap_request *r)
{
    cJSON *asked = read_body(r);
    if (asked)
        new_upload(r, ap_json_string(asked, "filename"), "filename", NULL, "session_id", "url");
    cJSON_Delete(asked);
}

/* The names that its page knows. */
static const char *status_of(const ap_asked_job *job)
{
    const char *state = ap_view_state(job->document, job->place);
    return strcmp(state, "done") == 0                                        ? "completed"
           : strcmp(state, "failed") == 0 || strcmp(state, "cancelled") == 0 ? "failed"
           : strcmp(state, "running") == 0                                   ? "processing"
                                                                             : "queued";
}

static void reply_status(ap_request *r, unsigned status, const char *session)
{
    ap_asked_job job;
    char progress[32];
    if (!ap_find_job(r, &job))
        return;
    bool done = job.place == AP_DONE, failed = job.place == AP_FAILED_JOBS;
    char *vocals = done ? url_of(r, &job, ".vocals.wav") : NULL;
    char *rest = done ? url_of(r, &job, ".karaoke.wav") : NULL;
    snprintf(progress, sizeof progress, "%.0f",
             done ? 100 : 100 * ap_json_number(job.document, "progress", 0));
    reply_texts(r, status,
                (const char *[]){"session_id", session, "status", status_of(&job), "progress", progress,
                                 "vocals_url", vocals, "no_vocals_url", rest, "error",
                                 failed ? ap_json_string(job.document, "error") : NULL, NULL});
    free(vocals);
    free(rest);
    ap_asked_job_free(&job);
}

void ap_compat_status(ap_request *r)
{
    cJSON *asked = strcmp(r->route->method, "GET") == 0 ? NULL : read_body(r);
    if (r->response)
        return;
    const char *query = ap_query(r, "session_id");
    const char *session = asked ? ap_json_string(asked, "session_id") : query ? query : "";
    const char *id = upload_in(session);
    ap_upload u = {.partial = false};
    if (has_job(r, session))
        reply_status(r, 200, session);
    else if (id && ap_upload_load(&r->server->uploads, id, &u) && ap_may_see(r, u.owner))
        reply_texts(r, 200,
                    (const char *[]){"session_id", session, "status",
                                     ap_upload_is_whole(&u) ? "uploaded" : "waiting", NULL});
    else
        ap_reply_missing(r, "session");
    ap_upload_free(&u);
    cJSON_Delete(asked);
}

/* A running job is told to end first; the client asks again. */
static bool remove_job(ap_request *r, ap_error *err)
{
    const char *spool = r->server->options->work.spool;
    ap_asked_job job;
    if (!ap_find_job(r, &job))
        return false;
    bool over = job.place == AP_DONE || job.place == AP_FAILED_JOBS;
    ap_asked_job_free(&job);
    bool ok = over || ap_job_cancel(spool, r->id, err);
    ok = ok && (ap_job_remove(spool, r->id, err) || ap_job_cancel(spool, r->id, NULL));
    ap_index_look(r->server->index, r->id);
    if (!ok)
        ap_reply_error(r, NULL, err);
    return ok;
}

void ap_compat_cleanup(ap_request *r)
{
    cJSON *asked = read_body(r);
    if (!asked)
        return;
    const char *session = ap_json_string(asked, "session_id"), *id = upload_in(session);
    ap_upload u = {.partial = false};
    ap_error err;
    bool has = has_job(r, session);
    bool there = id && ap_upload_load(&r->server->uploads, id, &u) && ap_may_see(r, u.owner);
    if (!has && !there)
        ap_reply_missing(r, "session");
    else if (!has || remove_job(r, &err)) {
        if (there)
            ap_upload_remove(&r->server->uploads, id);
        reply_texts(r, 200, (const char *[]){"session_id", session, "status", "deleted", NULL});
    }
    ap_upload_free(&u);
    cJSON_Delete(asked);
}

void ap_compat_process_begin(ap_request *r)
{
    if (ap_is_form(r))
        ap_files_begin(r);
}

/* A form: its first file, and the recipe that it names. */
static void process_form(ap_request *r)
{
    char recipe[64];
    cJSON *files = ap_form_end(r, recipe);
    ap_upload u = {.partial = false};
    const char *id = files ? ap_json_string(cJSON_GetArrayItem(files, 0), "id") : NULL;
    if (id && !ap_upload_load(&r->server->uploads, id, &u))
        ap_reply_missing(r, "file");
    else if (id && ap_submit_upload(r, &u, *recipe ? recipe : "stems", NULL))
        reply_texts(r, 202, (const char *[]){"job_id", r->id, NULL});
    ap_upload_free(&u);
    cJSON_Delete(files);
}

void ap_compat_process(ap_request *r)
{
    if (ap_is_form(r))
        return process_form(r);
    cJSON *asked = read_body(r);
    if (!asked)
        return;
    const char *session = ap_json_string(asked, "session_id");
    if (need_job(r, session, "karaoke", "wav"))
        reply_status(r, 202, session);
    cJSON_Delete(asked);
}

/* ---- POST /media/upload/init, complete */

void ap_compat_init(ap_request *r)
{
    cJSON *asked = read_body(r);
    if (asked)
        new_upload(r, ap_json_string(asked, "fileName"), "fileName", NULL, "sessionId", "uploadUrl");
    cJSON_Delete(asked);
}

void ap_compat_complete(ap_request *r)
{
    cJSON *asked = read_body(r);
    if (!asked)
        return;
    const char *recipe = ap_json_string(asked, "recipe");
    if (need_job(r, ap_json_string(asked, "sessionId"), *recipe ? recipe : "podcast", NULL))
        reply_texts(r, 202, (const char *[]){"jobId", r->id, NULL});
    cJSON_Delete(asked);
}

/* ---- GET /health, /download/{id}/{track} */

void ap_compat_health(ap_request *r)
{
    reply_texts(r, 200, (const char *[]){"status", "ok", NULL});
}

/* By its name, or its name without extension: "vocals". */
void ap_compat_track(ap_request *r)
{
    ap_asked_job job;
    const cJSON *file;
    if (!ap_find_job(r, &job))
        return;
    cJSON_ArrayForEach(file, cJSON_GetObjectItemCaseSensitive(job.document, "outputs"))
    {
        char *path = ap_json_path(file, "path");
        const char *leaf = path ? ap_leaf(path) : "";
        size_t stem = (size_t)ap_stem_length(leaf);
        if (strlen(r->name) == stem && strncmp(leaf, r->name, stem) == 0 && strlen(leaf) < AP_PART_BYTES)
            strcpy(r->name, leaf);
        free(path);
    }
    ap_asked_job_free(&job);
    ap_get_output(r);
}
