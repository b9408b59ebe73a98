/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * jwt.h - tokens that someone else has issued: signed (RFC 7519), and checked with the issuer's public keys
 * (RFC 7517, a file). Needs librhonabwy; built without it, ap_jwt_open says so. */
#ifndef AP_SERVE_WHO_JWT_H
#define AP_SERVE_WHO_JWT_H

#include "serve/who/claims.h"

typedef struct ap_jwt ap_jwt;

/* options stay the caller's. NULL on failure: no readable file, no key in it that signs. */
ap_jwt *ap_jwt_open(const ap_jwt_options *options, ap_error *err);
void ap_jwt_close(ap_jwt *j); /* takes NULL */
/* Whether that looks like such a token. */
bool ap_is_jwt(const char *token);
/* Whose token that is, if it was found good before and has not ended; costs little. */
bool ap_jwt_known(ap_jwt *j, const char *token, ap_person *person);
/* Checks it: a millisecond. Changes of the file are seen; one that cannot be read changes nothing. */
bool ap_jwt_check(ap_jwt *j, const char *token, ap_person *person, ap_error *err);

#endif
