/* SPDX-License-Identifier: GPL-3.0-or-later
 * stats.c - how the recipes of a spool are doing. */
#include "jobs/show/stats.h"
#include "base/error.h"
#include "jobs/record/clock.h"
#include "jobs/record/json.h"
#include "jobs/show/list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LATELY_S 86400.0

typedef struct counting {
    ap_stats *stats;
    double now_s;
    bool no_memory;
} counting;

/* The entry of a recipe, made if it is not there; NULL when out of memory. */
static ap_recipe_stats *find(ap_stats *stats, const char *recipe)
{
    size_t at = 0;
    while (at < stats->count && strcmp(stats->recipes[at].recipe, recipe) < 0)
        at++;
    if (at < stats->count && strcmp(stats->recipes[at].recipe, recipe) == 0)
        return &stats->recipes[at];
    ap_recipe_stats *more = reallocarray(stats->recipes, stats->count + 1, sizeof *more);
    char *name = more ? strdup(recipe) : NULL;
    if (more)
        stats->recipes = more;
    if (!name)
        return NULL;
    memmove(more + at + 1, more + at, (stats->count++ - at) * sizeof *more);
    more[at] = (ap_recipe_stats){.recipe = name};
    return &more[at];
}

static void count_done(counting *c, ap_recipe_stats *r, const cJSON *document)
{
    double seconds = ap_job_seconds(document);
    r->done++;
    if (!isnan(seconds)) {
        r->seconds += seconds;
        r->tries += ap_json_number(document, "attempts", 0);
    }
    if (c->now_s - ap_time_of(ap_json_string(document, "finished")) <= LATELY_S)
        c->stats->done_lately++;
}

static void see(const cJSON *document, void *user)
{
    counting *c = user;
    const char *state = ap_json_string(document, "state");
    ap_recipe_stats *r = find(c->stats, ap_json_string(document, "recipe"));
    if (!r) {
        c->no_memory = true;
        return;
    }
    r->jobs++;
    if (strcmp(state, "failed") == 0)
        r->failed++;
    if (strcmp(state, "done") == 0)
        count_done(c, r, document);
}

bool ap_stats_count(ap_stats *stats, char **folders, int count, ap_error *err)
{
    counting c = {.stats = stats, .now_s = ap_wall_s()};
    ap_each_manifest(folders, count, see, &c, NULL);
    return !c.no_memory || ap_fail_memory(err);
}

void ap_stats_free(ap_stats *stats)
{
    for (size_t i = 0; i < stats->count; i++)
        free(stats->recipes[i].recipe);
    free(stats->recipes);
    *stats = (ap_stats){0};
}
