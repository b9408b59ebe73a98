/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stats.h - how the recipes of a spool are doing. */
#ifndef AP_JOBS_SHOW_STATS_H
#define AP_JOBS_SHOW_STATS_H

#include "audiopipe.h"

typedef struct ap_recipe_stats {
    char *recipe;
    size_t jobs, done, failed;
    double seconds, tries; /* of those that are done, in all */
} ap_recipe_stats;

typedef struct ap_stats {
    ap_recipe_stats *recipes; /* in the order of their names */
    size_t count;
    size_t done_lately; /* in the last 24 hours */
} ap_stats;

/* Counts the jobs in these folders; what cannot be read is left out. stats: {0} at first. */
bool ap_stats_count(ap_stats *stats, char **folders, int count, ap_error *err);
void ap_stats_free(ap_stats *stats);

#endif
