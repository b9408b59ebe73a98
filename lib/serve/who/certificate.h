/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * certificate.h - whether a certificate is one of those that Amazon's SNS signs with. */
#ifndef AP_SERVE_WHO_CERTIFICATE_H
#define AP_SERVE_WHO_CERTIFICATE_H

#include "base/net.h"

#include <gnutls/abstract.h>

/* The key of a file of certificates in PEM, if the first is one of the SNS of a domain
 * ("eu-west-1.amazonaws.com"), and trusted. fetch gets the certificate of its issuer where the file does not
 * have it. trust: a file of certificates that are trusted, in PEM; NULL: the system's. */
bool ap_sns_key(const ap_bytes *file, const char *domain, const char *trust, ap_net_fetch *fetch,
                gnutls_pubkey_t *key, ap_error *err);

#endif
