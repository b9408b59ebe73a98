/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * metrics.h - what is counted, for Prometheus. */
#ifndef AP_SERVE_METRICS_H
#define AP_SERVE_METRICS_H

#include "serve/request.h"

#include <stdatomic.h>

#define AP_METRIC_ROUTES 96
#define AP_METRIC_CODES 600

typedef struct ap_metrics {
    atomic_uint *requests; /* [route][code]; the last route: no route */
    atomic_ullong upload_bytes, sent_bytes;
    atomic_uint streams;
} ap_metrics;

bool ap_metrics_init(ap_metrics *m, ap_error *err);
void ap_metrics_free(ap_metrics *m);
/* One more answer. */
void ap_metrics_count(ap_metrics *m, const ap_request *r);
/* GET /metrics */
ap_handler ap_get_metrics;

#endif
