/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * report.h - one page about a job. */
#ifndef AP_JOBS_SHOW_REPORT_H
#define AP_JOBS_SHOW_REPORT_H

#include "base/output.h"
#include "jobs/show/media.h"

typedef struct ap_report_options {
    const char *path;    /* where the page will be, NULL = not known: files beside it are linked by name */
    double embed_bytes;  /* so much sound and video is put into the page; of the rest there are previews */
    ap_media_take *take; /* is given each file, of which nothing is put into the page then; NULL: nobody */
    void *user;
} ap_report_options;

/* Writes one HTML page about a job, and takes out over. */
bool ap_report(const char *manifest, ap_output *out, const ap_report_options *options, ap_error *err);

#endif
