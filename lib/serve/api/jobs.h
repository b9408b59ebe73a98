/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * jobs.h - jobs over HTTP. */
#ifndef AP_SERVE_API_JOBS_H
#define AP_SERVE_API_JOBS_H

#include "serve/http/request.h"

#include "jobs/spool/spool.h"
#include <cjson/cJSON.h>

/* A job that somebody asks about. */
typedef struct ap_asked_job {
    ap_place place;
    char *folder;
    cJSON *document;
} ap_asked_job;

/* The job r->id, if r may see it; else answers 404. */
bool ap_find_job(ap_request *r, ap_asked_job *job);
void ap_asked_job_free(ap_asked_job *job);
/* Answers with a job as it is now. */
void ap_reply_job(ap_request *r, unsigned status, const char *id);

ap_handler ap_list_jobs, ap_get_job, ap_retry_job, ap_cancel_job, ap_delete_job, ap_get_job_events;

#endif
