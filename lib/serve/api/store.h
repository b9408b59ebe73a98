/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * store.h - an object store beside the server: clients send to it and fetch from it, by signed URLs, what
 * would else go through here.
 *
 * With --store=s3://BUCKET/PREFIX/ an upload is PREFIX/uploads/ID until it is complete, and what jobs make is
 * PREFIX/jobs/ID/NAME. */
#ifndef AP_SERVE_API_STORE_H
#define AP_SERVE_API_STORE_H

#include "serve/http/options.h"
#include "serve/http/request.h"
#include "serve/kept/uploads.h"

/* Where the signed URLs of that store lead, https://host, malloc'ed; NULL if it cannot be used: no plugin, no
 * credentials. */
char *ap_store_origin(const char *store, ap_error *err);
/* A URL that takes one PUT of that many bytes, malloc'ed, and its end; NULL, with err filled, on failure. */
char *ap_store_put_url(const ap_request *r, const char *id, uint64_t bytes, char when[32], ap_error *err);
/* Fetches what was sent there, if it is there and of the size that was announced, and removes it there. The
 * upload is whole then. False, with *there false, when nothing has come yet. */
bool ap_store_fetch(const ap_request *r, ap_upload *upload, bool *there, ap_error *err);

/* GET /v1/jobs/{id}/link/{name}: a URL that needs no token, of the store if the output is there. */
ap_handler ap_get_link;

#endif
