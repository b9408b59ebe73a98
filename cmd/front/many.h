/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * many.h - commands that take many inputs, folders and lists of them: which there are, where the results go,
 * some at a time, with one progress display, and what failed at the end. */
#ifndef MANY_H
#define MANY_H

#include "front/crew.h"
#include "front/output.h"

/* The options of such a command, which many_rows fill. */
typedef struct many_config {
    bool recursive, null, skip_existing, dry_run, fail_fast;
    const char *list;
    unsigned threads; /* of commands without output_rows, which have the same option */
} many_config;

/* Those that say which inputs there are, for commands that look at one after the other. */
extern const option_row name_rows[];

typedef struct many {
    const command *command;
    const many_config *config;
    const common_config *common;
    char *const *operands;
    size_t count;
    const char *output; /* of -o; NULL: there are no outputs, only reports */
    bool films;         /* the inputs in folders are films, not sound */
    const char *leaf;   /* the pattern of names in a folder; NULL: {name}.{ext} */
    plan_rules rules;   /* all but pattern and failed */
    unsigned threads;   /* of -j, 0 = all cores */
    unsigned at_a_time; /* files, which share the threads; 0 = as many as there are threads */
    /* In a process of its own, which goes on with other items: makes the output, with that many threads, or
     * prints the report. */
    work_result (*work)(void *user, const plan_item *item, unsigned threads, FILE *report, ap_error *err);
    /* In such a process, before; a failure ends all. May be NULL. */
    bool (*start)(void *user, ap_error *err);
    /* Whether an output that is there is whole; NULL: it can be opened as audio. */
    bool (*is_whole)(const char *output);
    /* Whether all of several outputs are made (many_is_made); NULL: there is the one. */
    bool (*is_made)(void *user, const plan_item *item);
    /* Sees an item that is skipped because it is made; NULL: nobody has to. */
    void (*skip)(void *user, const plan_item *item);
    /* The report of each item, in order, or why there is none; NULL: there are no reports. false: no more. */
    bool (*report)(void *user, const char *input, const ap_error *why, const char *report, size_t size,
                   ap_error *err);
    void *user;
} many;

/* Whether a command line asks for more than one input with one output. */
bool many_wanted(const many_config *config, const char *output, int operands);
/* All of it: returns the exit code. filter_start has to have been called. */
int many_run(const many *m);
/* Whether output is not older than input and not empty, and is_whole. */
bool many_is_made(const char *input, const char *output, bool (*is_whole)(const char *output));

#endif
