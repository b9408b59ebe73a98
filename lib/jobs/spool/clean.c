/* SPDX-License-Identifier: GPL-3.0-or-later
 * clean.c - what is no longer wanted leaves the spool. */
#include "jobs/spool/clean.h"
#include "base/error.h"
#include "base/text.h"
#include "jobs/record/clock.h"
#include "jobs/spool/sources.h"
#include "jobs/spool/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEAD_DRAFT_S 86400 /* what a killed submission left is removed after a day */

typedef struct cleaning {
    const char *spool;
    ap_place place;
    double older_s;
    ap_removed_fn *removed;
    void *user;
    ap_error *err;
} cleaning;

/* Since the folder changed last. */
static double age_of(const char *folder)
{
    struct stat st;
    return stat(folder, &st) == 0 ? ap_wall_s() - (double)st.st_mtim.tv_sec : 0;
}

/* Renamed out of sight first, so that nothing meets a job that is half there. */
static bool remove_job(const cleaning *c, const char *folder, const char *id)
{
    char *gone = ap_print("%s/%s/.%s.gone", c->spool, ap_place_name(AP_TMP), id);
    bool ok = gone || ap_fail_memory(c->err);
    if (ok && rename(folder, gone) != 0)
        ok = ap_fail_errno(c->err, errno, "cannot remove '%s'", folder);
    if (ok)
        ap_remove_tree(gone);
    free(gone);
    if (ok && c->place != AP_TMP)
        c->removed(id, c->user);
    return ok;
}

static void forget(const char *id, void *user)
{
    (void)id;
    (void)user;
}

bool ap_job_remove(const char *spool, const char *id, ap_error *err)
{
    cleaning c = {.spool = spool, .removed = forget, .err = err};
    int lock = -1;
    if (!ap_job_find(spool, id, &c.place))
        return ap_fail(err, AP_FAILED, "there is no job '%s'", id);
    if (c.place != AP_DONE && c.place != AP_FAILED_JOBS)
        return ap_fail(err, AP_FAILED, "job '%s' is in %s/", id, ap_place_name(c.place));
    char *folder = ap_spool_path(spool, c.place, id, NULL);
    bool ok = folder || ap_fail_memory(err);
    ok = ok && ap_job_lock(folder, &lock, err) == AP_LOCKED && remove_job(&c, folder, id);
    if (lock >= 0)
        close(lock);
    free(folder);
    return ok;
}

/* Whoever works on a job or on a draft has its lock. */
static bool consider(const cleaning *c, const char *id)
{
    char *folder = ap_spool_path(c->spool, c->place, id, NULL);
    int lock = -1;
    bool old = folder && age_of(folder) > c->older_s;
    bool ok = !old || ap_job_lock(folder, &lock, NULL) != AP_LOCKED || remove_job(c, folder, id);
    if (lock >= 0)
        close(lock);
    free(folder);
    return ok;
}

static bool clean_place(cleaning *c, ap_place place, double older_s)
{
    char *path = ap_spool_path(c->spool, place, NULL, NULL);
    DIR *folder = path ? opendir(path) : NULL;
    bool ok = folder || ap_fail_errno(c->err, errno, "cannot read '%s'", path ? path : c->spool);
    c->place = place;
    c->older_s = older_s;
    for (const struct dirent *entry; ok && (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            ok = consider(c, entry->d_name);
    if (folder)
        closedir(folder);
    free(path);
    return ok;
}

/* Whether no new job is a duplicate of the one in this file of the index, which is locked: it is gone or has
 * failed. */
static bool is_stale(const char *spool, int fd)
{
    char id[64];
    ap_place place;
    ssize_t n = read(fd, id, sizeof id - 1);
    if (n < 0)
        return false;
    id[n] = 0;
    return !ap_job_find(spool, id, &place) || place == AP_FAILED_JOBS;
}

/* Who has the lock of a file is putting a job into the queue: that file stays. */
static void clean_index(const char *spool)
{
    char *path = ap_print("%s/.index", spool);
    DIR *folder = path ? opendir(path) : NULL;
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        int fd = openat(dirfd(folder), entry->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && is_stale(spool, fd))
            unlinkat(dirfd(folder), entry->d_name, 0);
        if (fd >= 0)
            close(fd);
    }
    if (folder)
        closedir(folder);
    free(path);
}

bool ap_spool_clean(const char *spool, double older_s, ap_removed_fn *removed, void *user, ap_error *err)
{
    cleaning c = {.spool = spool, .removed = removed, .user = user, .err = err};
    if (!ap_spool_prepare(spool, err) || !clean_place(&c, AP_DONE, older_s) ||
        !clean_place(&c, AP_FAILED_JOBS, older_s) || !clean_place(&c, AP_TMP, DEAD_DRAFT_S))
        return false;
    clean_index(spool);
    ap_event_clean(spool);
    return true;
}
