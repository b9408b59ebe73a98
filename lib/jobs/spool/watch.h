/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * watch.h - a folder that files are dropped into. */
#ifndef AP_JOBS_SPOOL_WATCH_H
#define AP_JOBS_SPOOL_WATCH_H

#include "audiopipe.h"

/* Writes each complete file's path and a NUL to standard output. once: ends when none is pending. */
bool ap_watch(const char *folder, double settle_s, bool once, ap_error *err);

#endif
