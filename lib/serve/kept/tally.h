/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tally.h - sums over the jobs of an index, kept as they change. The index's lock guards them. */
#ifndef AP_SERVE_KEPT_TALLY_H
#define AP_SERVE_KEPT_TALLY_H

#include "audiopipe.h"

#include <cjson/cJSON.h>

#define AP_TALLY_NAMES 64 /* recipes, and stages, that are counted by name */
#define AP_STAGE_BUCKETS 8

typedef struct ap_ended_count {
    char recipe[64];
    size_t done, failed, cancelled;
} ap_ended_count;

typedef struct ap_stage_count {
    char stage[64];
    size_t buckets[AP_STAGE_BUCKETS]; /* by ap_stage_bounds; what takes longer is in none */
    size_t count;
    double seconds;
} ap_stage_count;

/* Upper bounds of the buckets, in seconds. */
extern const double ap_stage_bounds[AP_STAGE_BUCKETS];

typedef struct ap_tally {
    struct ap_owner_sum *owners; /* in the order of their names */
    size_t owner_count;
    ap_ended_count ended[AP_TALLY_NAMES];
    ap_stage_count stages[AP_TALLY_NAMES];
    size_t recipe_count, stage_count;
} ap_tally;

void ap_tally_free(ap_tally *t);
/* Adds to what an owner's jobs take; without memory it is not counted. */
void ap_tally_bytes(ap_tally *t, const char *owner, double bytes);
double ap_tally_of(const ap_tally *t, const char *owner);
/* A job of that document has ended: "done", "failed" or "cancelled". */
void ap_tally_end(ap_tally *t, const cJSON *document, const char *state);

#endif
