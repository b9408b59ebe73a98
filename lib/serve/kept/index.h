/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * index.h - what is in the spool, in memory, and what happens there, as it happens.
 *
 * A thread of its own learns of changes from inotify, and scans every few seconds, because inotify does not
 * report the changes of other hosts on NFS. */
#ifndef AP_SERVE_KEPT_INDEX_H
#define AP_SERVE_KEPT_INDEX_H

#include "jobs/spool/spool.h"
#include "serve/kept/tally.h"
#include "serve/who/keys.h"

typedef struct ap_index ap_index;

/* Is told of a change: the job's description, a JSON text on one line; NULL: it is gone. Called with the
 * index locked. */
typedef void ap_change_told(const char *id, const char *owner, const char *text, void *user);

ap_index *ap_index_start(const char *spool, ap_change_told *told, void *user, ap_error *err);
void ap_index_stop(ap_index *x); /* takes NULL */
/* Whether all has been seen once. */
bool ap_index_ready(const ap_index *x);
/* Looks at one job now, so that a change is told at once. */
void ap_index_look(ap_index *x, const char *id);

typedef struct ap_index_query {
    const char *owner;                          /* NULL: all */
    const char *state, *recipe, *text, *before; /* NULL: any; text: in the name; before: only older IDs */
    bool active;                                /* only those that wait or run */
} ap_index_query;
/* The IDs of at most that many jobs, newest first. more: whether older ones follow. */
size_t ap_index_list(ap_index *x, const ap_index_query *query, size_t most, char (*ids)[AP_ID_BYTES],
                     bool *more);
/* What an owner's jobs take on the disk. This and the following sums are updated as jobs come and go, so they
 * cost the same for any number of jobs. */
double ap_index_bytes(ap_index *x, const char *owner);

typedef struct ap_index_count {
    size_t places[AP_PLACES];
    double oldest_queued_s; /* when that was made, since 1970; 0: none waits */
} ap_index_count;
void ap_index_counts(ap_index *x, ap_index_count *count);

/* How jobs of each recipe have ended since the start. Returns how many recipes, at most that many. */
size_t ap_index_ended(ap_index *x, ap_ended_count *counts, size_t most);
/* What the stages took of the jobs that have been done since the start. Returns how many names of stages. */
size_t ap_index_stages(ap_index *x, ap_stage_count *counts, size_t most);

#endif
