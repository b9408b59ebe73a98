/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * log.h - a JSON object a line on stderr. */
#ifndef AP_SERVE_HTTP_LOG_H
#define AP_SERVE_HTTP_LOG_H

#include "serve/http/request.h"

/* whole: the answer went out to its end. */
void ap_log_request(const ap_request *r, bool whole);
/* level: "info", "warning", "error". job may be NULL. */
void ap_log(const char *level, const char *job, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
