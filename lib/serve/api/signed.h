/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * signed.h - a URL that takes one file with one PUT, without a token. */
#ifndef AP_SERVE_API_SIGNED_H
#define AP_SERVE_API_SIGNED_H

#include "serve/http/request.h"

/* POST /v1/uploads, POST /v1/uploads/{id}/complete */
ap_handler ap_signed_new, ap_signed_complete;
/* PUT /v1/uploads/{id} */
ap_handler ap_signed_begin, ap_signed_finish, ap_signed_drop;
/* The URL of such a PUT, malloc'ed, and its end. NULL when out of memory. */
char *ap_signed_put(const ap_request *r, const char *id, char when[32]);
void ap_signed_take(ap_request *r, const char *bytes, size_t size);

#endif
