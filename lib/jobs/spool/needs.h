/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * needs.h - what a job needs of its machine, and which jobs a runner takes. */
#ifndef AP_JOBS_SPOOL_NEEDS_H
#define AP_JOBS_SPOOL_NEEDS_H

#include "audiopipe.h"
#include <cjson/cJSON.h>

typedef struct ap_needs {
    double mem_mib, gpus, threads; /* 0: not said */
} ap_needs;

/* Reads words such as "mem=2G gpu=1 threads=2"; those without "=" are passed over. */
bool ap_needs_parse(const char *words, ap_needs *needs, ap_error *err);
/* The same of those words alone that have "=", for a manifest; malloc'ed. */
char *ap_needs_text(const char *words);

/* Which jobs a runner takes. */
typedef struct ap_job_choice {
    const char *recipes; /* names with commas between them; NULL: any */
    const ap_needs *can; /* what the machine has for a job: mem and threads not said are any, gpu not said is
                            none; NULL: whatever a job needs */
} ap_job_choice;

/* Whether the job of that document is chosen. choice may be NULL. */
bool ap_job_is_chosen(const ap_job_choice *choice, const cJSON *document);

#endif
