/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * output.h - where a command's result goes, and in which format. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "front/progress.h"
#include "front/target.h"

/* The options of every command, which common_rows fill, and those of input_rows. */
typedef struct common_config {
    progress_style progress;
    bool quiet, no_clobber;
    const char *raw; /* what inputs without a header are; NULL: they have one */
} common_config;

/* The options of a command with audio as its result, which output_rows fill. */
typedef struct output_config {
    const char *path;   /* NULL or "-": standard output */
    const char *format; /* NULL: from the path, apstream on standard output */
    ap_bits bits;
    double bitrate_kbps;
    unsigned threads;
    bool force;
    common_config common;
} output_config;

/* input_rows are of commands that read sound, and fill a common_config, too. */
#define OUTPUT_ROWS_WITHOUT_PATH (output_rows + 1)

/* NULL or "-". */
bool is_standard(const char *path);
/* The encode options that an output_config stands for. */
void output_encode_options(const output_config *out, ap_encode_options *options);
/* Refuses audio, and anything else that is binary, on a terminal: exits with AP_USAGE. */
void output_check_terminal(const command *c, const char *path);
/* What may be replaced by audio, and by anything else. */
target_rule output_rule(const output_config *out);
target_rule report_rule(const common_config *common);
/* Says what became of a stream of this rate on its way into the file; path NULL: there is one only. */
void output_report(const command *c, const char *path, uint32_t rate, const ap_encode_report *report);

#endif
