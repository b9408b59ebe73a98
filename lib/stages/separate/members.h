/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * members.h - a list of models, "MODEL[:STEM...],MODEL[:STEM...]", each of them open. */
#ifndef AP_SEPARATE_MEMBERS_H
#define AP_SEPARATE_MEMBERS_H

#include "audiopipe.h"

#define AP_MAX_MEMBERS 8

typedef struct ap_member {
    char *text; /* the model's name, and behind it those of the stems, each ended by a zero */
    const char *chosen[AP_MAX_STEMS];
    size_t chosen_count;
    ap_separator *separator; /* gives stems of two channels */
} ap_member;

typedef struct ap_members {
    ap_member list[AP_MAX_MEMBERS];
    size_t count;
} ap_members;

/* Whether that names several models; a file of that name is one. */
bool ap_members_is_list(const char *text);
/* Opens all of options->model with these options. To be closed also when it fails. */
bool ap_members_open(ap_members *m, const ap_separate_options *options, ap_error *err);
void ap_members_close(ap_members *m);
/* The number of a member's stem, whatever the case of its letters; -1: it has none of that name. */
int ap_member_find(const ap_member *m, const char *stem);

#endif
