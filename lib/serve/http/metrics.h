/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * metrics.h - what is counted, as Prometheus wants it. */
#ifndef AP_SERVE_HTTP_METRICS_H
#define AP_SERVE_HTTP_METRICS_H

#include "serve/http/request.h"
#include "serve/kept/counters.h"

/* One more answer. */
void ap_metrics_count(ap_metrics *m, const ap_request *r);
/* GET /metrics */
ap_handler ap_get_metrics;

#endif
