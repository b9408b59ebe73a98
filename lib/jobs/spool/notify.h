/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * notify.h - telling of the end of jobs. Each hook that a job names becomes a job of its own, with the
 * manifest of the ended one as its input: it is tried again as jobs are, and what becomes of it changes
 * nothing for the job that it tells of. */
#ifndef AP_JOBS_SPOOL_NOTIFY_H
#define AP_JOBS_SPOOL_NOTIFY_H

#include "audiopipe.h"

/* Makes the jobs for a job in this folder, whose manifest says that it has ended. The same end makes them
 * once, however often this is called. False: not all could be made. */
bool ap_notify(const char *spool, const char *folder, ap_error *err);

#endif
