/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cause.h - why a recipe failed: which of its stages failed first. */
#ifndef AP_JOBS_RUN_CAUSE_H
#define AP_JOBS_RUN_CAUSE_H

#include "audiopipe.h"
#include <cjson/cJSON.h>

/* Whether a line only points to a command's help, as getopt's users print it after the message. */
bool ap_is_hint(const char *line);
/* The stage that is to blame when a recipe ended with these last words. If they are the words of a stage that
 * failed: the first one to fail of those that ran at the same time. NULL: the words are the recipe's own. */
const cJSON *ap_find_cause(const cJSON *document, const char *last_words);
/* The last line that a stage wrote, except hints; "" if there is none. */
const char *ap_last_line(const cJSON *stage);

#endif
