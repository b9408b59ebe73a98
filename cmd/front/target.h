/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * target.h - files that a command is about to write: what must not be replaced, folders that are missing. */
#ifndef TARGET_H
#define TARGET_H

#include "front/options.h"

#define MAX_MADE_FOLDERS 32

/* What may be replaced. */
typedef enum target_rule {
    TARGET_NEW,        /* nothing: --no-clobber */
    TARGET_NO_INPUT,   /* anything but what is read: that would become something else */
    TARGET_NOT_FORCED, /* the same, of a command that has --force */
    TARGET_ANY         /* what is read, too: --force */
} target_rule;

/* What is read. */
typedef struct sources {
    char *const *names; /* operands, "-" is standard input */
    size_t count;
    const option_group *groups; /* of which the rows of OPTION_FILE are read, too; NULL: none */
} sources;

/* The folders that were made for targets. */
typedef struct made_folders {
    char *paths[MAX_MADE_FOLDERS];
    size_t count;
} made_folders;

/* Whether path may be written. NULL or "-" is standard output, which must not be a file that is read. */
bool target_check(const char *path, const sources *in, target_rule rule, ap_error *err);
/* Makes the folders that path lacks, and remembers them. */
bool target_make_folders(made_folders *made, const char *path, ap_error *err);
/* After the work: removes the folders if nothing was written to them. */
void target_end(made_folders *made, bool ok);

#endif
