/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * choice.h - words that an option may be given. */
#ifndef CHOICE_H
#define CHOICE_H

/* A word and the value that it stands for; a table of them ends with {0}. */
typedef struct choice {
    const char *name;
    int value;
} choice;

#endif
