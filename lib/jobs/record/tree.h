/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tree.h - the files of a folder and of those in it. */
#ifndef AP_JOBS_RECORD_TREE_H
#define AP_JOBS_RECORD_TREE_H

#include "audiopipe.h"

/* Is told a file's path and its path below the folder; false ends the walk as an error. */
typedef bool ap_file_fn(const char *path, const char *below, void *user, ap_error *err);
/* All files, links to files among them, in the order of their names, without hidden ones. */
bool ap_each_file(const char *folder, ap_file_fn *see, void *user, ap_error *err);

#endif
