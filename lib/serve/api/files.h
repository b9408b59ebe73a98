/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * files.h - what is in a job's folder, over HTTP. */
#ifndef AP_SERVE_API_FILES_H
#define AP_SERVE_API_FILES_H

#include "serve/api/jobs.h"

/* Opens a file of a job: an output or input that its manifest names, and nothing outside its folder. -1: it
 * cannot be. size may be NULL. */
int ap_open_job_file(const ap_asked_job *job, const cJSON *file, uint64_t *size);

/* GET /v1/jobs/{id}/outputs, .../outputs/{name}, .../inputs/{name}, .../log, .../report */
ap_handler ap_get_outputs, ap_get_output, ap_get_input, ap_get_log, ap_get_report;
/* GET /v1/jobs/{id}/outputs.zip */
ap_handler ap_get_zip;
/* GET /v1/jobs/{id}/peaks/{name}, .../picture/{name}; ?of=inputs: of an input */
ap_handler ap_get_peaks, ap_get_picture;

#endif
