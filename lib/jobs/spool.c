/* SPDX-License-Identifier: GPL-3.0-or-later
 * spool.c - the folders of jobs: one folder a job, which says by its place how far the job is.
 *
 * A folder moves by one rename. Whoever works on a job holds a lock on the file "lock" in its folder; the
 * kernel drops it with the last process that has it, so a job in running/ without a lock is one whose runner
 * died. Its place counts; the state in the manifest follows: it is written before the move, and repaired when
 * a kill came between. */
#include "jobs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LONGEST_BACKOFF_S 3600

const char *ap_place_name(ap_place place)
{
    static const char *const names[AP_PLACES] = {"tmp", "incoming", "queue", "running", "done", "failed"};
    return names[place];
}

char *ap_spool_path(const char *spool, ap_place place, const char *id, const char *leaf)
{
    return ap_print("%s/%s%s%s%s%s", spool, ap_place_name(place), id ? "/" : "", id ? id : "",
                    leaf ? "/" : "", leaf ? leaf : "");
}

static bool make_folder(const char *path, ap_error *err)
{
    if (!path)
        return ap_fail_memory(err);
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return true;
    return ap_fail_errno(err, errno, "cannot create '%s'", path);
}

bool ap_spool_prepare(const char *spool, ap_error *err)
{
    bool ok = make_folder(spool, err);
    for (ap_place place = 0; ok && place < AP_PLACES; place++) {
        char *path = ap_spool_path(spool, place, NULL, NULL);
        ok = make_folder(path, err);
        free(path);
    }
    return ok;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void ap_remove_tree(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- locks */

static bool still_there(int fd, const char *path)
{
    struct stat a, b;
    return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int lock_file(const char *path, const char *folder, ap_error *err)
{
    struct stat st;
    /* for writing: flock on NFS needs it; read-only spools have nothing to lock */
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        ap_fail_errno(err, errno, "cannot lock '%s'", folder);
        return -1;
    }
    int why = 0;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        ap_fail(err, AP_TRY_AGAIN, "'%s' is in use", folder), why = EWOULDBLOCK;
    else if (!still_there(fd, path))
        ap_fail(err, AP_FAILED, "'%s' has moved", folder), why = ENOENT;
    else if (fstat(fd, &st) != 0 || st.st_uid != geteuid())
        ap_fail(err, AP_FAILED, "'%s' belongs to someone else", folder), why = EACCES;
    else
        return fd;
    close(fd);
    errno = why;
    return -1;
}

int ap_job_lock(const char *folder, ap_error *err)
{
    char *path = ap_print("%s/lock", folder);
    if (!path) {
        ap_fail_memory(err);
        return -1;
    }
    int fd = lock_file(path, folder, err), why = errno;
    free(path);
    errno = why;
    return fd;
}

/* ---- moving */

/* A job that the power took back from running/ to queue/ is as good as before, so only other moves are
 * durable. */
static bool move(const char *spool, ap_place from, ap_place to, const char *id, ap_error *err)
{
    char *source = ap_spool_path(spool, from, id, NULL), *target = ap_spool_path(spool, to, id, NULL);
    char *left = ap_spool_path(spool, from, NULL, NULL), *entered = ap_spool_path(spool, to, NULL, NULL);
    bool ok = source && target && left && entered;
    if (!ok)
        ap_fail_memory(err);
    else if (rename(source, target) != 0)
        ok = ap_fail_errno(err, errno, "cannot move '%s' to '%s'", source, target);
    else if (to != AP_RUNNING)
        ok = ap_sync_folder(entered, err) && ap_sync_folder(left, err);
    free(source);
    free(target);
    free(left);
    free(entered);
    return ok;
}

typedef struct ending {
    ap_outcome outcome;
    const char *reason;
    const ap_retry *retry;
    ap_place to;
} ending;

static double wall_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Seconds to wait after so many attempts. */
static double backoff(const ap_retry *retry, double attempts)
{
    return fmin(LONGEST_BACKOFF_S, retry->backoff_s * exp2(fmax(attempts, 1) - 1));
}

static bool put_back(cJSON *document, ending *e, double attempts)
{
    bool counted = e->outcome == AP_OUTCOME_RETRY;
    if (!counted)
        attempts = e->outcome == AP_OUTCOME_RESTART ? 0 : fmax(attempts - 1, 0);
    e->to = AP_QUEUE;
    return ap_json_put_text(document, "state", "queued") && ap_json_put_text(document, "finished", NULL) &&
           ap_json_put_number(document, "attempts", attempts) &&
           (!counted || ap_json_put_number(document, "not_before", wall_s() + backoff(e->retry, attempts)));
}

static bool put_away(cJSON *document, ending *e, double attempts)
{
    char now[32], reason[1024];
    ap_json_now(now);
    bool done = e->outcome == AP_OUTCOME_DONE;
    e->to = done ? AP_DONE : AP_FAILED_JOBS;
    if (e->outcome == AP_OUTCOME_RETRY) {
        snprintf(reason, sizeof reason, "gave up after %g attempts: %s", attempts,
                 e->reason ? e->reason : "failed");
        e->reason = NULL;
    }
    return ap_json_put_text(document, "state", done ? "done" : "failed") &&
           ap_json_put_text(document, "finished", now) &&
           ap_json_put_text(document, "error",
                            done        ? NULL
                            : e->reason ? e->reason
                                        : reason);
}

static bool finish(cJSON *document, void *user, ap_error *err)
{
    ending *e = user;
    double attempts = ap_json_number(document, "attempts", 0);
    bool again = e->outcome == AP_OUTCOME_REQUEUE || e->outcome == AP_OUTCOME_RESTART ||
                 (e->outcome == AP_OUTCOME_RETRY && (!e->retry || attempts < e->retry->attempts));
    bool ok = ap_json_put_text(document, "error", e->reason) &&
              (again ? put_back(document, e, attempts) : put_away(document, e, attempts));
    cJSON_DeleteItemFromObjectCaseSensitive(document, "runner");
    return ok || ap_fail_memory(err);
}

bool ap_job_settle(const char *spool, ap_place from, const char *id, ap_outcome outcome, const char *reason,
                   const ap_retry *retry, ap_error *err)
{
    ending e = {outcome, reason ? reason : outcome == AP_OUTCOME_FAILED ? "failed" : NULL, retry, from};
    char *manifest = ap_spool_path(spool, from, id, AP_MANIFEST_NAME);
    char *cancel = ap_spool_path(spool, from, id, "cancel"), *work = ap_spool_path(spool, from, id, "work");
    bool ok = (manifest && cancel && work) || ap_fail_memory(err);
    ok = ok && ap_manifest_change(manifest, finish, &e, true, err);
    if (ok) {
        unlink(cancel);
        ap_remove_tree(work);
    }
    free(manifest);
    free(cancel);
    free(work);
    return ok && (e.to == from || move(spool, from, e.to, id, err));
}

/* ---- claiming */

typedef enum verdict { TAKE, LATER, FINISHED, CANCELLED, EXHAUSTED } verdict;

/* A wait that is longer than any we order means that the clock was set back. */
static bool is_due(const cJSON *document)
{
    double wait = ap_json_number(document, "not_before", 0) - wall_s();
    return wait <= 0 || wait > LONGEST_BACKOFF_S;
}

static bool is_cancelled(const char *spool, ap_place place, const char *id)
{
    char *path = ap_spool_path(spool, place, id, "cancel");
    bool found = path && access(path, F_OK) == 0;
    free(path);
    return found;
}

static verdict judge(const cJSON *document, ap_place place, const ap_retry *retry)
{
    const char *state = ap_json_string(document, "state");
    if (place == AP_RUNNING && (strcmp(state, "done") == 0 || strcmp(state, "failed") == 0))
        return FINISHED; /* killed before the move */
    if (ap_json_number(document, "attempts", 0) >= retry->attempts)
        return EXHAUSTED;
    return place == AP_RUNNING || is_due(document) ? TAKE : LATER;
}

static bool start_attempt(cJSON *document, void *user, ap_error *err)
{
    (void)user;
    char now[32], host[256] = "";
    ap_json_now(now);
    gethostname(host, sizeof host - 1);
    cJSON *runner = cJSON_CreateObject();
    bool ok = ap_json_put_number(document, "attempts", ap_json_number(document, "attempts", 0) + 1) &&
              ap_json_put_text(document, "state", "running") && ap_json_put_text(document, "started", now) &&
              ap_json_put_text(document, "finished", NULL) &&
              ap_json_put(document, "stages", cJSON_CreateArray()) &&
              ap_json_put(document, "outputs", cJSON_CreateArray()) &&
              ap_json_put(document, "tools", cJSON_CreateObject()) &&
              ap_json_put(document, "runner", runner) && ap_json_put_text(runner, "host", host) &&
              ap_json_put_number(runner, "process", getpid());
    cJSON_DeleteItemFromObjectCaseSensitive(document, "not_before");
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
        ok = make_folder(path, err);
        free(path);
    }
    return ok;
}

/* The job is locked. */
static bool take(const char *spool, ap_place place, const char *id, const char *manifest, ap_error *err)
{
    return ap_manifest_change(manifest, start_attempt, NULL, false, err) &&
           (place == AP_RUNNING || move(spool, place, AP_RUNNING, id, err)) && make_room(spool, id, err);
}

/* A record that cannot be read: kept, out of the way. */
static void set_aside(const char *spool, ap_place place, const char *id, const char *manifest)
{
    struct stat st;
    if (stat(manifest, &st) == 0 || errno == ENOENT)
        move(spool, place, AP_FAILED_JOBS, id, NULL);
}

/* Takes the job, or puts it where it belongs. False with err->code AP_OK: nothing to do. */
static bool decide(const char *spool, ap_place place, const char *id, const char *manifest,
                   const cJSON *document, const ap_retry *retry, ap_error *err)
{
    const char *reason = ap_json_string(document, "error");
    switch (is_cancelled(spool, place, id) ? CANCELLED : judge(document, place, retry)) {
    case CANCELLED:
        ap_job_settle(spool, place, id, AP_OUTCOME_FAILED, "cancelled", NULL, err);
        break;
    case TAKE:
        return take(spool, place, id, manifest, err);
    case FINISHED:
        move(spool, place, strcmp(ap_json_string(document, "state"), "done") ? AP_FAILED_JOBS : AP_DONE, id,
             err);
        break;
    case EXHAUSTED:
        ap_job_settle(spool, place, id, AP_OUTCOME_RETRY, *reason ? reason : "the runner died", retry, err);
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

/* The lock if the job is now ours, else -1. */
static int try_job(const char *spool, ap_place place, const char *id, const ap_retry *retry,
                   ap_error *trouble)
{
    ap_error err = {AP_OK, ""};
    char *folder = ap_spool_path(spool, place, id, NULL);
    int lock = folder ? ap_job_lock(folder, &err) : -1;
    free(folder);
    /* someone else has it, had it, or owns it */
    if (lock < 0 && (errno == EWOULDBLOCK || errno == ENOENT || errno == EACCES || errno == ENOTDIR))
        return -1;
    if (lock >= 0 && try_locked(spool, place, id, retry, &err))
        return lock;
    if (lock >= 0)
        close(lock);
    if (err.code != AP_OK)
        *trouble = err;
    return -1;
}

/* ---- the list of candidates */

void ap_queue_free(ap_queue *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->ids[i]);
    free(list->ids);
    *list = (ap_queue){0};
}

static bool append(ap_queue *list, ap_place place, const char *id)
{
    if ((list->count & (list->count - 1)) == 0) { /* full: a power of two, or 0 */
        char **more = realloc(list->ids, (list->count ? 2 * list->count : 1) * sizeof *more);
        if (!more)
            return false;
        list->ids = more;
    }
    char *entry = malloc(strlen(id) + 2);
    if (!entry)
        return false;
    entry[0] = (char)place;
    strcpy(entry + 1, id);
    list->ids[list->count++] = entry;
    return true;
}

static void scan(const char *spool, ap_place place, ap_queue *list)
{
    char *path = ap_spool_path(spool, place, NULL, NULL);
    DIR *folder = path ? opendir(path) : NULL;
    free(path);
    for (const struct dirent *entry; folder && (entry = readdir(folder));)
        if (entry->d_name[0] != '.' && strlen(entry->d_name) < 64 && !append(list, place, entry->d_name))
            break;
    if (folder)
        closedir(folder);
}

/* An ID begins with its time, so this is the order of arrival. */
static int by_id(const void *a, const void *b)
{
    return strcmp(*(char *const *)a + 1, *(char *const *)b + 1);
}

int ap_job_claim(const char *spool, const ap_retry *retry, ap_queue *list, char id[64], ap_error *trouble)
{
    if (list->next == list->count) {
        ap_queue_free(list);
        scan(spool, AP_RUNNING, list);
        scan(spool, AP_QUEUE, list);
        if (list->count)
            qsort(list->ids, list->count, sizeof *list->ids, by_id);
    }
    while (list->next < list->count) {
        const char *entry = list->ids[list->next++];
        int lock = try_job(spool, (ap_place)entry[0], entry + 1, retry, trouble);
        if (lock >= 0) {
            strcpy(id, entry + 1);
            return lock;
        }
    }
    return -1;
}
