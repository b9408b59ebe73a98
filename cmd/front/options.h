/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * options.h - one table describes a command's options: it is parsed, checked and printed as --help from here.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <audiopipe.h>
#include <stddef.h>

/* What an option's argument becomes in the config, at its offset. */
typedef enum option_type {
    OPTION_END,    /* closes the table */
    OPTION_ON,     /* no argument; bool, becomes true */
    OPTION_OFF,    /* no argument; bool, becomes false */
    OPTION_NUMBER, /* double within lo..hi */
    OPTION_COUNT,  /* unsigned within lo..hi */
    OPTION_SEED,   /* uint64_t */
    OPTION_TIME,   /* double, seconds: plain or [h:]m:s, within lo..hi */
    OPTION_TEXT,   /* const char * */
    OPTION_CHOICE, /* int: index into choices, "hrtf|pan" */
    OPTION_CALL,   /* passed to call */
    OPTION_ANSWER, /* no argument; call prints something, and the command exits, as after --help */
} option_type;

typedef struct option_row {
    char letter; /* 0: none */
    const char *name;
    option_type type;
    const char *unit; /* the argument's name in --help; NULL: the choices, or no argument */
    size_t offset;    /* in the config */
    const char *help;
    double lo, hi;
    const char *choices;
    bool (*call)(void *config, const char *argument, ap_error *err);
    bool no_default; /* the value at the start means "not given": --help does not show it */
} option_row;

/* A table and the struct that it fills. */
typedef struct option_group {
    const option_row *rows;
    void *config;
} option_group;

typedef struct command {
    const char *name;      /* ap-limit */
    const char *arguments; /* [INPUT] */
    const char *summary;   /* first paragraph of --help */
} command;

#define OPTION_GROUPS 4

/* Parses the options of all groups (up to the first group without rows), permuting argv so that the operands
 * come last. Returns the index of the first operand. --help and --version are answered here and exit with 0;
 * a mistake is reported and exits with 2. */
int parse_options(const command *c, const option_group groups[OPTION_GROUPS], int argc, char **argv);

/* Prints "NAME: MESSAGE" to stderr. */
void complain(const command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, with a pointer to --help, and exits with AP_USAGE. */
_Noreturn void usage_error(const command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Seconds from "90", "1:30" or "0:01:30.5". */
bool parse_time(const char *text, double *seconds);

#endif
