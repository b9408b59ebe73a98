/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sns.h - whether a message comes from Amazon's SNS, of a topic that is wanted here. */
#ifndef AP_SERVE_WHO_SNS_H
#define AP_SERVE_WHO_SNS_H

#include "base/net.h"

#include <cjson/cJSON.h>

typedef struct ap_sns_options {
    const char *topics; /* ARNs, separated by commas or blanks; NULL: none is wanted */
    const char *trust;  /* a file of certificates that are trusted, in PEM; NULL: the system's */
    ap_net_fetch *fetch;
} ap_sns_options;

typedef struct ap_sns ap_sns;

/* NULL if one of the topics is none. The strings have to stay. */
ap_sns *ap_sns_open(const ap_sns_options *options, ap_error *err);
void ap_sns_close(ap_sns *sns); /* takes NULL */
/* Whether a message is, or would be, one of SNS. */
bool ap_is_sns(const cJSON *message);
/* False if it is not to be believed: AP_TRY_AGAIN if its certificate cannot be had for the moment. */
bool ap_sns_check(ap_sns *sns, const cJSON *message, ap_error *err);
/* Asks SNS once for the URL in a message that was checked: the topic is subscribed then. */
bool ap_sns_confirm(ap_sns *sns, const cJSON *message, ap_error *err);

#endif
