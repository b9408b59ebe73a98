/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * target.h - what a name means: s3://BUCKET/KEY, or a URL, to host, path and key. */
#ifndef AP_NET_TARGET_H
#define AP_NET_TARGET_H

#include "plugins/net/account.h"

typedef struct ap_target {
    char *name;         /* for messages: without a query, which may hold a secret */
    char *base;         /* scheme, host and port: http://127.0.0.1:7480 */
    char *host;         /* with its port, if that is not the usual one */
    char *path;         /* encoded, begins with / */
    char *query;        /* of an http URL, as it came; NULL: none */
    char *bucket, *key; /* s3 only, not encoded; key is "" for the bucket itself */
    bool s3;
    ap_account account; /* s3 only */
} ap_target;

/* An s3 name needs a bucket, and with need_key a key. */
bool ap_target_parse(ap_target *target, const char *url, bool need_key, ap_error *err);
void ap_target_free(ap_target *target);

#endif
