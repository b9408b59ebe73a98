/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * verbs.h - commands whose first argument says what to do, each verb with some of the options. */
#ifndef VERBS_H
#define VERBS_H

#include "front/options.h"

#include <limits.h>

#define VERB_MANY INT_MAX

typedef struct verb {
    const char *name, *arguments, *summary;
    const char *options; /* their names, separated by blanks */
    int least, most;     /* operands */
    int (*run)(void *config, int argc, char **argv, ap_error *err);
} verb;

/* The verb of that name in a table that ends with a name of NULL; NULL if there is none. */
const verb *find_verb(const verb *verbs, const char *name);
/* Says that there is no verb, or none of that name, and which one may have been meant. */
_Noreturn void report_no_verb(const command *c, const verb *verbs, const char *name);
/* Parses what follows the verb, checks the number of operands, runs it, and says what was wrong. Returns the
 * exit code. c: the command; rows: the options of all verbs; prepare (may be NULL) sees the config before
 * the verb runs. */
int run_verb(const command *c, const verb *v, const option_row *rows, void *config, int argc, char **argv,
             bool (*prepare)(const verb *v, void *config, ap_error *err));

#endif
