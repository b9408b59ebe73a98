/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * filter.h - the front end that all filters share: input, output, progress, signals, exit codes. */
#ifndef FILTER_H
#define FILTER_H

#include "front/output.h"

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

/* ---- its parts, for commands with another shape */

/* Makes SIGINT, SIGTERM and SIGHUP end the reading of streams with an error, and gives descriptors 0, 1 and 2
 * a meaning when they are closed. */
void filter_start(void);
/* Takes the one operand, NULL if there is none, and does filter_start; a mistake exits with AP_USAGE. */
const char *filter_input(const command *c, int argc, char **argv, int operand);
/* NULL or "-" is standard input. Reading fails after a signal. */
ap_stream *filter_open(const char *path, const ap_decode_options *options, ap_error *err);
/* Between the last stage and whoever reads it: looks for signals, shows progress, passes warnings on. */
typedef struct watcher {
    const command *command; /* this and the next four: filled by the caller */
    const char *doing;      /* shown before the name of what is read; may be NULL */
    progress_style style;
    bool quiet;        /* no warnings, no bar */
    bool mute;         /* no warnings: another pass has them */
    progress progress; /* ends with the stream, or by progress_end */
} watcher;
/* For commands whose result is not audio; filter_write does it by itself. Takes s over; w has to live as long
 * as the result. */
ap_stream *filter_watch(watcher *w, ap_stream *s, ap_error *err);
/* Writes s, with progress, and closes it. encode may be NULL. Reports warnings, what was clipped, and another
 * sample rate. */
bool filter_write(const command *c, ap_stream *s, const output_config *out, const ap_encode_options *encode,
                  ap_error *err);
/* The same for several outputs, whose options have no reports yet. */
bool filter_write_split(const command *c, ap_stream *s, const output_config *out, ap_split_output *outputs,
                        size_t count, ap_error *err);
/* Reads s to its end, with progress, and closes it. Reports warnings. */
bool filter_drain(const command *c, ap_stream *s, const common_config *common, ap_error *err);
/* false, with err filled, after a signal: for work that reads no stream. */
bool filter_go_on(ap_error *err);
/* Prints err, unless a signal was its cause: then dies by that signal. Returns the exit code. */
int filter_fail(const command *c, const ap_error *err);

#endif
