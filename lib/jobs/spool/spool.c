/* SPDX-License-Identifier: GPL-3.0-or-later
 * spool.c - the folders of jobs: one folder a job, which says by its place how far the job is.
 *
 * A folder moves by one rename. Whoever works on a job holds a lock on the file "lock" in its folder; the
 * system drops it with the last process that has it, so a job in running/ without a lock is one whose runner
 * died. Its place counts; the state in the manifest follows: it is written before the move, and repaired when
 * a kill came between. */
#include "jobs/spool/spool.h"
#include "base/error.h"
#include "base/text.h"
#include "jobs/record/manifest.h"

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

bool ap_make_folder(const char *path, ap_error *err)
{
    if (!path)
        return ap_fail_memory(err);
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return true;
    return ap_fail_errno(err, errno, "cannot create '%s'", path);
}

/* The folders that a path lies in: a new user has no ~/.local. */
static bool make_parents(const char *path, ap_error *err)
{
    char *copy = strdup(path);
    bool ok = copy || ap_fail_memory(err);
    for (char *slash = copy; ok && (slash = strchr(slash + (*slash == '/'), '/'));) {
        *slash = 0;
        ok = ap_make_folder(copy, err);
        *slash = '/';
    }
    free(copy);
    return ok;
}

bool ap_spool_prepare(const char *spool, ap_error *err)
{
    bool ok = make_parents(spool, err) && ap_make_folder(spool, err);
    for (ap_place place = 0; ok && place < AP_PLACES; place++) {
        char *path = ap_spool_path(spool, place, NULL, NULL);
        ok = place == AP_INCOMING || ap_make_folder(path, err);
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

static ap_lock_state why_not_opened(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return AP_LOCK_GONE;
    case EACCES:
    case EPERM:
        return AP_LOCK_FOREIGN;
    default:
        return AP_LOCK_ERROR;
    }
}

/* Locks what is open, if it is still the file of that name and ours. */
static ap_lock_state lock_open(int fd, const char *path, const char *folder, ap_error *err)
{
    struct stat st;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return ap_fail(err, AP_TRY_AGAIN, "'%s' is in use", folder), AP_LOCK_BUSY;
    if (!ap_same_file(fd, path))
        return ap_fail(err, AP_FAILED, "'%s' has moved", folder), AP_LOCK_GONE;
    if (fstat(fd, &st) != 0 || st.st_uid != geteuid())
        return ap_fail(err, AP_FAILED, "'%s' belongs to someone else", folder), AP_LOCK_FOREIGN;
    return AP_LOCKED;
}

ap_lock_state ap_job_lock(const char *folder, int *lock, ap_error *err)
{
    char *path = ap_print("%s/lock", folder);
    ap_lock_state state = AP_LOCK_ERROR;
    *lock = -1;
    if (!path)
        return ap_fail_memory(err), AP_LOCK_ERROR;
    /* for writing: flock on NFS needs it; read-only spools have nothing to lock */
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        state = why_not_opened(errno);
        ap_fail_errno(err, errno, "cannot lock '%s'", folder);
    } else if ((state = lock_open(fd, path, folder, err)) == AP_LOCKED)
        *lock = fd;
    else
        close(fd);
    free(path);
    return state;
}

char *ap_runner_path(const char *spool)
{
    return ap_print("%s/.runner.%lu", spool, (unsigned long)geteuid());
}

bool ap_runner_there(const char *spool)
{
    char *path = ap_runner_path(spool);
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    bool there = fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0;
    if (fd >= 0)
        close(fd);
    free(path);
    return there;
}

/* ---- moving */

/* If a power cut undoes the move from queue/ to running/, the job is as good as before, so only other moves
 * are durable. */
bool ap_job_move(const char *spool, ap_place from, ap_place to, const char *id, ap_error *err)
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

/* ---- finding */

bool ap_job_find(const char *spool, const char *id, ap_place *place)
{
    static const ap_place places[] = {AP_QUEUE, AP_RUNNING, AP_DONE, AP_FAILED_JOBS};
    if (id[strspn(id, "0123456789abcdef-")] || !*id)
        return false;
    for (int i = 0; i < 8; i++) { /* twice: it may move meanwhile */
        *place = places[i % 4];
        char *path = ap_spool_path(spool, *place, id, NULL);
        bool there = path && access(path, F_OK) == 0;
        free(path);
        if (there)
            return true;
    }
    return false;
}
