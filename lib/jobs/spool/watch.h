/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * watch.h - a folder that files are dropped into. */
#ifndef AP_JOBS_SPOOL_WATCH_H
#define AP_JOBS_SPOOL_WATCH_H

#include "audiopipe.h"

/* Is told the path of a complete file; false ends the watch as an error. */
typedef bool ap_complete_fn(const char *path, void *user, ap_error *err);

typedef struct ap_watch_options {
    double settle_s; /* a file that has not changed for so long is complete */
    bool once;       /* end when none may become complete any more */
    ap_complete_fn *complete;
    void *user;
} ap_watch_options;

bool ap_watch(const char *folder, const ap_watch_options *options, ap_error *err);

#endif
