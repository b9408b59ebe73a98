/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * notices.h - what object stores tell of new objects, in the shapes of AWS (S3 itself, SNS, EventBridge),
 * MinIO and Ceph. */
#ifndef AP_SERVE_KEPT_NOTICES_H
#define AP_SERVE_KEPT_NOTICES_H

#include "audiopipe.h"

#include <cjson/cJSON.h>

typedef struct ap_notice {
    const char *bucket, *key; /* the key as it is, decoded */
    const char *version; /* sequencer or ETag: what tells two contents of a name apart; "" if not known */
} ap_notice;

/* false ends the reading, and err says why. */
typedef bool ap_notice_fn(const ap_notice *notice, void *user, ap_error *err);

/* Calls see for each object that was made. False if this is none of the shapes. */
bool ap_notices_read(const cJSON *document, ap_notice_fn *see, void *user, ap_error *err);

#endif
