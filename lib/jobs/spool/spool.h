/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * spool.h - the folders of jobs. */
#ifndef AP_JOBS_SPOOL_SPOOL_H
#define AP_JOBS_SPOOL_SPOOL_H

#include "audiopipe.h"

#define AP_ID_BYTES 64          /* the longest ID and its NUL */
#define AP_CANCEL_NAME "cancel" /* the file in a running job's folder that asks its runner to end it */

typedef enum ap_place {
    AP_TMP,
    AP_INCOMING,
    AP_QUEUE,
    AP_RUNNING,
    AP_DONE,
    AP_FAILED_JOBS,
    AP_PLACES
} ap_place;

const char *ap_place_name(ap_place place);
/* malloc'ed "SPOOL/place", "SPOOL/place/ID", "SPOOL/place/ID/leaf"; id and leaf may be NULL. */
char *ap_spool_path(const char *spool, ap_place place, const char *id, const char *leaf);
/* Mode 0700, if it is not there. path NULL: out of memory. */
bool ap_make_folder(const char *path, ap_error *err);
/* Makes the folders that are missing, except incoming/, which its watcher makes. */
bool ap_spool_prepare(const char *spool, ap_error *err);

/* Removes a file, or a folder and what is in it, as far as possible. */
void ap_remove_tree(const char *path);

typedef enum ap_lock_state {
    AP_LOCKED,       /* by us */
    AP_LOCK_BUSY,    /* by someone else */
    AP_LOCK_GONE,    /* there is no such folder, or it has moved */
    AP_LOCK_FOREIGN, /* another user's job */
    AP_LOCK_ERROR
} ap_lock_state;

/* Locks a job's folder for this process and those it starts; *lock is the descriptor to close then, else -1,
 * and err says why. */
ap_lock_state ap_job_lock(const char *folder, int *lock, ap_error *err);
/* Where a job is. False: there is none, or this is no ID. */
bool ap_job_find(const char *spool, const char *id, ap_place *place);
/* The file that each runner of this user has a shared lock on; malloc'ed. */
char *ap_runner_path(const char *spool);
/* Whether a runner of this user is at work on this host, or on any if the file system has locks. True also if
 * that cannot be known. */
bool ap_runner_there(const char *spool);
/* One durable rename. */
bool ap_job_move(const char *spool, ap_place from, ap_place to, const char *id, ap_error *err);

#endif
