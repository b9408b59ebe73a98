/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * shown.h - jobs that have ended, as they were shown: they stay as they are, and are asked for again. */
#ifndef AP_SERVE_KEPT_SHOWN_H
#define AP_SERVE_KEPT_SHOWN_H

#include "jobs/spool/spool.h"
#include "serve/who/keys.h"

#include <pthread.h>
#include <sys/stat.h>

#define AP_SHOWN_JOBS 256
#define AP_SHOWN_BYTES 8192 /* longer texts are not kept */

typedef struct ap_shown_job {
    char id[AP_ID_BYTES], owner[AP_OWNER_BYTES];
    ap_place place;
    struct timespec changed; /* its manifest */
    ino_t inode;
    char *text;
} ap_shown_job;

/* {.lock = PTHREAD_MUTEX_INITIALIZER} at first. */
typedef struct ap_shown {
    pthread_mutex_t lock;
    ap_shown_job jobs[AP_SHOWN_JOBS]; /* each at the place that its ID gives it */
} ap_shown;

/* The text of a job whose manifest is that one, malloc'ed; NULL: it is not known. */
char *ap_shown_get(ap_shown *s, const char *id, ap_place place, const struct stat *manifest,
                   char owner[AP_OWNER_BYTES]);
/* manifest: as it was before it was read. */
void ap_shown_put(ap_shown *s, const char *id, ap_place place, const struct stat *manifest, const char *owner,
                  const char *text);
void ap_shown_free(ap_shown *s);

#endif
