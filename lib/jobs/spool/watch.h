/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * watch.h - a folder that files are dropped into. */
#ifndef AP_JOBS_SPOOL_WATCH_H
#define AP_JOBS_SPOOL_WATCH_H

#include "audiopipe.h"

/* Is told the path of a complete file; false ends the watch as an error. */
typedef bool ap_complete_fn(const char *path, void *user, ap_error *err);

typedef struct ap_watch_options {
    double settle_s;   /* a file that has not changed for so long is complete */
    bool once;         /* end when none may become complete any more */
    bool recursive;    /* also what is in folders in it */
    const char *spare; /* names of folders in it that are left alone, separated by blanks; NULL = none */
    ap_complete_fn *complete;
    /* Is told once of what is there and will not be taken: a link, a folder, a device. May be NULL. */
    void (*odd)(const char *path, const char *what, void *user);
    /* Is called after each look at the folder; may be NULL. */
    void (*looked)(void *user);
    void *user;
} ap_watch_options;

bool ap_watch(const char *folder, const ap_watch_options *options, ap_error *err);

#endif
