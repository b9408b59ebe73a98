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

/* Looks through the folders of AUDIOPIPE_RECIPES. */
bool ap_recipe_find(ap_recipe *recipe, const char *name, ap_error *err);
bool ap_recipe_read(ap_recipe *recipe, const char *path, ap_error *err);
/* Of a header in memory, malloc'ed, taken over. */
bool ap_recipe_parse(ap_recipe *recipe, char *text, ap_error *err);
/* Sets an option; value has to stay. */
bool ap_recipe_set(ap_recipe *recipe, const char *key, const char *value, ap_error *err);
/* Prints all that can be found. */
bool ap_recipe_list(ap_error *err);
/* The file that a command's name stands for, malloc'ed; NULL if there is none. */
char *ap_command_path(const char *name);
void ap_recipe_free(ap_recipe *recipe);

#endif
