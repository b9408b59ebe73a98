/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * list.h - lists of jobs. */
#ifndef AP_JOBS_SHOW_LIST_H
#define AP_JOBS_SHOW_LIST_H

#include "audiopipe.h"

typedef enum ap_list_style { AP_LIST_TABLE, AP_LIST_TSV, AP_LIST_JSON } ap_list_style;
/* Manifests, job folders, or folders of job folders. stages: in a table, below each job its stages. */
bool ap_list(char **paths, int count, ap_list_style style, bool stages, ap_error *err);

#endif
