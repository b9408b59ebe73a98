/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * counters.h - what is counted while the server runs. */
#ifndef AP_SERVE_KEPT_COUNTERS_H
#define AP_SERVE_KEPT_COUNTERS_H

#include "audiopipe.h"

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

#endif
