/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * where.h - where jobs and recipes are, and what the environment says about them. */
#ifndef WHERE_H
#define WHERE_H

#include "front/options.h"

typedef struct places {
    char *spool;   /* absolute */
    char *recipes; /* folders, separated by colons; the first with a recipe of that name counts */
    char *hooks;   /* the same, of hooks */
    char *shell;   /* what recipes run in */
} places;

/* From AUDIOPIPE_SPOOL, AUDIOPIPE_RECIPES, AUDIOPIPE_HOOKS, XDG_DATA_HOME, XDG_CONFIG_HOME, HOME, and where
 * this program is. What is run from here finds the same spool, and this program's neighbours first. */
bool find_places(places *p, ap_error *err);
void free_places(places *p);

/* A number, or a time in seconds, from the environment, which is checked: a mistake exits. */
double number_of(const command *c, const char *name, double fallback, double lo, double hi);
double time_of(const command *c, const char *name, double fallback);

#endif
