/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stems.h - the front end of commands that make several stems of one input: which of them, and where to. */
#ifndef STEMS_H
#define STEMS_H

#include "filter.h"

#define MAX_STEMS 16

typedef struct stem_filter {
    command command;
    const option_row *rows;
    void *config;
    /* The names of all stems that there are with this config: returns how many, 0 on failure. */
    size_t (*names)(void *config, const char *names[MAX_STEMS], ap_error *err);
    /* Wraps the stage around the input: the wanted stems (bit i for name i) side by side, in order, each with
     * the input's channels. */
    ap_stream *(*build)(ap_stream *s, void *config, unsigned wanted, ap_error *err);
} stem_filter;

/* The whole of such a command: returns its exit code. */
int stems_main(const stem_filter *f, int argc, char **argv);

#endif
