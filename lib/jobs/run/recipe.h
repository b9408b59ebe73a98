/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * recipe.h - what recipes declare. */
#ifndef AP_JOBS_RUN_RECIPE_H
#define AP_JOBS_RUN_RECIPE_H

#include "audiopipe.h"

#define AP_RECIPE_OPTIONS 64

typedef struct ap_recipe_option {
    const char *key, *value; /* value: the default, or what was set */
    const char *pattern;     /* an extended regular expression for all of the value */
    const char *help;
} ap_recipe_option;

typedef struct ap_recipe {
    char *file, *text; /* the header, which the members below point into */
    char *summary, *accept, *needs;
    bool together; /* all files of a submission are one job */
    ap_recipe_option options[AP_RECIPE_OPTIONS];
    size_t count;
} ap_recipe;

/* Looks through folders, which are separated by colons: the first that has a recipe of the name counts. */
bool ap_recipe_find(ap_recipe *recipe, const char *folders, const char *name, ap_error *err);
/* Whether each of a list of hooks, separated by blanks or commas, is in one of the folders; NULL: an empty
 * list. */
bool ap_hooks_there(const char *folders, const char *hooks, ap_error *err);
/* Of a header in memory, malloc'ed, taken over. */
bool ap_recipe_parse(ap_recipe *recipe, char *text, ap_error *err);
/* Sets an option; value has to stay. */
bool ap_recipe_set(ap_recipe *recipe, const char *key, const char *value, ap_error *err);
/* Shows all that can be found: recipe is NULL where problem says why it cannot be read. */
typedef void ap_recipe_fn(const char *name, const ap_recipe *recipe, const ap_error *problem, void *user);
bool ap_recipe_list(const char *folders, ap_recipe_fn *show, void *user, ap_error *err);
/* How often a recipe runs "stage", as far as its text says; 0: not at all, or it cannot be read. */
unsigned ap_recipe_stages(const char *path);
/* The commands that it needs and that are not here, separated by blanks; malloc'ed. */
char *ap_recipe_missing(const ap_recipe *recipe);
/* The file that a command's name stands for, malloc'ed; NULL if there is none. */
char *ap_command_path(const char *name);
void ap_recipe_free(ap_recipe *recipe);

#endif
