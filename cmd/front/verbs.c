/* SPDX-License-Identifier: GPL-3.0-or-later
 * verbs.c - commands whose first argument says what to do. */
#include "front/verbs.h"
#include "front/guess.h"

#include <stdio.h>
#include <string.h>

#define VERB_ROWS 64
#define MAX_VERBS 64

_Noreturn void report_no_verb(const command *c, const verb *verbs, const char *name)
{
    const char *names[MAX_VERBS];
    size_t count = 0;
    for (const verb *v = verbs; v->name && count < MAX_VERBS; v++)
        names[count++] = v->name;
    const char *guess = name ? guess_name(name, names, count) : NULL;
    if (!name || !*name)
        usage_error(c, "which command?");
    if (guess)
        usage_error(c, "unknown command '%s': did you mean '%s'?", name, guess);
    usage_error(c, "unknown command '%s'", name);
}

const verb *find_verb(const verb *verbs, const char *name)
{
    for (const verb *v = verbs; name && v->name; v++)
        if (strcmp(v->name, name) == 0)
            return v;
    return NULL;
}

/* Whether name is a word of list. */
static bool names(const char *list, const char *name)
{
    size_t n = strlen(name);
    while (*list && !(strncmp(list, name, n) == 0 && (list[n] == ' ' || list[n] == 0)))
        list += strcspn(list, " "), list += *list == ' ';
    return *list;
}

/* The rows of a verb's options, of all if v is NULL. */
static void pick_rows(const option_row *rows, const verb *v, option_row picked[VERB_ROWS])
{
    size_t n = 0;
    for (const option_row *o = rows; o->type != OPTION_END && n + 1 < VERB_ROWS; o++)
        if (!v || names(v->options, o->name))
            picked[n++] = *o;
    picked[n] = (option_row){0};
}

int run_verb(const command *c, const verb *v, const option_row *rows, void *config, int argc, char **argv,
             bool (*prepare)(const verb *v, void *config, ap_error *err))
{
    char name[64];
    option_row picked[VERB_ROWS];
    snprintf(name, sizeof name, "%s %s", c->name, v->name);
    const command self = {name, v->arguments, v->summary};
    pick_rows(rows, v, picked);
    const option_group groups[OPTION_GROUPS] = {{picked, config}};
    int operand = parse_options(&self, groups, argc, argv);
    if (argc - operand < v->least)
        usage_error(&self, "missing argument: %s", v->arguments);
    if (argc - operand > v->most)
        usage_error(&self, "'%s' is one too many", argv[operand + v->most]);
    ap_error err = {AP_FAILED, ""};
    if (prepare && !prepare(v, config, &err)) {
        if (err.code == AP_USAGE)
            usage_error(&self, "%s", err.message);
        complain(c, "%s", err.message);
        return (int)err.code;
    }
    err = (ap_error){AP_FAILED, ""};
    int status = v->run(config, argc - operand, argv + operand, &err);
    if (status != AP_OK && *err.message)
        complain(c, "%s", err.message);
    return status;
}
