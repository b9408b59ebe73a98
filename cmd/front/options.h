/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * options.h - one table describes a command's options: it is parsed, checked and printed as --help from here.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "front/complain.h"
#include "front/rows.h"
#include "front/values.h"

/* The tables that commands share: output.h and many.h say what they fill. */
extern const option_row common_rows[], input_rows[], output_rows[], many_rows[];

#define OPTION_GROUPS 6

/* Parses the options of all groups (up to the first group without rows), permuting argv so that the operands
 * come last. Returns the index of the first operand. --help and --version are answered here and exit with 0;
 * a mistake is reported and exits with 2. What the user's settings say comes before the command line. */
int parse_options(const command *c, const option_group groups[OPTION_GROUPS], int argc, char **argv);

/* Flushes what stdio has for standard output: a reader sees it at once, and a full disk is noticed while its
 * reason is known. */
bool flush_stdout(ap_error *err);
/* Closes standard output after stdio wrote to it: what could not be written or stored fails now. */
bool finish_stdout(ap_error *err);

#endif
