/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * state.h - what the parts of a running server share. */
#ifndef AP_SERVE_HTTP_STATE_H
#define AP_SERVE_HTTP_STATE_H

#include "serve/http/options.h"
#include "serve/kept/counters.h"
#include "serve/kept/index.h"
#include "serve/kept/shown.h"
#include "serve/kept/tasks.h"
#include "serve/kept/uploads.h"
#include "serve/who/jwt.h"
#include "serve/who/keys.h"
#include "serve/who/limits.h"
#include "serve/who/sns.h"

#include <microhttpd.h>
#include <stdatomic.h>

struct ap_server {
    const ap_serve_options *options;
    struct MHD_Daemon *daemon;
    ap_tasks *tasks;
    ap_keys tokens, sessions;
    ap_jwt *jwt; /* NULL: tokens of others are not taken */
    ap_sns *sns;
    ap_buckets buckets;
    ap_uploads uploads;
    ap_index *index;
    ap_shown shown;
    ap_metrics metrics;
    char *home;                /* what is ours in the spool: SPOOL/.serve */
    char user[AP_OWNER_BYTES]; /* who we are: the owner when nobody has to sign in, and of the sign-in link */
    unsigned char secret[32];  /* signs URLs */
    pthread_mutex_t lock;      /* of link */
    char link[AP_KEY_BYTES];   /* signs in once; "" afterwards */
    atomic_bool stopping;
};
typedef struct ap_server ap_server;

#endif
