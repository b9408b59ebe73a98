/* SPDX-License-Identifier: GPL-3.0-or-later
 * recipes.c - ap-job recipes: what can be done. */
#include "job/job.h"

#include <stdio.h>
#include <stdlib.h>

static void print_recipe(const char *name, const ap_recipe *recipe, const ap_error *problem, void *user)
{
    (void)user;
    printf("%-10s %s\n", name, recipe ? recipe->summary : problem->message);
    if (!recipe)
        return;
    printf("%-10s takes: %s%s\n", "", *recipe->accept ? recipe->accept : "anything",
           recipe->together ? " (several files, one job)" : "");
    for (size_t i = 0; i < recipe->count; i++) {
        const ap_recipe_option *o = &recipe->options[i];
        int width = printf("%-10s   --set %s=%s", "", o->key, o->value);
        printf("%*s %s (%s)\n", width < 41 ? 41 - width : 0, "", o->help, o->pattern);
    }
    char *missing = ap_recipe_missing(recipe);
    if (missing && *missing)
        printf("%-10s missing here: %s\n", "", missing);
    free(missing);
}

int job_recipes(job_config *c, int argc, char **argv, ap_error *err)
{
    (void)argc;
    (void)argv;
    bool ok = ap_recipe_list(c->recipes, print_recipe, NULL, err);
    return job_result(ok && finish_stdout(err), err);
}
