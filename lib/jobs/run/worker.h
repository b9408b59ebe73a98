/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * worker.h - claims jobs and tries each. */
#ifndef AP_JOBS_RUN_WORKER_H
#define AP_JOBS_RUN_WORKER_H

#include "jobs/spool/needs.h"
#include "jobs/spool/settle.h"

typedef struct ap_work_options {
    const char *spool;
    const char *shell;   /* the script that recipes run in: bash SHELL RECIPE KEY=VALUE... */
    const char *recipes; /* folders, separated by colons */
    const char *hooks;   /* the same, of hooks */
    unsigned jobs;       /* at a time */
    bool watch;          /* wait for more jobs instead of ending */
    double max_s;        /* takes no job after this; 0 = no limit */
    double job_s;        /* a job may take this long; 0 = no limit */
    double grace_s;
    ap_retry retry;
    const ap_job_choice *choice; /* which jobs it takes; NULL: any */
    /* An attempt has ended, and the job is at place now. document: its manifest; NULL: cannot be read. May be
     * NULL. */
    void (*ended)(const char *id, ap_place place, const cJSON *document, void *user);
    /* Once a second while jobs run: their IDs. May be NULL. */
    void (*running)(const char *const *ids, unsigned count, void *user);
    void *user;
} ap_work_options;

/* How many attempts ended how. */
typedef struct ap_work_count {
    unsigned done, failed, again;
} ap_work_count;

/* An attempt at each job that waits, in a process group of its own, output appended to the job's log.
 * SIGTERM, SIGHUP and SIGINT end it early; after SIGINT it does not return, but dies of that. */
bool ap_work(const ap_work_options *options, ap_work_count *count, ap_error *err);

#endif
