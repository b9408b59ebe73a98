/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * intake.h - files become jobs. */
#ifndef AP_JOBS_SPOOL_INTAKE_H
#define AP_JOBS_SPOOL_INTAKE_H

#include "jobs/spool/spool.h"

typedef struct ap_intake_options {
    const char *spool, *recipe, *recipe_file, *name, *accept, *owner;
    const char *needs; /* of the recipe; NULL: nothing */
    char **settings;   /* "key=value", NULL at the end */
    const char *to;    /* where the outputs go, from ap_destination; NULL: they stay */
    char **urls;       /* for each file where it was fetched from, NULL: from nowhere; may be NULL */
    double max_bytes, max_seconds, min_free_bytes;
    const char *notify; /* hooks that tell of its end, separated by blanks or commas; NULL = none */
    const char *about;  /* it is a hook's, and tells of the job of this ID; NULL: it is not */
    bool together, force, link;
    const char *id; /* the job's, from ap_new_id; NULL: it gets one */
    /* Is told what was left out of a folder, and why; may be NULL. */
    void (*left_out)(const char *path, const char *why, void *user);
    void *user;
} ap_intake_options;

/* A job of these files, durable in queue/. *duplicate: there was one already, and id is its ID. */
bool ap_job_submit(const ap_intake_options *options, char **files, int count, char id[AP_ID_BYTES],
                   bool *duplicate, ap_error *err);

#endif
