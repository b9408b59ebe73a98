/* SPDX-License-Identifier: GPL-3.0-or-later
 * sign.c - URLs that stand for a token. */
#include "serve/http/sign.h"
#include "base/text.h"
#include "jobs/record/clock.h"
#include "serve/http/state.h"

#include <nettle/base16.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* false when out of memory. */
static bool sign(const ap_request *r, const char *method, const char *path, const char *owner,
                 const char *expires, char hex[65])
{
    struct hmac_sha256_ctx hash;
    unsigned char sum[SHA256_DIGEST_SIZE];
    char *text = ap_print("%s\n%s\n%s\n%s", method, path, owner, expires);
    if (!text)
        return false;
    hmac_sha256_set_key(&hash, sizeof r->server->secret, r->server->secret);
    hmac_sha256_update(&hash, strlen(text), (const unsigned char *)text);
    hmac_sha256_digest(&hash, sizeof sum, sum);
    base16_encode_update(hex, sizeof sum, sum);
    hex[BASE16_ENCODE_LENGTH(sizeof sum)] = 0;
    free(text);
    return true;
}

char *ap_sign_url(const ap_request *r, const char *method, const char *path, const char *owner, char when[32])
{
    char expires[32], hex[65];
    double end = ap_wall_s() + AP_SIGNED_S;
    snprintf(expires, sizeof expires, "%.0f", end);
    ap_time_print(end, when);
    char *base = ap_base_url(r), *encoded = ap_percent_encode(path);
    char *url = base && encoded && sign(r, method, path, owner, expires, hex)
                    ? ap_print("%s%s?owner=%s&expires=%s&signature=%s", base, encoded, owner, expires, hex)
                    : NULL;
    free(base);
    free(encoded);
    return url;
}

bool ap_is_signed(const ap_request *r, const char *method, char owner[AP_OWNER_BYTES])
{
    const char *expires = ap_query(r, "expires"), *signature = ap_query(r, "signature");
    const char *name = ap_query(r, "owner");
    char hex[65];
    uint64_t end;
    if (!name || !ap_is_owner_name(name) || !expires || strlen(expires) > 20 ||
        !ap_parse_number(expires, &end) || (double)end < ap_wall_s() || !signature ||
        strlen(signature) != 64 || !sign(r, method, r->url, name, expires, hex) ||
        !memeql_sec(hex, signature, 64))
        return false;
    strcpy(owner, name);
    return true;
}
