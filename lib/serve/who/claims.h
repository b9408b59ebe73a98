/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * claims.h - what a token says, once its signature is known to be right (RFC 7519, section 4.1). */
#ifndef AP_SERVE_WHO_CLAIMS_H
#define AP_SERVE_WHO_CLAIMS_H

#include "serve/who/keys.h"

typedef struct ap_jwt_options {
    const char *keys;        /* file of a JSON Web Key Set; NULL: no such tokens */
    const char *issuer;      /* what "iss" has to be */
    const char *audience;    /* what "aud" has to be, or to have among others */
    const char *owner_claim; /* which is the owner's name */
    const char *role_claim;  /* text, with blanks between its words, or a list of texts */
    const char *admin;       /* the word in it that makes an administrator */
} ap_jwt_options;

/* Whether the claims, a JSON text, hold now, for us; then person is who they are about. exp has to be there,
 * nbf may be; both to the second: clocks of the two hosts have to be right. */
bool ap_claims_person(const char *text, const ap_jwt_options *options, double now_s, ap_person *person,
                      ap_error *err);

#endif
