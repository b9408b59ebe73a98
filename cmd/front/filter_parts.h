/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * filter_parts.h - what filters are made of, also for commands with another shape: signals, the input, what
 * watches a stream, writing it. */
#ifndef FILTER_PARTS_H
#define FILTER_PARTS_H

#include "front/output.h"

/* Makes SIGINT, SIGTERM and SIGHUP end the reading of streams with an error, and gives descriptors 0, 1 and 2
 * a meaning when they are closed. */
void filter_start(void);
/* Takes the one operand, NULL if there is none, and does filter_start; a mistake exits with AP_USAGE. */
const char *filter_input(const command *c, int argc, char **argv, int operand);
/* NULL or "-" is standard input. Reading fails after a signal. common and options may be NULL. */
ap_stream *filter_open(const common_config *common, const char *path, const ap_decode_options *options,
                       ap_error *err);
/* Between the last stage and whoever reads it: looks for signals, shows progress, passes warnings on. */
typedef struct watcher {
    const command *command; /* this and the next four: filled by the caller */
    const char *doing;      /* shown before the name of what is read; may be NULL */
    progress_style style;
    bool quiet;        /* no warnings, no bar */
    bool mute;         /* no warnings: another pass has them */
    progress progress; /* ends with the stream, or by progress_end */
} watcher;
/* For commands whose result is not audio; filter_write does it itself. Takes s over; w has to live as long
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
