/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * claim.h - who works on which job. */
#ifndef AP_JOBS_SPOOL_CLAIM_H
#define AP_JOBS_SPOOL_CLAIM_H

#include "jobs/spool/needs.h"
#include "jobs/spool/settle.h"

/* The next job that is due, or one whose runner died: locked, marked, and in running/. list keeps what was
 * seen of the folders between calls; zero it at first. choice may be NULL: any. Returns the lock, -1 if
 * nothing is left in the list; the next call looks at the folders again. trouble (AP_OK at first) gets what
 * was wrong with a job that could not be taken. */
typedef struct ap_candidate {
    ap_place place;
    char id[AP_ID_BYTES];
} ap_candidate;
typedef struct ap_candidates {
    ap_candidate *items; /* a heap: the first in the order of IDs is at the top */
    size_t count;
} ap_candidates;
int ap_job_claim(const char *spool, const ap_retry *retry, const ap_job_choice *choice, ap_candidates *list,
                 char id[AP_ID_BYTES], ap_error *trouble);
void ap_candidates_free(ap_candidates *list);
/* How many jobs of this user there are for a runner to take now. Nothing is changed. */
size_t ap_job_count_waiting(const char *spool, const ap_retry *retry, const ap_job_choice *choice);

#endif
