/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * hints.h - POST /v1/events/s3: an object store tells of new objects. They are noted in the spool for
 * ap-job watch-bucket, which lists its bucket in any case: an event only shortens its wait. */
#ifndef AP_SERVE_API_HINTS_H
#define AP_SERVE_API_HINTS_H

#include "serve/http/request.h"

ap_handler ap_take_hints;

#endif
