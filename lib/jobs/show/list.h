/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * list.h - lists of jobs. */
#ifndef AP_JOBS_SHOW_LIST_H
#define AP_JOBS_SHOW_LIST_H

#include "audiopipe.h"
#include <cjson/cJSON.h>
#include <stdio.h>

typedef enum ap_list_style { AP_LIST_TABLE, AP_LIST_TSV, AP_LIST_JSON } ap_list_style;

typedef void ap_document_fn(const cJSON *document, void *user);
/* Shows the documents of manifests, job folders, or folders of job folders. False if one could not be read;
 * the others are shown all the same. */
bool ap_each_manifest(char **paths, int count, ap_document_fn *see, void *user, ap_error *err);
/* The same, one on a line. stages: in a table, below each job its stages. */
bool ap_list(FILE *out, char **paths, int count, ap_list_style style, bool stages, ap_error *err);
/* What the last attempt at a job took, NAN if that is not known. */
double ap_job_seconds(const cJSON *document);

/* When a job in the queue that is not due yet will be tried again, seconds since 1970; else NAN. */
double ap_job_next_try(const cJSON *document);

#endif
