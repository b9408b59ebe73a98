/* SPDX-License-Identifier: GPL-3.0-or-later
 * certificate.c - whether a certificate is one of those that Amazon's SNS signs with. */
#include "serve/who/certificate.h"
#include "base/error.h"
#include "base/text.h"

#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES 65536 /* of an issuer's certificate */

/* Amazon's file has the certificate alone; where that of its issuer is stands in it. One step, to an issuer
 * that has to be trusted, is enough. */
typedef struct asking {
    ap_net_fetch *fetch;
    bool asked, later; /* it cannot be had for the moment */
} asking;

static int find_issuer(gnutls_x509_trust_list_t trusted, const gnutls_x509_crt_t certificate,
                       gnutls_x509_crt_t **issuers, unsigned *count)
{
    asking *a = gnutls_x509_trust_list_get_ptr(trusted);
    ap_bytes file = {0};
    ap_error err = {AP_OK, ""};
    int code = GNUTLS_E_UNKNOWN_ALGORITHM; /* an entry of another kind: of OCSP */
    for (unsigned i = 0; !a->asked && code == GNUTLS_E_UNKNOWN_ALGORITHM; i++) {
        gnutls_datum_t where = {NULL, 0};
        code =
            gnutls_x509_crt_get_authority_info_access(certificate, i, GNUTLS_IA_CAISSUERS_URI, &where, NULL);
        char *url = code == 0 ? strndup((char *)where.data, where.size) : NULL;
        if (url && a->fetch(url, MOST_BYTES, &file, &err)) {
            const gnutls_datum_t data = {file.data, (unsigned)file.size};
            code = gnutls_x509_crt_list_import2(issuers, count, &data, GNUTLS_X509_FMT_DER, 0);
        } else if (url)
            code = GNUTLS_E_NO_CERTIFICATE_FOUND;
        a->later = err.code == AP_TRY_AGAIN;
        free(url);
        gnutls_free(where.data);
    }
    a->asked = true;
    free(file.data);
    return code;
}

static bool is_trusted(ap_net_fetch *fetch, const char *trust, gnutls_x509_crt_t *chain, unsigned count,
                       ap_error *err)
{
    asking a = {.fetch = fetch};
    gnutls_x509_trust_list_t trusted;
    unsigned wrong = 1;
    if (gnutls_x509_trust_list_init(&trusted, 0) != 0)
        return ap_fail_memory(err);
    if (trust)
        gnutls_x509_trust_list_add_trust_file(trusted, trust, NULL, GNUTLS_X509_FMT_PEM, 0, 0);
    else
        gnutls_x509_trust_list_add_system_trust(trusted, 0, 0);
    gnutls_x509_trust_list_set_ptr(trusted, &a);
    gnutls_x509_trust_list_set_getissuer_function(trusted, find_issuer);
    bool ok =
        gnutls_x509_trust_list_verify_crt2(trusted, chain, count, NULL, 0, 0, &wrong, NULL) == 0 && !wrong;
    gnutls_x509_trust_list_deinit(trusted, 1);
    if (!ok && a.later)
        return ap_fail(err, AP_TRY_AGAIN, "the certificate of its issuer cannot be had");
    return ok || ap_fail(err, AP_FAILED, "its certificate is not trusted");
}

/* The names that Amazon's certificates have, by region (as its SDK for Java has them). */
static bool is_named(gnutls_x509_crt_t certificate, const char *domain)
{
    static const char *const forms[] = {"sns.%s", "sns-signing.%s", "sns-%s", "sns.amazonaws.com",
                                        "sns-us-gov-west-1.amazonaws.com"};
    bool named = false;
    for (size_t i = 0; !named && i < sizeof forms / sizeof *forms; i++) {
        char *name = strchr(forms[i], '%') ? ap_print("%.*s%s", (int)strcspn(forms[i], "%"), forms[i], domain)
                                           : strdup(forms[i]);
        named =
            name && gnutls_x509_crt_check_hostname2(certificate, name, GNUTLS_VERIFY_DO_NOT_ALLOW_WILDCARDS);
        free(name);
    }
    return named;
}

bool ap_sns_key(const ap_bytes *file, const char *domain, const char *trust, ap_net_fetch *fetch,
                gnutls_pubkey_t *key, ap_error *err)
{
    const gnutls_datum_t data = {file->data, (unsigned)file->size};
    gnutls_x509_crt_t *chain = NULL;
    unsigned count = 0;
    bool ok = (gnutls_x509_crt_list_import2(&chain, &count, &data, GNUTLS_X509_FMT_PEM, 0) == 0 && count &&
               is_named(chain[0], domain)) ||
              ap_fail(err, AP_FAILED, "its certificate is not one of SNS");
    ok = ok && is_trusted(fetch, trust, chain, count, err) &&
         (gnutls_pubkey_init(key) == 0 || ap_fail_memory(err));
    if (ok && gnutls_pubkey_import_x509(*key, chain[0], 0) != 0) {
        gnutls_pubkey_deinit(*key);
        ok = ap_fail(err, AP_FAILED, "its certificate has no key");
    }
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(chain[i]);
    gnutls_free(chain);
    return ok;
}
