/* SPDX-License-Identifier: GPL-3.0-or-later
 * jobs.c - jobs over HTTP: list, one, retry, cancel, delete. */
#include "serve/api/jobs.h"
#include "base/text.h"
#include "jobs/record/clock.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"
#include "jobs/spool/clean.h"
#include "jobs/spool/settle.h"
#include "serve/api/events.h"
#include "serve/http/reply.h"
#include "serve/http/state.h"
#include "serve/kept/view.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define MOST 200 /* jobs in an answer */
#define USUAL 50
#define BUSY_S 2 /* that a change waits for a job that is in use */

void ap_asked_job_free(ap_asked_job *job)
{
    free(job->folder);
    cJSON_Delete(job->document);
    *job = (ap_asked_job){.place = AP_TMP};
}

bool ap_find_job(ap_request *r, ap_asked_job *job)
{
    const char *spool = r->server->options->work.spool;
    *job = (ap_asked_job){.place = AP_TMP};
    for (int i = 0; i < 3 && !job->document && strlen(r->id) < AP_ID_BYTES; i++) { /* it may move meanwhile */
        bool there = ap_job_find(spool, r->id, &job->place);
        char *manifest = there ? ap_spool_path(spool, job->place, r->id, AP_MANIFEST_NAME) : NULL;
        job->document = manifest ? ap_manifest_load(manifest, NULL) : NULL;
        free(manifest);
    }
    if (job->document && ap_may_see(r, ap_json_string(job->document, "owner"))) {
        strcpy(r->job, r->id);
        job->folder = ap_spool_path(spool, job->place, r->id, NULL);
        if (job->folder)
            return true;
    }
    ap_asked_job_free(job);
    ap_reply_missing(r, "job");
    return false;
}

/* Where a job that has ended is, and its manifest; false: it has not, or it is not there. */
static bool find_ended(const ap_request *r, ap_place *place, struct stat *manifest)
{
    const char *spool = r->server->options->work.spool;
    if (strlen(r->id) >= AP_ID_BYTES || !ap_job_find(spool, r->id, place) ||
        (*place != AP_DONE && *place != AP_FAILED_JOBS))
        return false;
    char *path = ap_spool_path(spool, *place, r->id, AP_MANIFEST_NAME);
    bool ok = path && stat(path, manifest) == 0;
    free(path);
    return ok;
}

void ap_get_job(ap_request *r)
{
    ap_asked_job job;
    ap_place place;
    struct stat manifest;
    char owner[AP_OWNER_BYTES];
    bool ended = find_ended(r, &place, &manifest);
    char *text = ended ? ap_shown_get(&r->server->shown, r->id, place, &manifest, owner) : NULL;
    if (text && ap_may_see(r, owner)) {
        strcpy(r->job, r->id);
        return ap_reply_json_text(r, 200, text);
    }
    free(text);
    if (!ap_find_job(r, &job))
        return;
    cJSON *view = ap_view_job(job.document, job.place);
    text = view ? ap_json_print(view, false) : NULL;
    if (ended && text && job.place == place)
        ap_shown_put(&r->server->shown, r->id, place, &manifest, ap_json_string(job.document, "owner"), text);
    ap_reply_json_text(r, 200, text);
    cJSON_Delete(view);
    ap_asked_job_free(&job);
}

void ap_reply_job(ap_request *r, unsigned status, const char *id)
{
    ap_asked_job job;
    if (id != r->id)
        strcpy(r->id, id);
    if (!ap_find_job(r, &job))
        return;
    ap_reply_json(r, status, ap_view_job(job.document, job.place));
    ap_asked_job_free(&job);
}

void ap_get_job_events(ap_request *r)
{
    ap_asked_job job;
    if (!ap_find_job(r, &job))
        return;
    ap_asked_job_free(&job);
    ap_get_events(r);
}

/* ---- the list */

static bool read_query(ap_request *r, ap_index_query *q, size_t *limit)
{
    static const char states[] = "queued running done failed cancelled";
    const char *text = ap_query(r, "limit");
    uint64_t number = USUAL;
    *q = (ap_index_query){.owner = r->person.admin ? NULL : r->person.owner,
                          .state = ap_query(r, "state"),
                          .recipe = ap_query(r, "recipe"),
                          .text = ap_query(r, "q"),
                          .before = ap_query(r, "cursor")};
    if (text && (!ap_parse_number(text, &number) || number < 1 || number > MOST))
        return ap_reply_problem(r, 400, "limit", "it is not a number from 1 to %d", MOST), false;
    if (q->state && (strchr(q->state, ' ') || !ap_lists_word(states, q->state)))
        return ap_reply_problem(r, 400, "state", "it is not one of: %s", states), false;
    if (q->before && (!*q->before || strlen(q->before) >= AP_ID_BYTES ||
                      q->before[strspn(q->before, "0123456789abcdef-")]))
        return ap_reply_problem(r, 400, "cursor", "it is not from an answer of this list"), false;
    *limit = (size_t)number;
    return true;
}

