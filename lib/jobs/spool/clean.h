/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * clean.h - removing old jobs. */
#ifndef AP_JOBS_SPOOL_CLEAN_H
#define AP_JOBS_SPOOL_CLEAN_H

#include "audiopipe.h"

/* Removes jobs that ended before, and what dead submissions left; prints the IDs of the jobs. */
bool ap_spool_clean(const char *spool, double older_s, ap_error *err);

#endif
