/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * clean.h - removing old jobs. */
#ifndef AP_JOBS_SPOOL_CLEAN_H
#define AP_JOBS_SPOOL_CLEAN_H

#include "audiopipe.h"

typedef void ap_removed_fn(const char *id, void *user);
/* Removes jobs that ended before, and what dead submissions left; removed is told the IDs of the jobs. */
bool ap_spool_clean(const char *spool, double older_s, ap_removed_fn *removed, void *user, ap_error *err);

/* Removes one job, which has to have ended. */
bool ap_job_remove(const char *spool, const char *id, ap_error *err);

#endif
