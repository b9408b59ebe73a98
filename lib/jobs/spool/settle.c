/* SPDX-License-Identifier: GPL-3.0-or-later
 * settle.c - the end of an attempt at a job: its state is written, then its folder moves. */
#include "jobs/spool/settle.h"
#include "base/error.h"
#include "jobs/record/clock.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"
#include "jobs/spool/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is asked for, and where the job goes then. */
typedef struct ending {
    const ap_ending *asked;
    ap_place to;
} ending;

/* Seconds to wait after that many attempts. */
static double backoff(const ap_retry *retry, double attempts)
{
    return fmin(AP_LONGEST_BACKOFF_S, retry->backoff_s * exp2(fmax(attempts, 1) - 1));
}

static bool put_back(cJSON *document, ending *e, double attempts)
{
    bool counted = e->asked->outcome == AP_OUTCOME_RETRY;
    if (!counted)
        attempts = e->asked->outcome == AP_OUTCOME_RESTART ? 0 : fmax(attempts - 1, 0);
    e->to = AP_QUEUE;
    return ap_json_put_text(document, "state", "queued") && ap_json_put_text(document, "finished", NULL) &&
           ap_json_put_number(document, "attempts", attempts) &&
           (!counted ||
            ap_json_put_number(document, "not_before", ap_wall_s() + backoff(e->asked->retry, attempts)));
}

static bool put_away(cJSON *document, ending *e, double attempts)
{
    char now[32], tried[1024];
    const char *reason = e->asked->reason ? e->asked->reason : "failed";
    ap_time_text(now);
    bool done = e->asked->outcome == AP_OUTCOME_DONE;
    e->to = done ? AP_DONE : AP_FAILED_JOBS;
    if (e->asked->outcome == AP_OUTCOME_RETRY) {
        snprintf(tried, sizeof tried, "gave up after %g attempts: %s", attempts, reason);
        reason = tried;
    }
    return ap_json_put_text(document, "state", done ? "done" : "failed") &&
           ap_json_put_text(document, "finished", now) &&
           ap_json_put_text(document, "error", done ? NULL : reason);
}

/* A stage that was killed with its recorder could not say so. */
static bool end_stages(cJSON *document)
{
    cJSON *stage;
    bool ok = true;
    cJSON_ArrayForEach(stage, cJSON_GetObjectItemCaseSensitive(document, "stages"))
    {
        if (strcmp(ap_json_string(stage, "state"), "running") == 0)
            ok = ok && ap_json_put_text(stage, "state", "failed");
    }
    return ok;
}

bool ap_job_has_ended(const cJSON *document)
{
    const char *state = ap_json_string(document, "state");
    return strcmp(state, "done") == 0 || strcmp(state, "failed") == 0;
}

static bool finish(cJSON *document, void *user, ap_error *err)
{
    ending *e = user;
    const ap_ending *asked = e->asked;
    if (ap_job_has_ended(document) && asked->outcome != AP_OUTCOME_RESTART) {
        e->to = strcmp(ap_json_string(document, "state"), "done") ? AP_FAILED_JOBS : AP_DONE;
        return true; /* who wrote that was killed before the move */
    }
    double attempts = ap_json_number(document, "attempts", 0);
    bool again = asked->outcome == AP_OUTCOME_REQUEUE || asked->outcome == AP_OUTCOME_RESTART ||
                 (asked->outcome == AP_OUTCOME_RETRY && attempts < asked->retry->attempts);
    if (asked->outputs && !ap_outputs_put(document, asked->outputs, err))
        return false;
    bool ok = end_stages(document) && ap_json_put_text(document, "error", asked->reason) &&
              (again ? put_back(document, e, attempts) : put_away(document, e, attempts));
    cJSON_DeleteItemFromObjectCaseSensitive(document, "runner");
    return ok || ap_fail_memory(err);
}

