/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * report.h - one page about a job. */
#ifndef AP_JOBS_SHOW_REPORT_H
#define AP_JOBS_SHOW_REPORT_H

#include "audiopipe.h"

/* One HTML page about a job. path NULL: standard output. Media up to embed_bytes in all are put into it,
 * larger ones are linked. */
bool ap_report(const char *manifest, const char *path, double embed_bytes, ap_error *err);

#endif
