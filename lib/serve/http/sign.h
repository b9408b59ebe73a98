/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sign.h - URLs that stand for a token, for one request, for a while: HMAC-SHA-256 over method, path, owner
 * and expiry. */
#ifndef AP_SERVE_HTTP_SIGN_H
#define AP_SERVE_HTTP_SIGN_H

#include "serve/http/request.h"

#define AP_SIGNED_S 3600 /* how long one is good */

/* The URL of a path (decoded) for owner, malloc'ed; when: its end. NULL when out of memory. */
char *ap_sign_url(const ap_request *r, const char *method, const char *path, const char *owner,
                  char when[32]);
/* Whether the request came by such a URL, in time; then owner is whom it is for. */
bool ap_is_signed(const ap_request *r, const char *method, char owner[AP_OWNER_BYTES]);

#endif
