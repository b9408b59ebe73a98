/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * submit.h - uploads become jobs. */
#ifndef AP_SERVE_SUBMIT_H
#define AP_SERVE_SUBMIT_H

#include "serve/request.h"

/* POST /v1/jobs */
ap_handler ap_submit_job;

#endif
