/* SPDX-License-Identifier: GPL-3.0-or-later
 * tally.c - sums over the jobs of an index. */
#include "serve/kept/tally.h"
#include "jobs/record/json.h"
#include "serve/who/keys.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const double ap_stage_bounds[AP_STAGE_BUCKETS] = {0.1, 0.5, 2, 10, 30, 120, 600, 3600};

/* ---- owners */

typedef struct ap_owner_sum {
    char owner[AP_OWNER_BYTES];
    double bytes;
} ap_owner_sum;

static size_t find(const ap_tally *t, const char *owner, bool *there)
{
    size_t low = 0, high = t->owner_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(t->owners[middle].owner, owner) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *there = low < t->owner_count && strcmp(t->owners[low].owner, owner) == 0;
    return low;
}

void ap_tally_bytes(ap_tally *t, const char *owner, double bytes)
{
    bool there;
    size_t i = find(t, owner, &there);
    if (!there) {
        ap_owner_sum *more =
            strlen(owner) < AP_OWNER_BYTES ? reallocarray(t->owners, t->owner_count + 1, sizeof *more) : NULL;
        if (!more)
            return;
        t->owners = more;
        memmove(&more[i + 1], &more[i], (t->owner_count++ - i) * sizeof *more);
        more[i] = (ap_owner_sum){.bytes = 0};
        strcpy(more[i].owner, owner);
    }
    t->owners[i].bytes += bytes; /* whole numbers, exact up to 2^53 */
}

double ap_tally_of(const ap_tally *t, const char *owner)
{
    bool there;
    size_t i = find(t, owner, &there);
    return there ? t->owners[i].bytes : 0;
}

/* ---- ends */

static void add_end(ap_tally *t, const char *recipe, const char *state)
{
    size_t i = 0;
    while (i < t->recipe_count && strcmp(t->ended[i].recipe, recipe) != 0)
        i++;
    if (i == AP_TALLY_NAMES || strlen(recipe) >= sizeof t->ended->recipe)
        return;
    if (i == t->recipe_count)
        strcpy(t->ended[t->recipe_count++].recipe, recipe);
    t->ended[i].done += strcmp(state, "done") == 0;
    t->ended[i].failed += strcmp(state, "failed") == 0;
    t->ended[i].cancelled += strcmp(state, "cancelled") == 0;
}

static void add_stage(ap_tally *t, const char *stage, double seconds)
{
    size_t i = 0;
    while (i < t->stage_count && strcmp(t->stages[i].stage, stage) != 0)
        i++;
    if (i == AP_TALLY_NAMES || strlen(stage) >= sizeof t->stages->stage || !(seconds >= 0))
        return;
    if (i == t->stage_count)
        strcpy(t->stages[t->stage_count++].stage, stage);
    t->stages[i].count++;
    t->stages[i].seconds += seconds;
    for (size_t k = 0; k < AP_STAGE_BUCKETS; k++)
        t->stages[i].buckets[k] += seconds <= ap_stage_bounds[k];
}

void ap_tally_end(ap_tally *t, const cJSON *document, const char *state)
{
    bool done = strcmp(state, "done") == 0;
    const cJSON *stages = done ? cJSON_GetObjectItemCaseSensitive(document, "stages") : NULL, *stage;
    add_end(t, ap_json_string(document, "recipe"), state);
    cJSON_ArrayForEach(stage, stages)
    {
        add_stage(t, ap_json_string(stage, "name"), ap_json_number(stage, "seconds", NAN));
    }
}

void ap_tally_free(ap_tally *t)
{
    free(t->owners);
    *t = (ap_tally){.owners = NULL};
}
