/* SPDX-License-Identifier: GPL-3.0-or-later
 * watch.c - ap-job watch-folder: what is dropped into a folder becomes jobs.
 *
 * Files that became jobs go to submitted/ in that folder, those that cannot to refused/, with the reason. */
#include "jobs/spool/watch.h"
#include "base/error.h"
#include "base/path.h"
#include "base/text.h"
#include "job/job.h"
#include "jobs/record/clock.h"
#include "jobs/spool/names.h"
#include "jobs/spool/settle.h"

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

#define SUBMITTED "submitted"
#define REFUSED "refused"
#define LOOK_BACK_S 600.0 /* a file that grows after this is a new one */

/* A file that was taken for complete. */
typedef struct taken {
    char *placed, *from;  /* where it is, and where it was */
    char id[AP_ID_BYTES]; /* of its job; "": it was refused */
    struct stat st;
    double when_s;
} taken;

typedef struct watching {
    job_config *c;
    const char *folder;
    taken *back; /* the latest, to look back at */
    size_t count;
} watching;

/* ---- putting files away */

/* Renames a file, never over another one. False with errno EEXIST: there is one. */
static bool rename_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL)
        return false;
    if (access(to, F_OK) == 0) { /* a file system that knows no RENAME_NOREPLACE */
        errno = EEXIST;
        return false;
    }
    return rename(from, to) == 0;
}

/* Makes the folders on the way to path, below the first skip bytes of it. */
static void make_way(char *path, size_t skip)
{
    for (char *slash = path + skip; (slash = strchr(slash + 1, '/'));) {
        *slash = 0;
        (void)mkdir(path, 0700); /* what is missing then fails the rename */
        *slash = '/';
    }
}

/* Moves a file to a folder beside it, with the folders that it is in; its new path, malloc'ed, NULL if it
 * could not be moved. */
static char *put_away(const watching *w, const char *file, const char *leaf)
{
    const char *below = file + strlen(w->folder) + 1;
    int way = (int)ap_folder_length(below);
    char *name = ap_cut_name(below + way, NAME_MAX - ROOM_BYTES), *target = NULL;
    bool moved = false, again = true;
    for (unsigned n = 0; name && again; n++) {
        char prefix[16] = "";
        if (n)
            snprintf(prefix, sizeof prefix, "%u-", n);
        free(target);
        target = ap_print("%s/%s/%.*s%s%s", w->folder, leaf, way, below, prefix, name);
        if (target)
            make_way(target, strlen(w->folder) + 1);
        moved = target && rename_new(file, target);
        again = target && !moved && errno == EEXIST;
    }
    free(name);
    if (moved)
        return target;
    free(target);
    return NULL;
}

/* reason NULL: removes it. */
static void write_reason(const char *placed, const char *reason)
{
    char *path = ap_print("%s" REASON, placed);
    if (path && !reason)
        unlink(path);
    int fd = path && reason ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    if (fd >= 0) {
        dprintf(fd, "%s\n", reason);
        close(fd);
    }
    free(path);
}

/* ---- looking back: a sender that paused may go on with a file that was taken for complete */

static void remember(watching *w, const char *from, const char *placed, const char *id)
{
    taken *more = reallocarray(w->back, w->count + 1, sizeof *more);
    if (!more)
        return;
    w->back = more;
    taken *t = &more[w->count];
    *t = (taken){.placed = strdup(placed), .from = strdup(from), .when_s = ap_monotonic_s()};
    strcpy(t->id, id);
    if (t->placed && t->from && stat(placed, &t->st) == 0)
        w->count++;
    else {
        free(t->placed);
        free(t->from);
    }
}

/* Only growth means that the sender went on; any other change is an edit, and the job stays. */
static bool has_grown(const taken *t)
{
    struct stat now;
    return stat(t->placed, &now) == 0 && now.st_ino == t->st.st_ino && now.st_size > t->st.st_size;
}

/* Ends the job of the first part, if it became one. */
static void cancel(const job_config *c, const taken *t, const char *how)
{
    ap_error err;
    if (!*t->id)
        complain(&job_command, "'%s' %s", t->from, how);
    else if (ap_job_cancel(c->spool, t->id, &err))
        complain(&job_command, "'%s' %s: %s is cancelled, the whole will be another job", t->from, how,
                 t->id);
    else
        complain(&job_command, "'%s' %s, the whole will be another job than %s: %s", t->from, how, t->id,
                 err.message);
}

/* The file waits for its end again. */
static void take_back(const job_config *c, const taken *t)
{
    if (!rename_new(t->placed, t->from))
        return;
    if (!*t->id)
        write_reason(t->placed, NULL);
    cancel(c, t, "goes on");
}

