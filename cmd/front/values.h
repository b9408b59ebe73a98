/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * values.h - the arguments of options, and what becomes of them. */
#ifndef VALUES_H
#define VALUES_H

#include "front/complain.h"
#include "front/rows.h"

bool takes_argument(const option_row *o);
/* The choices of an option: "a|b|c" */
const char *list_choices(const option_row *o, char list[256]);
/* Puts what the text says into the config; NULL if the option takes no argument. A mistake exits with
 * AP_USAGE. */
void set_option(const command *c, const option_row *o, void *config, const char *text);
/* The value in the field of an option of OPTION_CHOICE. */
int choice_at(const void *field);
/* Seconds from "90", "1:30" or "0:01:30.5". */
bool parse_time(const char *text, double *seconds);

#endif
