/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stems.h - the front end of commands that make several stems of one input: which of them, and where to. */
#ifndef STEMS_H
#define STEMS_H

#include "front/filter.h"

#define MAX_STEMS 160 /* all that can be asked for */

typedef struct stem_filter {
    command command;
    const option_row *rows;
    void *config;
    /* The names of all stems that there are with this config, and of those that -o writes: the first
     * *in_folder of them. Returns how many, 0 on failure. Called for each input. */
    size_t (*names)(void *config, const output_config *out, const char *names[MAX_STEMS], size_t *in_folder,
                    ap_error *err);
    /* Wraps the stage around the input: the wanted stems (of each name) side by side, in order, each with
     * the same number of channels. */
    ap_stream *(*build)(ap_stream *s, void *config, const bool *wanted, ap_error *err);
    /* The same for a .stem.mp4 file: ten channels, of the whole and of four stems, whose names go to o. NULL:
     * it makes none. */
    ap_stream *(*build_file)(ap_stream *s, void *config, ap_stem_file_options *o, ap_error *err);
    /* Whether all of the input is read before any stem comes; may be NULL: no. */
    bool (*reads_first)(const void *config);
    /* Told where the first output goes, before build, and when all of them are written; may be NULL. */
    bool (*begin)(void *config, const char *output, ap_error *err);
    void (*finish)(void *config);
    const unsigned *jobs; /* of many inputs so many at a time; NULL: as many as there are cores */
} stem_filter;

/* The whole of such a command: returns its exit code. */
int stems_main(const stem_filter *f, int argc, char **argv);

#endif