/* Whether a file begins with all of another one. */
static bool begins_with(const char *path, const char *start)
{
    char a[65536], b[sizeof a];
    FILE *whole = fopen(path, "rbe"), *part = fopen(start, "rbe");
    bool same = whole && part;
    for (size_t n = 1; same && (n = fread(a, 1, sizeof a, part)) > 0;)
        same = fread(b, 1, n, whole) == n && memcmp(a, b, n) == 0;
    same = same && !ferror(part);
    if (whole)
        fclose(whole);
    if (part)
        fclose(part);
    return same;
}

/* A sender that finds its file gone begins again: it has sent the first part twice. */
static void replace_first_part(watching *w, const char *from, const char *placed)
{
    for (size_t i = 0; i < w->count; i++) {
        taken *t = &w->back[i];
        struct stat st;
        if (strcmp(t->from, from) == 0 && stat(placed, &st) == 0 && st.st_size > t->st.st_size &&
            begins_with(placed, t->placed))
            cancel(w->c, t, "came again");
    }
}

static void look_back(void *user)
{
    watching *w = user;
    size_t kept = 0;
    for (size_t i = 0; i < w->count; i++) {
        taken *t = &w->back[i];
        bool grown = has_grown(t);
        if (grown)
            take_back(w->c, t);
        if (grown || ap_monotonic_s() - t->when_s > LOOK_BACK_S) {
            free(t->placed);
            free(t->from);
        } else
            w->back[kept++] = *t;
    }
    w->count = kept;
}

/* ---- what is dropped */

/* A file that can only be taken later, exit code 75, stays, and is announced again. */
static bool settle(watching *w, const char *file, int status, const char *id, ap_error *err)
{
    if (status == AP_USAGE)
        return false; /* our mistake, not the file's */
    if (status != AP_OK)
        complain(&job_command, "%s", err->message);
    char *placed = status == AP_OK       ? put_away(w, file, SUBMITTED)
                   : status == AP_FAILED ? put_away(w, file, REFUSED)
                                         : NULL;
    if (!placed && status != AP_TRY_AGAIN)
        complain(&job_command, "cannot move '%s': %s", file, strerror(errno));
    if (placed && status == AP_FAILED)
        write_reason(placed, err->message);
    if (placed && status == AP_OK)
        replace_first_part(w, file, placed);
    if (placed)
        remember(w, file, placed, status == AP_OK ? id : "");
    free(placed);
    return true;
}

static bool take(const char *path, void *user, ap_error *err)
{
    watching *w = user;
    ap_recipe recipe;
    char id[AP_ID_BYTES], *files[] = {(char *)path};
    if (!job_prepare_intake(w->c, &recipe, err))
        return false;
    int status = job_take_in(w->c, files, 1, id, err);
    ap_recipe_free(&recipe);
    return settle(w, path, status, id, err);
}

static void say_odd(const char *path, const char *what, void *user)
{
    const watching *w = user;
    bool folder = strcmp(what, "a folder") == 0;
    complain(&job_command, "'%s' is %s, and is left alone%s", path, what,
             folder && !w->c->recursive ? " (--recursive takes what is in it)" : "");
}

static bool make_folders(const char *folder, ap_error *err)
{
    static const char *const leaves[] = {SUBMITTED, REFUSED};
    bool ok = true;
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
    watching w = {.c = c, .folder = folder};
    const ap_watch_options options = {.settle_s = c->settle_s,
                                      .once = c->once,
                                      .recursive = c->recursive,
                                      .spare = SUBMITTED " " REFUSED,
                                      .complete = take,
                                      .odd = say_odd,
                                      .looked = look_back,
                                      .user = &w};
    if (!lock_folder(folder, err))
        return c->once && err->code == AP_TRY_AGAIN;
    bool ok = ap_watch(folder, &options, err);
    for (size_t i = 0; i < w.count; i++) {
        free(w.back[i].placed);
        free(w.back[i].from);
    }
    free(w.back);
    return ok;
}

/* The spool's own folder is made; one that is named has to be there, as its name may be mistyped. */
static char *find_folder(const job_config *c, const char *named, ap_error *err)
{
    char *path = named ? strdup(named) : ap_spool_path(c->spool, AP_INCOMING, NULL, NULL);
    bool ok =
        path ? named || (ap_spool_prepare(c->spool, err) && ap_make_folder(path, err)) : ap_fail_memory(err);
    char *folder = ok ? realpath(path, NULL) : NULL;
    if (ok && !folder)
        ap_fail_errno(err, errno, "cannot open '%s'", path);
    free(path);
    return folder;
}

int job_watch_folder(job_config *c, int argc, char **argv, ap_error *err)
{
    char *folder = find_folder(c, argc ? argv[0] : NULL, err);
    bool ok = folder && make_folders(folder, err) && watch(c, folder, err);
    free(folder);
    return job_result(ok, err);
}
