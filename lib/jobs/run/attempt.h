/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * attempt.h - one try at a job. */
#ifndef AP_JOBS_RUN_ATTEMPT_H
#define AP_JOBS_RUN_ATTEMPT_H

#include "jobs/spool/settle.h"

/* Runs the recipe of a claimed job, with empty out/ and work/, by "bash script RECIPE KEY=VALUE..." in its
 * folder; then says what becomes of the job: done if it exits with 0 and its outputs are whole. False if that
 * could not be said, or was not to be: who told the recipe to end will do it. For a child that leads a
 * process group: changes the working folder, and kills what is left of the group when the recipe has ended.
 */
bool ap_job_attempt(const char *spool, const char *id, const char *script, const ap_retry *retry,
                    ap_error *err);

#endif
