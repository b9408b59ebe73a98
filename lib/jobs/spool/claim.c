/* SPDX-License-Identifier: GPL-3.0-or-later
 * claim.c - the next job that is due, taken under its lock. */
#include "jobs/spool/claim.h"
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
#include <unistd.h>

typedef enum verdict { TAKE, LATER, CANCELLED, OVER } verdict;

/* A wait longer than any that we set means that the clock was set back. */
static bool is_due(const cJSON *document)
{
    double wait = ap_json_number(document, "not_before", 0) - ap_wall_s();
    return wait <= 0 || wait > AP_LONGEST_BACKOFF_S;
}

static bool is_cancelled(const char *spool, ap_place place, const char *id)
{
    char *path = ap_spool_path(spool, place, id, AP_CANCEL_NAME);
    bool found = path && access(path, F_OK) == 0;
    free(path);
    return found;
}

static verdict judge(const cJSON *document, ap_place place, const ap_retry *retry)
{
    if (place == AP_RUNNING && ap_job_has_ended(document))
        return OVER; /* killed before the move */
    if (ap_json_number(document, "attempts", 0) >= retry->attempts)
        return OVER;
    return place == AP_RUNNING || is_due(document) ? TAKE : LATER;
}

static bool start_attempt(cJSON *document, void *user, ap_error *err)
{
    (void)user;
    char now[32], host[256] = "";
    ap_time_text(now);
    gethostname(host, sizeof host - 1);
    cJSON *runner = cJSON_CreateObject();
    bool ok = ap_json_put_number(document, "attempts", ap_json_number(document, "attempts", 0) + 1) &&
              ap_json_put_text(document, "state", "running") && ap_json_put_text(document, "started", now) &&
              ap_json_put_text(document, "finished", NULL) &&
              ap_json_put(document, "stages", cJSON_CreateArray()) &&
              ap_json_put(document, "outputs", cJSON_CreateArray()) &&
              ap_json_put(document, "tools", cJSON_CreateObject()) &&
              ap_json_put_number(document, "progress", 0) && ap_json_put(document, "runner", runner) &&
              ap_json_put_text(runner, "host", host) && ap_json_put_number(runner, "process", getpid());
    cJSON_DeleteItemFromObjectCaseSensitive(document, "not_before");
    cJSON_DeleteItemFromObjectCaseSensitive(document, "parts");
    return ok || ap_fail_memory(err);
}

/* Empty folders for an attempt, whatever the last one left. */
static bool make_room(const char *spool, const char *id, ap_error *err)
{
    static const char *const leaves[] = {"out", "work"};
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof leaves / sizeof *leaves; i++) {
        char *path = ap_spool_path(spool, AP_RUNNING, id, leaves[i]);
        if (path)
            ap_remove_tree(path);
        ok = ap_make_folder(path, err);
        free(path);
    }
    return ok;
}

/* The job is locked. */
static bool take(const char *spool, ap_place place, const char *id, const char *manifest, ap_error *err)
{
    return ap_manifest_change(manifest, start_attempt, NULL, false, err) &&
           (place == AP_RUNNING || ap_job_move(spool, place, AP_RUNNING, id, err)) &&
           make_room(spool, id, err);
}

/* A record that cannot be read: kept, out of the way. */
static void set_aside(const char *spool, ap_place place, const char *id, const char *manifest)
{
    struct stat st;
    if (stat(manifest, &st) == 0 || errno == ENOENT)
        ap_job_move(spool, place, AP_FAILED_JOBS, id, NULL);
}

/* Takes the job, or puts it where it belongs. False with err->code AP_OK: nothing to do. */
static bool decide(const char *spool, ap_place place, const char *id, const char *manifest,
                   const cJSON *document, const ap_retry *retry, ap_error *err)
{
    const char *reason = ap_json_string(document, "error");
    switch (is_cancelled(spool, place, id) ? CANCELLED : judge(document, place, retry)) {
    case CANCELLED:
        ap_job_settle(spool, place, id, &(ap_ending){AP_OUTCOME_FAILED, "cancelled"}, err);
        break;
    case TAKE:
        return take(spool, place, id, manifest, err);
    case OVER:
        ap_job_settle(spool, place, id,
                      &(ap_ending){AP_OUTCOME_RETRY, *reason ? reason : "the runner died", retry}, err);
        break;
    case LATER:
        break;
    }
    return false;
}

static bool try_locked(const char *spool, ap_place place, const char *id, const ap_retry *retry,
                       ap_error *err)
{
    char *manifest = ap_spool_path(spool, place, id, AP_MANIFEST_NAME);
    if (!manifest)
        return ap_fail_memory(err);
    cJSON *document = ap_manifest_load(manifest, err);
    bool taken = document && decide(spool, place, id, manifest, document, retry, err);
    if (!document && err->code == AP_FAILED)
        set_aside(spool, place, id, manifest);
    cJSON_Delete(document);
    free(manifest);
    return taken;
}

/* Reads without the lock, which would keep the job from a runner that wants it. Whoever meets a record that
 * cannot be read puts it away. */
static bool is_chosen(const char *spool, ap_place place, const char *id, const ap_job_choice *choice)
{
    char *manifest = choice ? ap_spool_path(spool, place, id, AP_MANIFEST_NAME) : NULL;
    cJSON *document = manifest ? ap_manifest_load(manifest, NULL) : NULL;
    bool chosen = !document || ap_job_is_chosen(choice, document);
    cJSON_Delete(document);
    free(manifest);
    return chosen;
}

