/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * submit.h - uploads become jobs. */
#ifndef AP_SERVE_API_SUBMIT_H
#define AP_SERVE_API_SUBMIT_H

#include "serve/http/request.h"
#include "serve/kept/uploads.h"

#include <cjson/cJSON.h>

/* POST /v1/jobs */
ap_handler ap_submit_job;
/* A job as the body of that request asks for it, with the ID wanted (NULL: any). Answers when it says false.
 */
bool ap_submit(ap_request *r, cJSON *asked, const char *wanted, char id[AP_ID_BYTES]);
/* A job of one upload, with the ID that it was promised, if it was; format: the setting of that name, NULL =
 * none. r->id is its ID. Answers when it says false. */
bool ap_submit_upload(ap_request *r, const ap_upload *upload, const char *recipe, const char *format);

#endif
