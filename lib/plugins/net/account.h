/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * account.h - who asks, and which store is asked: from the environment and the files of the AWS tools. */
#ifndef AP_NET_ACCOUNT_H
#define AP_NET_ACCOUNT_H

#include "audiopipe.h"

/* All malloc'ed. */
typedef struct ap_account {
    char *access_key, *secret_key, *token; /* access_key NULL: requests are not signed */
    char *region;                          /* never NULL */
    char *endpoint;                        /* http://host:port without a slash at its end; NULL: AWS */
    bool path_style;                       /* the bucket is in the path, not in the host's name */
} ap_account;

/* $AWS_PROFILE, else "default", in $AWS_SHARED_CREDENTIALS_FILE and $AWS_CONFIG_FILE; the environment's own
 * keys win. A named profile that is in neither file is an error. */
bool ap_account_find(ap_account *account, ap_error *err);
void ap_account_free(ap_account *account);

/* The malloc'ed value of a key in a section of an INI text; NULL if it is not there. A nested value ("s3 ="
 * with indented lines below it) is asked for as "s3.key". */
char *ap_ini_value(const char *text, const char *section, const char *key);

#endif
