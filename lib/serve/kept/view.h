/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * view.h - a job as the API shows it. */
#ifndef AP_SERVE_KEPT_VIEW_H
#define AP_SERVE_KEPT_VIEW_H

#include "jobs/spool/spool.h"

#include <cjson/cJSON.h>

/* "queued", "running", "done", "failed", "cancelled": the place counts. */
const char *ap_view_state(const cJSON *document, ap_place place);
/* Bytes of its inputs and outputs. */
double ap_view_bytes(const cJSON *document);
/* The object of the API; NULL when out of memory. */
cJSON *ap_view_job(const cJSON *document, ap_place place);
/* {"outputs":[...]} */
cJSON *ap_view_outputs(const cJSON *document);
/* The output or input of a name: its path within out/ or input/. NULL: there is none. */
const cJSON *ap_view_find(const cJSON *document, bool inputs, const char *name);
/* The media type of a file of that record. */
const char *ap_view_type(const cJSON *file);

#endif
