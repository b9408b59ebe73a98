/* SPDX-License-Identifier: GPL-3.0-or-later
 * watch.c - a folder that files are dropped into: which of them are complete.
 *
 * A file is complete when no one has it open for writing and it has not changed for a while, or when it came
 * by a rename. A scan of the folder is the truth; inotify only says when to look. */
#include "jobs/spool/watch.h"
#include "base/error.h"
#include "base/text.h"
#include "jobs/record/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SCAN_S 2.0          /* between scans, if inotify has nothing to say */
#define ANNOUNCE_AGAIN_S 60 /* a file that is still there was not taken */

/* A file as it was seen. */
typedef struct entry {
    char *name; /* below the folder */
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
    double since_s, announced_s; /* monotonic; announced_s: 0 = not yet */
    bool seen, renamed;
} entry;

typedef struct watcher {
    const char *folder;
    const ap_watch_options *options;
    int inotify, top; /* top: inotify's number of the folder itself */
    entry *entries;
    size_t count;
} watcher;

/* Hidden files, and the names that browsers and copying programs give to files that are not complete. */
static bool is_left_alone(const char *name)
{
    static const char *const endings[] = {".part",       ".partial",  ".tmp", ".temp",
                                          ".crdownload", ".filepart", ".!qb", "~"};
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t e = strlen(endings[i]);
        if (n > e && strcasecmp(name + n - e, endings[i]) == 0)
            return true;
    }
    return name[0] == '.';
}

/* The entry of that name, made if it is not there. The entries are sorted. NULL when out of memory. */
static entry *find(watcher *w, const char *name)
{
    size_t low = 0, high = w->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(w->entries[middle].name, name);
        if (order == 0)
            return &w->entries[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    entry *more = realloc(w->entries, (w->count + 1) * sizeof *more);
    char *copy = strdup(name);
    if (more)
        w->entries = more;
    if (!more || !copy) {
        free(copy);
        return NULL;
    }
    memmove(more + low + 1, more + low, (w->count++ - low) * sizeof *more);
    more[low] = (entry){.name = copy};
    return &more[low];
}

/* Whether anyone has the file open for writing: then a read lease is refused. Where there are no leases
 * (other owners, network file systems) only time tells. */
static bool is_being_written(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    bool busy = fd >= 0 && fcntl(fd, F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN;
    if (fd >= 0)
        close(fd);
    return busy;
}

static void notice(entry *e, const struct stat *st)
{
    bool same = e->inode == st->st_ino && e->device == st->st_dev && e->size == st->st_size &&
                e->changed.tv_sec == st->st_mtim.tv_sec && e->changed.tv_nsec == st->st_mtim.tv_nsec;
    e->seen = true;
    if (same)
        return;
    e->inode = st->st_ino;
    e->device = st->st_dev;
    e->size = st->st_size;
    e->changed = st->st_mtim;
    e->since_s = ap_monotonic_s();
    e->announced_s = 0;
}

/* Announces the file if it is complete; *pending when it may become so. */
static bool consider(watcher *w, const char *path, entry *e, const struct stat *st, bool *pending,
                     ap_error *err)
{
    notice(e, st);
    double now = ap_monotonic_s();
    bool quiet = e->renamed || now - e->since_s >= w->options->settle_s;
    bool told = e->announced_s > 0 && now - e->announced_s < ANNOUNCE_AGAIN_S;
    bool busy = !told && is_being_written(path);
    if (busy)
        e->since_s = now, e->renamed = false;
    if (quiet && !busy && !told) {
        e->announced_s = now;
        return w->options->complete(path, w->options->user, err);
    }
    if (!told)
        *pending = true;
    return true;
}

/* What will not be taken is said once. */
static void report_odd(const watcher *w, const char *path, entry *e, const struct stat *st)
{
    bool told = e->announced_s > 0;
    e->seen = true;
    e->announced_s = 1;
    if (!told && w->options->odd)
        w->options->odd(path,
                        S_ISLNK(st->st_mode)   ? "a link"
                        : S_ISDIR(st->st_mode) ? "a folder"
                                               : "not a file",
                        w->options->user);
}

static bool scan_folder(watcher *w, const char *path, const char *below, bool *pending, ap_error *err);

static bool look_at(watcher *w, const char *path, const char *name, bool *pending, ap_error *err)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return true; /* gone meanwhile */
    if (S_ISDIR(st.st_mode) && w->options->recursive) {
        if (w->inotify >= 0)
            inotify_add_watch(w->inotify, path, IN_CLOSE_WRITE | IN_MOVED_TO);
        return scan_folder(w, path, name, pending, err);
    }
    entry *e = find(w, name);
    if (!e)
        return ap_fail_memory(err);
    if (S_ISREG(st.st_mode))
        return consider(w, path, e, &st, pending, err);
    report_odd(w, path, e, &st);
    return true;
}

static void forget_gone(watcher *w)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->count; i++)
        if (w->entries[i].seen)
            w->entries[kept++] = w->entries[i];
        else
            free(w->entries[i].name);
    w->count = kept;
}

