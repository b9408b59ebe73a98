/* SPDX-License-Identifier: GPL-3.0-or-later
 * watcher.c - a thread that reports jobs that appear, move, change and go. */
#include "serve/kept/watcher.h"
#include "base/error.h"
#include "jobs/record/clock.h"
#include "jobs/record/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#define LOOK_S 5 /* between scans */

static const ap_place places[] = {AP_QUEUE, AP_RUNNING, AP_DONE, AP_FAILED_JOBS};
#define PLACES (sizeof places / sizeof *places)

typedef struct followed {
    int watch;
    char id[AP_ID_BYTES];
} followed;

struct ap_watcher {
    char *spool;
    ap_watcher_calls calls;
    int inotify, stop; /* stop: written to when it is over */
    int watches[PLACES];
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* of what follows */
    followed *items;
    size_t count;
};

static bool is_id(const char *name)
{
    return *name && strlen(name) < AP_ID_BYTES && !name[strspn(name, "0123456789abcdef-")];
}

/* ---- running jobs */

void ap_watcher_follow(ap_watcher *w, const char *id, bool yes)
{
    pthread_mutex_lock(&w->lock);
    size_t i = 0;
    while (i < w->count && strcmp(w->items[i].id, id) != 0)
        i++;
    if (!yes && i < w->count) {
        inotify_rm_watch(w->inotify, w->items[i].watch);
        w->items[i] = w->items[--w->count];
    } else if (yes && i == w->count) {
        char *folder = ap_spool_path(w->spool, AP_RUNNING, id, NULL);
        int watch = folder ? inotify_add_watch(w->inotify, folder, IN_MOVED_TO | IN_CREATE) : -1;
        followed *more = watch >= 0 ? reallocarray(w->items, w->count + 1, sizeof *more) : NULL;
        if (more) {
            w->items = more;
            more[w->count].watch = watch;
            strcpy(more[w->count++].id, id);
        }
        free(folder);
    }
    pthread_mutex_unlock(&w->lock);
}

static bool find_followed(ap_watcher *w, int watch, char id[AP_ID_BYTES])
{
    bool found = false;
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->count && !found; i++)
        if (w->items[i].watch == watch) {
            strcpy(id, w->items[i].id);
            found = true;
        }
    pthread_mutex_unlock(&w->lock);
    return found;
}

/* ---- news */

static void hear(ap_watcher *w, const struct inotify_event *event)
{
    char id[AP_ID_BYTES];
    const char *name = event->len ? event->name : "";
    for (size_t i = 0; i < PLACES; i++)
        if (event->wd == w->watches[i]) {
            if (is_id(name))
                w->calls.changed(name, w->calls.user);
            return;
        }
    if (strcmp(name, AP_MANIFEST_NAME) == 0 && find_followed(w, event->wd, id))
        w->calls.changed(id, w->calls.user);
}

/* false: some were lost. */
static bool hear_all(ap_watcher *w)
{
    _Alignas(struct inotify_event) char events[16384];
    bool whole = true;
    for (ssize_t n; (n = read(w->inotify, events, sizeof events)) > 0;)
        for (char *p = events; p < events + n;) {
            const struct inotify_event *event = (const void *)p;
            if (event->mask & IN_Q_OVERFLOW)
                whole = false;
            else
                hear(w, event);
            p += sizeof *event + event->len;
        }
    return whole;
}

/* Until it is told to stop. */
static bool told_to_stop(const ap_watcher *w)
{
    struct pollfd stop = {w->stop, POLLIN, 0};
    return poll(&stop, 1, 0) > 0;
}

static void look(ap_watcher *w)
{
    for (size_t i = 0; i < PLACES; i++) {
        char *path = ap_spool_path(w->spool, places[i], NULL, NULL);
        DIR *folder = path ? opendir(path) : NULL;
        for (const struct dirent *entry; folder && !told_to_stop(w) && (entry = readdir(folder));)
            if (is_id(entry->d_name))
                w->calls.see(entry->d_name, places[i], w->calls.user);
        if (folder)
            closedir(folder);
        free(path);
    }
    w->calls.looked(w->calls.user);
}

static void *run(void *user)
{
    ap_watcher *w = user;
    struct pollfd watched[2] = {{w->inotify, POLLIN, 0}, {w->stop, POLLIN, 0}};
    double next_s = 0;
    while (!told_to_stop(w)) {
        double now = ap_monotonic_s();
        if (now >= next_s) {
            look(w);
            next_s = ap_monotonic_s() + LOOK_S;
            continue;
        }
        if (poll(watched, 2, (int)(1000 * (next_s - now)) + 1) > 0 && watched[0].revents && !hear_all(w))
            next_s = 0;
    }
    return NULL;
}

/* ---- life */

ap_watcher *ap_watcher_new(const char *spool, const ap_watcher_calls *calls, ap_error *err)
{
    ap_watcher *w = calloc(1, sizeof *w);
    if (!w || !(w->spool = strdup(spool))) {
        ap_fail_memory(err);
        free(w);
        return NULL;
    }
    w->calls = *calls;
    pthread_mutex_init(&w->lock, NULL);
    w->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    w->stop = eventfd(0, EFD_CLOEXEC);
    for (size_t i = 0; i < PLACES; i++) { /* without inotify it scans from time to time */
        char *path = ap_spool_path(spool, places[i], NULL, NULL);
        w->watches[i] =
            path ? inotify_add_watch(w->inotify, path, IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE)
                 : -1;
        free(path);
    }
    return w;
}

bool ap_watcher_start(ap_watcher *w, ap_error *err)
{
    w->started = pthread_create(&w->thread, NULL, run, w) == 0;
    return w->started || ap_fail(err, AP_TRY_AGAIN, "cannot start a thread");
}

void ap_watcher_stop(ap_watcher *w)
{
    if (!w)
        return;
    const uint64_t one = 1;
    if (w->started && write(w->stop, &one, sizeof one) == sizeof one)
        pthread_join(w->thread, NULL);
    close(w->inotify);
    close(w->stop);
    free(w->items);
    free(w->spool);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
