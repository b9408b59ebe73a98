/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * attempt.h - one try at a job. */
#ifndef AP_JOBS_RUN_ATTEMPT_H
#define AP_JOBS_RUN_ATTEMPT_H

#include "jobs/spool/settle.h"

typedef struct ap_attempt_options {
    const char *spool;
    const char *shell;   /* the script that recipes run in: bash SHELL RECIPE KEY=VALUE... */
    const char *recipes; /* folders, separated by colons */
    const char *hooks;   /* the same, of the recipes of jobs that tell of others (notify.h) */
    int log;             /* descriptor for what is said on standard error */
    ap_retry retry;
} ap_attempt_options;

/* Runs the recipe of a claimed job, with empty out/ and work/, in the job's folder; then says what becomes of
 * the job: done if the recipe exits with 0 and its outputs are whole. False if that could not be said, or was
 * not to be said here: whoever told the recipe to end does it. For a child that leads a process group:
 * changes the working folder, and kills what is left of the group when the recipe has ended. */
bool ap_job_attempt(const ap_attempt_options *options, const char *id, ap_error *err);

#endif
