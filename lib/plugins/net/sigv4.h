/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sigv4.h - signatures of requests to object stores: AWS Signature Version 4, on Nettle. See
 * docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html. Pure: no clock, no
 * environment, no network. */
#ifndef AP_NET_SIGV4_H
#define AP_NET_SIGV4_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

#define AP_SIGV4_HEX 65 /* a SHA-256 in hexadecimal, with its NUL */
#define AP_SIGV4_PAIRS 32

/* A header (its name in lower case) or an item of the query; both not encoded. */
typedef struct ap_sigv4_pair {
    const char *name, *value;
} ap_sigv4_pair;

typedef struct ap_sigv4_request {
    const char *method, *host; /* host as in the Host header, with a port that is not the usual one */
    const char *path;          /* encoded, begins with / */
    const char *payload;       /* the body's SHA-256 in hexadecimal, or UNSIGNED-PAYLOAD */
    ap_sigv4_pair query[AP_SIGV4_PAIRS];
    size_t query_count;
    ap_sigv4_pair headers[AP_SIGV4_PAIRS]; /* signed besides host; names in lower case */
    size_t header_count;
    const char *region, *access_key, *secret_key;
    const char *token; /* NULL: none */
    char time[17];     /* 20130524T000000Z */
} ap_sigv4_request;

void ap_sigv4_sha256(const void *bytes, size_t size, char hex[AP_SIGV4_HEX]);
/* Percent-encodes every byte but A-Z a-z 0-9 - _ . ~ and, if asked to, "/". malloc'ed, NULL when out of
 * memory. */
char *ap_sigv4_encode(const char *text, bool keep_slash);
/* The query, encoded and sorted, without "?". malloc'ed. */
char *ap_sigv4_query(const ap_sigv4_request *request);
/* The value of the Authorization header; x-amz-date, x-amz-content-sha256 and x-amz-security-token have to be
 * among the headers, as they are sent. malloc'ed. */
char *ap_sigv4_authorization(const ap_sigv4_request *request);
/* The query of a URL that carries its signature, valid for expires_s from request->time. malloc'ed. */
char *ap_sigv4_presign(const ap_sigv4_request *request, unsigned expires_s);

#endif
