/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * client.h - one HTTP request at a time, signed if it is for an object store; libcurl carries it. */
#ifndef AP_NET_CLIENT_H
#define AP_NET_CLIENT_H

#include "base/bytes.h"
#include "plugins/net/sigv4.h"
#include "plugins/net/target.h"

#include <stdatomic.h>

typedef struct ap_request {
    const ap_target *target;
    const char *method;
    ap_sigv4_pair query[8]; /* of an s3 target */
    size_t query_count;
    ap_sigv4_pair headers[8]; /* names in lower case */
    size_t header_count;
    const void *body; /* NULL: none */
    bool here;        /* no redirection is followed; of an s3 target none is ever */
    size_t body_size;
} ap_request;

/* What is known when the headers are there. */
typedef struct ap_response {
    long status;
    uint64_t length;      /* of the body, AP_UNKNOWN: not said */
    uint64_t range_start; /* of Content-Range, AP_UNKNOWN: there is none */
    bool ranges;          /* Accept-Ranges: bytes */
    char etag[96];        /* as it came, with its quotes */
    char type[96], modified[40], region[40];
} ap_response;

typedef struct ap_client ap_client;

ap_client *ap_client_new(ap_error *err);
void ap_client_free(ap_client *client); /* takes NULL */
/* Its waits end within a second after *stop became true, as by a signal: for a thread that signals do not
 * reach. */
void ap_client_stop_when(ap_client *client, const atomic_bool *stop);

/* Sends the request, and again after a pause when the network or the server fails for the moment. body, if
 * not NULL, gets what was answered, up to a limit; it is emptied at first. False when there was no answer. An
 * answer may be a refusal: see ap_client_refused. */
bool ap_client_run(ap_client *client, const ap_request *request, ap_response *response, ap_bytes *body,
                   ap_error *err);

/* The same for a body that is read as it comes: sends once; true when the headers are there. The request's
 * strings have to last until then. */
bool ap_client_start(ap_client *client, const ap_request *request, ap_response *response, ap_error *err);
/* Bytes of the body; 0 at its end; -1 when the connection broke (AP_TRY_AGAIN), or a signal came. */
ptrdiff_t ap_client_read(ap_client *client, void *buffer, size_t size, ap_error *err);
/* Ends it, whatever is left. */
void ap_client_stop(ap_client *client);

/* Fills err from an answer that is no success: "cannot VERB 'NAME': ...". body: what the server said, or
 * NULL. Returns false. */
bool ap_client_refused(const ap_target *target, const char *verb, const ap_response *response,
                       const ap_bytes *body, ap_error *err);
/* Sleeps before attempt number 1, 2, 3... false when a signal came (err is filled). */
bool ap_client_pause(unsigned attempt, ap_error *err);
#define AP_CLIENT_ATTEMPTS 6

#endif
