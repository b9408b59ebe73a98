/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * filter.h - the front end that all filters share: input, output, progress, signals, exit codes. */
#ifndef FILTER_H
#define FILTER_H

#include "front/filter_parts.h"

typedef struct filter {
    command command;
    const option_row *rows;
    void *config;
    /* Wraps the stage around the input. config is the filter's. NULL: the input as it is. */
    ap_stream *(*build)(ap_stream *s, const void *config, ap_error *err);
    /* What takes time and can be done before there is input; may be NULL. */
    bool (*prepare)(void *config, ap_error *err);
    /* Options for decoding and encoding beyond the common ones; may be NULL. */
    void (*decoding)(const void *config, ap_decode_options *options);
    bool (*encoding)(void *config, ap_encode_options *options, ap_error *err);
    /* {ext} of many outputs without -t. NULL: that of the input, or wav; "": there is none, it has to be
     * said. */
    const char *extension;
} filter;

/* The whole of a command that makes an output of each input: returns its exit code. For many inputs prepare
 * is called once, the others for each. */
int filter_main(const filter *f, int argc, char **argv);

#endif