cJSON *ap_job_as_done(const char *manifest, const ap_outputs *outputs, ap_error *err)
{
    ap_outputs copy = {cJSON_Duplicate(outputs->outputs, true), cJSON_Duplicate(outputs->input, true),
                       cJSON_Duplicate(outputs->more_inputs, true)};
    const ap_ending asked = {AP_OUTCOME_DONE, .outputs = &copy};
    ending e = {&asked, AP_RUNNING};
    cJSON *document = ap_manifest_load(manifest, err);
    bool ok = document && finish(document, &e, err);
    ap_outputs_free(&copy);
    if (ok)
        return document;
    cJSON_Delete(document);
    return NULL;
}

/* Before the move: if we are killed between, whoever moves the job does this again. What goes wrong is
 * written to the job's log, and has no other effect. */
static void tell_of_end(const char *spool, ap_place place, const char *id)
{
    ap_error err;
    char *folder = ap_spool_path(spool, place, id, NULL), *log = ap_spool_path(spool, place, id, "log");
    if (folder && log && !ap_notify(spool, folder, &err)) {
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd >= 0) {
            dprintf(fd, "cannot tell of the end: %s\n", err.message);
            close(fd);
        }
    }
    free(folder);
    free(log);
}

bool ap_job_settle(const char *spool, ap_place from, const char *id, const ap_ending *asked, ap_error *err)
{
    ending e = {asked, from};
    char *manifest = ap_spool_path(spool, from, id, AP_MANIFEST_NAME);
    char *cancel = ap_spool_path(spool, from, id, AP_CANCEL_NAME),
         *work = ap_spool_path(spool, from, id, "work");
    bool ok = (manifest && cancel && work) || ap_fail_memory(err);
    if (ok)
        ap_remove_tree(work); /* first: what is killed after the change is only moved */
    ok = ok && ap_manifest_change(manifest, finish, &e, true, err);
    if (ok)
        unlink(cancel);
    if (ok && (e.to == AP_DONE || e.to == AP_FAILED_JOBS))
        tell_of_end(spool, from, id);
    free(manifest);
    free(cancel);
    free(work);
    return ok && (e.to == from || ap_job_move(spool, from, e.to, id, err));
}

/* What is done stays done; only what has failed starts again. */
static bool may_end(ap_place place, ap_outcome outcome)
{
    if (outcome == AP_OUTCOME_RESTART)
        return place == AP_FAILED_JOBS;
    return place == AP_RUNNING || place == AP_QUEUE;
}

bool ap_job_end(const char *spool, const char *id, const ap_ending *asked, ap_error *err)
{
    ap_place place;
    if (!ap_job_find(spool, id, &place))
        return ap_fail(err, AP_FAILED, "there is no job '%s'", id);
    if (!may_end(place, asked->outcome))
        return ap_fail(err, AP_FAILED, "job '%s' is in %s/", id, ap_place_name(place));
    char *folder = ap_spool_path(spool, place, id, NULL);
    int lock = -1;
    bool ok = folder || ap_fail_memory(err);
    ok = ok && ap_job_lock(folder, &lock, err) == AP_LOCKED && ap_job_settle(spool, place, id, asked, err);
    free(folder);
    if (lock >= 0)
        close(lock);
    return ok;
}

/* The runner looks for this file in the job's folder. */
static bool ask_runner(const char *spool, const char *id, ap_error *err)
{
    char *path = ap_spool_path(spool, AP_RUNNING, id, AP_CANCEL_NAME);
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    bool ok = fd >= 0 || (path ? ap_fail_errno(err, errno, "cannot create '%s'", path) : ap_fail_memory(err));
    if (fd >= 0)
        close(fd);
    free(path);
    return ok;
}

bool ap_job_cancel(const char *spool, const char *id, ap_error *err)
{
    ap_place place;
    if (!ap_job_find(spool, id, &place))
        return ap_fail(err, AP_FAILED, "there is no job '%s'", id);
    if (place == AP_RUNNING)
        return ask_runner(spool, id, err);
    if (place != AP_QUEUE)
        return ap_fail(err, AP_FAILED, "%s has ended already, it is in %s/", id, ap_place_name(place));
    return ap_job_end(spool, id, &(ap_ending){AP_OUTCOME_FAILED, "cancelled"}, err);
}