static cJSON *load_view(const char *spool, const char *id)
{
    ap_place place;
    bool there = ap_job_find(spool, id, &place);
    char *manifest = there ? ap_spool_path(spool, place, id, AP_MANIFEST_NAME) : NULL;
    cJSON *document = manifest ? ap_manifest_load(manifest, NULL) : NULL;
    cJSON *view = document ? ap_view_job(document, place) : NULL;
    cJSON_Delete(document);
    free(manifest);
    return view;
}

void ap_list_jobs(ap_request *r)
{
    ap_index_query query;
    size_t limit;
    bool more;
    if (!read_query(r, &query, &limit))
        return;
    if (!ap_index_ready(r->server->index))
        return ap_reply_problem(r, 503, NULL, "the jobs are still being read");
    char(*ids)[AP_ID_BYTES] = calloc(limit, sizeof *ids);
    cJSON *answer = cJSON_CreateObject(), *list = answer ? cJSON_AddArrayToObject(answer, "jobs") : NULL;
    size_t count = ids && list ? ap_index_list(r->server->index, &query, limit, ids, &more) : 0;
    for (size_t i = 0; i < count; i++) {
        cJSON *view = load_view(r->server->options->work.spool, ids[i]);
        if (view) /* else it has gone meanwhile */
            cJSON_AddItemToArray(list, view);
    }
    if (!ids || !list || !ap_json_put_text(answer, "next", count && more ? ids[count - 1] : NULL)) {
        cJSON_Delete(answer);
        answer = NULL;
    }
    free(ids);
    ap_reply_json(r, 200, answer);
}

/* ---- changes */

/* Who moves a job holds its lock for a moment longer, in which clients know of the move already. */
typedef bool change_fn(const char *spool, const char *id, ap_error *err);

static bool change(const ap_request *r, change_fn *run, ap_error *err)
{
    const struct timespec moment = {0, 20000000};
    double until = ap_monotonic_s() + BUSY_S;
    for (;;) {
        *err = (ap_error){AP_OK, ""};
        if (run(r->server->options->work.spool, r->id, err))
            return true;
        if (err->code != AP_TRY_AGAIN || err->number || ap_monotonic_s() >= until)
            return false;
        nanosleep(&moment, NULL);
    }
}

/* What the library did not do, because of where the job is. */
static void reply_conflict(ap_request *r, const ap_error *err)
{
    if (err->code == AP_TRY_AGAIN)
        ap_reply_error(r, NULL, err);
    else
        ap_reply_problem(r, 409, NULL, "%s", err->message);
}

static bool restart(const char *spool, const char *id, ap_error *err)
{
    return ap_job_end(spool, id, &(ap_ending){AP_OUTCOME_RESTART}, err);
}

void ap_retry_job(ap_request *r)
{
    ap_error err;
    ap_asked_job job;
    if (!ap_find_job(r, &job))
        return;
    ap_asked_job_free(&job);
    if (!change(r, restart, &err))
        return reply_conflict(r, &err);
    ap_index_look(r->server->index, r->id);
    ap_reply_job(r, 202, r->id);
}

void ap_cancel_job(ap_request *r)
{
    ap_error err;
    ap_asked_job job;
    if (!ap_find_job(r, &job))
        return;
    ap_asked_job_free(&job);
    if (!change(r, ap_job_cancel, &err))
        return reply_conflict(r, &err);
    ap_index_look(r->server->index, r->id);
    ap_reply_job(r, 202, r->id);
}

void ap_delete_job(ap_request *r)
{
    ap_error err;
    ap_asked_job job;
    if (!ap_find_job(r, &job))
        return;
    bool waits = job.place == AP_QUEUE;
    ap_asked_job_free(&job);
    if (waits && !change(r, ap_job_cancel, &err))
        return reply_conflict(r, &err);
    if (!change(r, ap_job_remove, &err))
        return reply_conflict(r, &err);
    ap_index_look(r->server->index, r->id);
    ap_reply_empty(r, 204);
}
