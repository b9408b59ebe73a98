/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * attempt.h - one try at a job. */
#ifndef AP_JOBS_RUN_ATTEMPT_H
#define AP_JOBS_RUN_ATTEMPT_H

#include "jobs/run/worker.h"

/* Runs the recipe of a claimed job, with empty out/ and work/, in its
 * folder; then says what becomes of the job: done if it exits with 0 and its outputs are whole. False if that
 * could not be said, or was not to be: who told the recipe to end will do it. For a child that leads a
 * process group: changes the working folder, and kills what is left of the group when the recipe has ended.
 */
bool ap_job_attempt(const ap_work_options *options, const char *id, ap_error *err);

#endif
