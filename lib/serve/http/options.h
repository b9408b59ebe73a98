/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * options.h - what a server is told. */
#ifndef AP_SERVE_HTTP_OPTIONS_H
#define AP_SERVE_HTTP_OPTIONS_H

#include "jobs/run/worker.h"
#include "serve/who/jwt.h"

typedef struct ap_serve_options {
    const char *listen;     /* ADDRESS:PORT, [ADDRESS]:PORT, unix:PATH; not used if systemd passes a socket */
    const char *public_url; /* what clients see, "https://host/base"; NULL: from the request */
    const char *origins;    /* other sites whose pages may call, separated by blanks or commas; NULL: none */
    const char *certificate; /* files in PEM; NULL: no TLS */
    const char *private_key;
    const char *store;        /* s3://BUCKET/PREFIX/, from ap_destination: see store.h; NULL: none */
    const char *store_origin; /* where its signed URLs lead: https://host; NULL: no store */
    const char *topics;       /* of SNS whose messages are believed, as in ap_sns_options; NULL: none */
    const char *notify;       /* hooks that tell of the end of jobs that name none; NULL: none */
    ap_jwt_options jwt;       /* tokens of others; keys NULL: they are not taken */
    bool open;                /* everybody is the local user; for loopback only */
    bool compat;              /* also the paths of compat.h */
    bool trust_proxy;         /* X-Forwarded-For and X-Forwarded-Proto are a proxy's */
    double max_bytes, max_seconds, min_free_bytes; /* of files, as in ap_intake_options */
    double quota_bytes;                            /* of an owner's uploads and jobs; 0 = no limit */
    double keep_s;        /* an upload that nothing is done with goes away after this */
    double rate;          /* requests a second of an owner, or of an address that has none; 0 = no limit */
    unsigned connections; /* at a time */
    unsigned connections_each; /* of each address; 0 = no limit of its own */
    unsigned uploads;          /* of each owner; 0 = no limit */
    ap_work_options work;      /* spool, recipes, shell; jobs 0: leaves them to ap-job run */
} ap_serve_options;

#endif