/* below: the folder's name below the one that is watched, "" for that itself. */
static bool scan_folder(watcher *w, const char *path, const char *below, bool *pending, ap_error *err)
{
    struct dirent **names;
    int count = scandir(path, &names, NULL, alphasort);
    if (count < 0)
        return (*below && errno == ENOENT) || ap_fail_errno(err, errno, "cannot read '%s'", path);
    bool ok = true;
    for (int i = 0; i < count; i++) {
        const char *leaf = names[i]->d_name;
        if (ok && !is_left_alone(leaf) && (*below || !ap_lists_word(w->options->spare, leaf))) {
            char *file = ap_print("%s/%s", path, leaf),
                 *name = ap_print("%s%s%s", below, *below ? "/" : "", leaf);
            ok = file && name ? look_at(w, file, name, pending, err) : ap_fail_memory(err);
            free(file);
            free(name);
        }
        free(names[i]);
    }
    free(names);
    return ok;
}

static bool scan(watcher *w, bool *pending, ap_error *err)
{
    for (size_t i = 0; i < w->count; i++)
        w->entries[i].seen = false;
    bool ok = scan_folder(w, w->folder, "", pending, err);
    forget_gone(w);
    if (w->options->looked)
        w->options->looked(w->options->user);
    return ok;
}

/* Waits for news or for the time of the next scan. */
static void wait_for_news(watcher *w, bool pending)
{
    char events[8192] __attribute__((aligned(8)));
    struct pollfd watched = {w->inotify, POLLIN, 0};
    double patience = pending ? fmin(SCAN_S, fmax(0.05, w->options->settle_s / 4)) : SCAN_S;
    if (poll(&watched, 1, (int)(1000 * patience)) <= 0)
        return;
    ssize_t n = read(w->inotify, events, sizeof events);
    for (ssize_t at = 0; at < n;) {
        const struct inotify_event *event = (const struct inotify_event *)(events + at);
        at += (ssize_t)(sizeof *event + event->len);
        entry *e =
            event->len && event->wd == w->top && !is_left_alone(event->name) && event->mask & IN_MOVED_TO
                ? find(w, event->name)
                : NULL;
        if (e)
            e->renamed = true;
    }
}

bool ap_watch(const char *folder, const ap_watch_options *options, ap_error *err)
{
    watcher w = {.folder = folder, .options = options, .inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    bool ok = true, pending = true;
    if (w.inotify >= 0)
        w.top = inotify_add_watch(w.inotify, folder, IN_CLOSE_WRITE | IN_MOVED_TO);
    while (ok && (pending || !options->once)) {
        pending = false;
        ok = scan(&w, &pending, err);
        if (ok && (pending || !options->once))
            wait_for_news(&w, pending);
    }
    for (size_t i = 0; i < w.count; i++)
        free(w.entries[i].name);
    free(w.entries);
    if (w.inotify >= 0)
        close(w.inotify);
    return ok;
}
