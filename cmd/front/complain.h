/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * complain.h - what commands say to people, on standard error. */
#ifndef COMPLAIN_H
#define COMPLAIN_H

typedef struct command {
    const char *name;      /* ap-limit */
    const char *arguments; /* [INPUT] */
    const char *summary;   /* first paragraph of --help */
} command;

/* Prints "NAME: MESSAGE" to stderr, on a line of its own. */
void complain(const command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* From now on what would be printed goes there, in a process that works for another one. */
void complain_to(void (*listen)(const char *text));
/* The same, with a pointer to --help, and exits with AP_USAGE. */
_Noreturn void usage_error(const command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* From now on a mistake is that of this line of a file of settings; NULL: no more. */
void complain_within(const char *file, unsigned line);

/* Prints "NAME: MESSAGE" to stderr, if there is --verbose: after remark_as, whose command has to live on. */
void remark(const char *format, ...) __attribute__((format(printf, 1, 2)));
void remark_as(const command *c);

#endif
