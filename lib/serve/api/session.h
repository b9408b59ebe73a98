/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * session.h - signing in with a page: a token becomes a cookie, since players, downloads and event streams of
 * a browser cannot send headers. */
#ifndef AP_SERVE_API_SESSION_H
#define AP_SERVE_API_SESSION_H

#include "serve/http/request.h"

/* POST, DELETE /v1/session */
ap_handler ap_sign_in, ap_sign_out;

#endif
