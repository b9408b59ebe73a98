/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * plan.h - what is to be made of many files, before any of it is made. The names wait in a temporary file;
 * memory holds 24 bytes of each. */
#ifndef PLAN_H
#define PLAN_H

#include "front/target.h"
#include "front/walk.h"

#include <stdio.h>

/* One input and where its result goes. */
typedef struct plan_item {
    uint64_t number; /* from 0 */
    uint64_t bytes;  /* size of the input, 0 if that is not known */
    char *input;
    char *folder; /* below the one that was named */
    char *output; /* "": none */
} plan_item;

typedef struct plan_rules {
    const char *pattern;  /* of the outputs (naming.h), NULL: there are none */
    const char *stem;     /* what {stem} is in it; NULL: no such word */
    const char *format;   /* {ext}; NULL: that of the input, or fallback */
    const char *fallback; /* NULL: always that of the input */
    target_rule rule;
    const option_group *groups;                                   /* what is read besides */
    bool (*check)(void *user, const char *output, ap_error *err); /* whether it can be written; may be NULL */
    void *user;
    bool (*failed)(void *user, const ap_error *why, ap_error *err); /* a folder cannot be read */
    void *failed_user;
} plan_rules;

typedef struct hash_list {
    uint64_t *at;
    size_t count, room;
} hash_list;

typedef struct plan {
    const plan_rules *rules;
    FILE *items;
    uint64_t count, bytes;     /* of all items */
    uint64_t next;             /* number of the item that is read next */
    hash_list outputs, inputs; /* of names; of files */
    char *text[3];             /* of the item that was read last */
    size_t room[3];
} plan;

/* Walks and notes; visit, failed and user of walk are set here. Refuses two inputs with one output, an output
 * that is an input (its own one too, unless the rule is TARGET_ANY), and what check refuses. */
bool plan_make(plan *p, const plan_rules *rules, walk *w, ap_error *err);
/* Back to the first item. */
void plan_rewind(plan *p);
/* The next item, whose texts live until the next call. false at the end. */
bool plan_next(plan *p, plan_item *item);
void plan_free(plan *p);

#endif
