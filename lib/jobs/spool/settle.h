/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settle.h - the end of an attempt. */
#ifndef AP_JOBS_SPOOL_SETTLE_H
#define AP_JOBS_SPOOL_SETTLE_H

#include "jobs/record/outputs.h"
#include "jobs/spool/spool.h"
#include <cjson/cJSON.h>

#define AP_LONGEST_BACKOFF_S 3600

typedef struct ap_retry {
    unsigned attempts; /* how many a job has */
    double backoff_s;  /* before the second; doubles with each, up to an hour */
} ap_retry;

typedef enum ap_outcome {
    AP_OUTCOME_DONE,
    AP_OUTCOME_FAILED,
    AP_OUTCOME_RETRY,   /* back to the queue for later, or failed after the last attempt */
    AP_OUTCOME_REQUEUE, /* back to the queue as if this attempt had not been */
    AP_OUTCOME_RESTART, /* back to the queue with all its attempts */
} ap_outcome;

typedef struct ap_ending {
    ap_outcome outcome;
    const char *reason;
    const ap_retry *retry; /* for AP_OUTCOME_RETRY */
    ap_outputs *outputs;   /* to be added, NULL = none */
} ap_ending;

/* The document of a manifest as ap_job_settle will write it when all is done, with these outputs, which stay.
 * The caller deletes it. */
cJSON *ap_job_as_done(const char *manifest, const ap_outputs *outputs, ap_error *err);
/* The state is done or failed. */
bool ap_job_has_ended(const cJSON *document);
/* Ends an attempt: writes state, time, reason and outputs to the manifest, unless it has ended already, and
 * moves the folder. The caller holds the lock. */
bool ap_job_settle(const char *spool, ap_place from, const char *id, const ap_ending *asked, ap_error *err);
/* The same for a job that nobody works on: AP_OUTCOME_FAILED if it has not ended, AP_OUTCOME_RESTART if it
 * has failed. Takes the lock. */
bool ap_job_end(const char *spool, const char *id, const ap_ending *asked, ap_error *err);
/* A job in the queue fails at once; one that runs is ended by its runner, wherever that is. */
bool ap_job_cancel(const char *spool, const char *id, ap_error *err);

#endif
