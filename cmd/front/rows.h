/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * rows.h - the tables that describe options. */
#ifndef ROWS_H
#define ROWS_H

#include "front/choice.h"
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
    OPTION_FILE,   /* the same: the name of a file that is read */
    OPTION_CHOICE, /* int, or an enum: the value of one of the choices */
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
    const choice *choices;
    bool (*call)(void *config, const char *argument, ap_error *err);
    bool no_default; /* the value at the start means "not given": --help does not show it */
    double kilo;     /* what a "k" behind a number multiplies it by; 0: none may stand there */
} option_row;

/* The rows of each type: letter, long name, ..., place in the config, help. More fields may follow. */
#define ROW_ON(l, n, at, h, ...)                                                                             \
    {                                                                                                        \
        .letter = l, .name = n, .type = OPTION_ON, .offset = at, .help = h, __VA_ARGS__                      \
    }
#define ROW_OFF(l, n, at, h, ...)                                                                            \
    {                                                                                                        \
        .letter = l, .name = n, .type = OPTION_OFF, .offset = at, .help = h, __VA_ARGS__                     \
    }
#define ROW_RANGE(t, l, n, u, at, least, most, h, ...)                                                       \
    {                                                                                                        \
        .letter = l, .name = n, .type = t, .unit = u, .offset = at, .lo = least, .hi = most, .help = h,      \
        __VA_ARGS__                                                                                          \
    }
#define ROW_NUMBER(...) ROW_RANGE(OPTION_NUMBER, __VA_ARGS__)
#define ROW_COUNT(...) ROW_RANGE(OPTION_COUNT, __VA_ARGS__)
#define ROW_TIME(...) ROW_RANGE(OPTION_TIME, __VA_ARGS__)
#define ROW_PLAIN(t, l, n, u, at, h, ...)                                                                    \
    {                                                                                                        \
        .letter = l, .name = n, .type = t, .unit = u, .offset = at, .help = h, __VA_ARGS__                   \
    }
#define ROW_SEED(...) ROW_PLAIN(OPTION_SEED, __VA_ARGS__)
#define ROW_TEXT(...) ROW_PLAIN(OPTION_TEXT, __VA_ARGS__)
#define ROW_FILE(...) ROW_PLAIN(OPTION_FILE, __VA_ARGS__)
#define ROW_CHOICE(l, n, c, at, h, ...)                                                                      \
    {                                                                                                        \
        .letter = l, .name = n, .type = OPTION_CHOICE, .choices = c, .offset = at, .help = h, __VA_ARGS__    \
    }
#define ROW_CALL(l, n, u, f, h, ...)                                                                         \
    {                                                                                                        \
        .letter = l, .name = n, .type = OPTION_CALL, .unit = u, .call = f, .help = h, __VA_ARGS__            \
    }
#define ROW_ANSWER(l, n, f, h, ...)                                                                          \
    {                                                                                                        \
        .letter = l, .name = n, .type = OPTION_ANSWER, .call = f, .help = h, __VA_ARGS__                     \
    }

/* A table and the struct that it fills. In a list of tables the first row with a name counts, and a letter
 * belongs to the first row that has it. */
typedef struct option_group {
    const option_row *rows;
    void *config;
} option_group;

#endif
