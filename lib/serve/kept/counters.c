/* SPDX-License-Identifier: GPL-3.0-or-later
 * counters.c - what is counted while the server runs. */
#include "serve/kept/counters.h"
#include "base/error.h"

#include <stdlib.h>

bool ap_metrics_init(ap_metrics *m, ap_error *err)
{
    m->requests = calloc((size_t)AP_METRIC_ROUTES * AP_METRIC_CODES, sizeof *m->requests);
    return m->requests || ap_fail_memory(err);
}

void ap_metrics_free(ap_metrics *m)
{
    free(m->requests);
    m->requests = NULL;
}
