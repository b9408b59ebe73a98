/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * text.h - file names, which may hold anything, in messages and in reports for programs. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stdio.h>

/* On one line without tabs: a tab, a newline, a carriage return and a backslash become \t \n \r \\. */
void print_tsv(FILE *out, const char *text);
/* The same of the name of an input: of a URL without its query, which may be all it takes to use it. */
void print_name(FILE *out, const char *name);
/* Whether a message of one line names that file, or one of its name elsewhere: in quotes, as all do. */
bool names_file(const char *message, const char *path);
/* As a JSON string with its quotes (RFC 8259). What is not UTF-8 becomes U+FFFD. */
void print_json(FILE *out, const char *text);
void print_json_name(FILE *out, const char *name);

#endif
