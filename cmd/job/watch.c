/* SPDX-License-Identifier: GPL-3.0-or-later
 * watch.c - ap-job watch-folder: what is dropped into a folder becomes jobs.
 *
 * Files that became jobs go to submitted/ in that folder, those that cannot to refused/, with the reason. */
#include "jobs/spool/watch.h"
#include "base/error.h"
#include "base/text.h"
#include "job/job.h"
#include "jobs/spool/names.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define REASON ".txt"
#define ROOM_BYTES 12 /* in a name, for a number and for REASON */

typedef struct watching {
    job_config *c;
    const char *folder;
} watching;

/* Moves a file, never over another one; its new path, malloc'ed, NULL if it could not be moved. */
static char *put_away(const watching *w, const char *file, const char *leaf)
{
    const char *slash = strrchr(file, '/');
    char *name = ap_cut_name(slash ? slash + 1 : file, NAME_MAX - ROOM_BYTES), *target = NULL;
    for (unsigned n = 0; name && n < UINT_MAX; n++) {
        char prefix[16] = "";
        if (n)
            snprintf(prefix, sizeof prefix, "%u-", n);
        free(target);
        target = ap_print("%s/%s/%s%s", w->folder, leaf, prefix, name);
        if (!target || renameat2(AT_FDCWD, file, AT_FDCWD, target, RENAME_NOREPLACE) == 0)
            break;
        bool taken = errno == EEXIST;
        if (errno == EINVAL && access(target, F_OK) != 0 && rename(file, target) == 0)
            break; /* a file system that knows no RENAME_NOREPLACE */
        if (!taken && access(target, F_OK) != 0) {
            free(target);
            target = NULL;
            break;
        }
    }
    free(name);
    return target;
}

static void write_reason(const char *placed, const char *reason)
{
    char *path = ap_print("%s" REASON, placed);
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    if (fd >= 0) {
        dprintf(fd, "%s\n", reason);
        close(fd);
    }
    free(path);
}

/* What is not to be had now, exit code 75, stays, and comes again. */
static bool settle(const watching *w, const char *file, int status, ap_error *err)
{
    if (status == AP_USAGE)
        return false; /* our mistake, not the file's */
    if (status != AP_OK)
        complain(&job_command, "%s", err->message);
    char *placed = status == AP_OK       ? put_away(w, file, "submitted")
                   : status == AP_FAILED ? put_away(w, file, "refused")
                                         : NULL;
    if (!placed && status != AP_TRY_AGAIN)
        complain(&job_command, "cannot move '%s': %s", file, strerror(errno));
    if (placed && status == AP_FAILED)
        write_reason(placed, err->message);
    free(placed);
    return true;
}

static bool take(const char *path, void *user, ap_error *err)
{
    const watching *w = user;
    ap_recipe recipe;
    char id[AP_ID_BYTES], *files[] = {(char *)path};
    if (!job_prepare_intake(w->c, &recipe, err))
        return false;
    int status = job_take_in(w->c, files, 1, id, err);
    ap_recipe_free(&recipe);
    return settle(w, path, status, err);
}

static bool make_folders(const char *folder, ap_error *err)
{
    static const char *const leaves[] = {"submitted", "refused"};
    bool ok = ap_make_folder(folder, err);
    for (size_t i = 0; ok && i < sizeof leaves / sizeof *leaves; i++) {
        char *path = ap_print("%s/%s", folder, leaves[i]);
        ok = ap_make_folder(path, err);
        free(path);
    }
    return ok;
}

/* One watcher is enough. */
static bool lock_folder(const char *folder, ap_error *err)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ap_fail_errno(err, errno, "cannot open '%s'", folder);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return true; /* until we end */
    close(fd);
    return ap_fail(err, AP_TRY_AGAIN, "'%s' is being watched already", folder);
}

static bool watch(job_config *c, const char *folder, ap_error *err)
{
    watching w = {c, folder};
    const ap_watch_options options = {.settle_s = c->settle_s, .once = c->once, .complete = take, .user = &w};
    if (!lock_folder(folder, err))
        return c->once && err->code == AP_TRY_AGAIN;
    return ap_watch(folder, &options, err);
}

int job_watch_folder(job_config *c, int argc, char **argv, ap_error *err)
{
    bool ok = argc || ap_spool_prepare(c->spool, err);
    char *named = argc ? strdup(argv[0]) : ap_spool_path(c->spool, AP_INCOMING, NULL, NULL);
    ok = ok && (named ? make_folders(named, err) : ap_fail_memory(err));
    char *folder = ok ? realpath(named, NULL) : NULL;
    if (ok && !folder)
        ok = ap_fail_errno(err, errno, "cannot open '%s'", named);
    ok = ok && watch(c, folder, err);
    free(named);
    free(folder);
    return job_result(ok, err);
}