/* The lock if the job is now ours, else -1. */
static int try_job(const char *spool, ap_place place, const char *id, const ap_retry *retry,
                   const ap_job_choice *choice, ap_error *trouble)
{
    ap_error err = {AP_OK, ""};
    if (!is_chosen(spool, place, id, choice))
        return -1;
    char *folder = ap_spool_path(spool, place, id, NULL);
    int lock = -1;
    ap_lock_state state = folder ? ap_job_lock(folder, &lock, &err) : AP_LOCK_ERROR;
    free(folder);
    if (state == AP_LOCKED) {
        if (try_locked(spool, place, id, retry, &err))
            return lock;
        close(lock);
    }
    /* else someone else has it, had it, or owns it */
    if ((state == AP_LOCKED || state == AP_LOCK_ERROR) && err.code != AP_OK)
        *trouble = err;
    return -1;
}

/* ---- the list of candidates */

void ap_candidates_free(ap_candidates *list)
{
    free(list->items);
    *list = (ap_candidates){0};
}

static bool append(ap_candidates *list, ap_place place, const char *id)
{
    if ((list->count & (list->count - 1)) == 0) { /* full: a power of two, or 0 */
        size_t room = list->count ? 2 * list->count : 1;
        ap_candidate *more = reallocarray(list->items, room, sizeof *more);
        if (!more)
            return false;
        list->items = more;
    }
    ap_candidate *c = &list->items[list->count++];
    c->place = place;
    strcpy(c->id, id);
    return true;
}

static void scan(const char *spool, ap_place place, ap_candidates *list)
{
    char *path = ap_spool_path(spool, place, NULL, NULL);
    DIR *folder = path ? opendir(path) : NULL;
    free(path);
    for (const struct dirent *entry; folder && (entry = readdir(folder));)
        if (entry->d_name[0] != '.' && strlen(entry->d_name) < AP_ID_BYTES &&
            !append(list, place, entry->d_name))
            break;
    if (folder)
        closedir(folder);
}

/* ---- a heap: of ten thousand jobs only the next is wanted */

/* An ID starts with its time, so this is the order of arrival. */
static bool is_before(const ap_candidate *a, const ap_candidate *b)
{
    return strcmp(a->id, b->id) < 0;
}

static void sift_down(ap_candidate *items, size_t count, size_t at)
{
    const ap_candidate moved = items[at];
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        child += child + 1 < count && is_before(&items[child + 1], &items[child]);
        if (!is_before(&items[child], &moved))
            break;
        items[at] = items[child];
    }
    items[at] = moved;
}

static ap_candidate take_first(ap_candidates *list)
{
    const ap_candidate first = list->items[0];
    list->items[0] = list->items[--list->count];
    if (list->count)
        sift_down(list->items, list->count, 0);
    return first;
}

static void scan_all(const char *spool, ap_candidates *list)
{
    ap_candidates_free(list);
    scan(spool, AP_RUNNING, list);
    scan(spool, AP_QUEUE, list);
    for (size_t i = list->count / 2; i-- > 0;)
        sift_down(list->items, list->count, i);
}

int ap_job_claim(const char *spool, const ap_retry *retry, const ap_job_choice *choice, ap_candidates *list,
                 char id[AP_ID_BYTES], ap_error *trouble)
{
    if (list->count == 0)
        scan_all(spool, list);
    while (list->count) {
        const ap_candidate c = take_first(list);
        int lock = try_job(spool, c.place, c.id, retry, choice, trouble);
        if (lock >= 0) {
            strcpy(id, c.id);
            return lock;
        }
    }
    return -1;
}

/* ---- counting */

/* A running job waits only if its runner died. */
static bool is_free(const char *folder, ap_place place)
{
    int lock = -1;
    char *path = ap_print("%s/lock", folder);
    struct stat st;
    bool own = path && stat(path, &st) == 0 && st.st_uid == geteuid();
    free(path);
    if (!own || place != AP_RUNNING)
        return own;
    own = ap_job_lock(folder, &lock, NULL) == AP_LOCKED;
    if (lock >= 0)
        close(lock);
    return own;
}

static bool waits(const char *spool, const ap_candidate *c, const ap_retry *retry,
                  const ap_job_choice *choice)
{
    char *folder = ap_spool_path(spool, c->place, c->id, NULL);
    char *manifest = ap_spool_path(spool, c->place, c->id, AP_MANIFEST_NAME);
    cJSON *document = folder && manifest ? ap_manifest_load(manifest, NULL) : NULL;
    bool found = document && judge(document, c->place, retry) == TAKE && ap_job_is_chosen(choice, document) &&
                 !is_cancelled(spool, c->place, c->id) && is_free(folder, c->place);
    cJSON_Delete(document);
    free(folder);
    free(manifest);
    return found;
}

size_t ap_job_count_waiting(const char *spool, const ap_retry *retry, const ap_job_choice *choice)
{
    ap_candidates list = {0};
    size_t count = 0;
    scan_all(spool, &list);
    for (size_t i = 0; i < list.count; i++)
        count += waits(spool, &list.items[i], retry, choice);
    ap_candidates_free(&list);
    return count;
}
