/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * names.h - names of jobs and of the files in them. */
#ifndef AP_JOBS_SPOOL_NAMES_H
#define AP_JOBS_SPOOL_NAMES_H

#include "jobs/spool/spool.h"

/* A new ID: the time and a random number. The caller checks that it is free. */
void ap_new_id(char id[AP_ID_BYTES]);
/* The name for a copy of the file at path: its own, without what a path, a terminal or another system could
 * misread, and short enough for recipes to add to it. Bytes that are not UTF-8 stay as they are. number: 0 =
 * none, else put before it. malloc'ed. */
char *ap_safe_name(const char *path, unsigned number);
/* The name of the file that a URL stands for, decoded, or that of an object in a store; malloc'ed. */
char *ap_url_name(const char *url);
/* A name cut to at most that many bytes, before its extension and between two characters; malloc'ed. */
char *ap_cut_name(const char *name, size_t most);

#endif
