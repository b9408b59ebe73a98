/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * watcher.h - a thread that reports jobs that appear, move, change and go. */
#ifndef AP_SERVE_KEPT_WATCHER_H
#define AP_SERVE_KEPT_WATCHER_H

#include "jobs/spool/spool.h"

typedef struct ap_watcher ap_watcher;

/* Are called by the thread. */
typedef struct ap_watcher_calls {
    void (*see)(const char *id, ap_place place, void *user); /* a job that is there, during a scan */
    void (*looked)(void *user);                              /* the end of the scan */
    void (*changed)(const char *id, void *user);
    void *user;
} ap_watcher_calls;

ap_watcher *ap_watcher_new(const char *spool, const ap_watcher_calls *calls, ap_error *err);
bool ap_watcher_start(ap_watcher *w, ap_error *err);
void ap_watcher_stop(ap_watcher *w); /* takes NULL; frees it */
/* Whether changes within a job's folder in running/ are to be told. */
void ap_watcher_follow(ap_watcher *w, const char *id, bool yes);

#endif
