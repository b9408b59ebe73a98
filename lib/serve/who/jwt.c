/* SPDX-License-Identifier: GPL-3.0-or-later
 * jwt.c - tokens that someone else has issued. The token says which key it was signed with, and how; only the
 * key decides: it is looked up in our file, and its kind has to be the kind of the algorithm. */
#include "serve/who/jwt.h"
#include "base/error.h"

#include <string.h>

bool ap_is_jwt(const char *token)
{
    int dots = 0;
    for (const char *p = token; *p; p++)
        dots += *p == '.';
    return dots == 2;
}

#ifdef AP_HAVE_JWT

#include "jobs/record/clock.h"
#include "jobs/record/json.h"
#include "jobs/record/sha256.h"

#include <errno.h>
#include <pthread.h>
#include <rhonabwy.h>
#include <stdio.h>
#include <stdlib.h>

#define KNOWN 256               /* tokens that are remembered */
#define MOST_BYTES 8192         /* of a token */
#define MOST_FILE_BYTES 1048576 /* of the key set */

typedef struct known {
    char hash[AP_SHA256_HEX]; /* "": none */
    ap_person person;
} known;

struct ap_jwt {
    ap_jwt_options options;
    pthread_mutex_t lock;
    jwks_t *keys;
    ap_stamp stamp; /* of the file that they are from */
    known known[KNOWN];
};

/* ---- keys */

/* What a key may have signed. Whoever knows a public key could sign with it by a symmetric algorithm: there
 * is none. */
static const struct {
    const char *name;
    unsigned kind;
} algorithms[] = {{"RS256", R_KEY_TYPE_RSA},  {"RS384", R_KEY_TYPE_RSA}, {"RS512", R_KEY_TYPE_RSA},
                  {"PS256", R_KEY_TYPE_RSA},  {"PS384", R_KEY_TYPE_RSA}, {"PS512", R_KEY_TYPE_RSA},
                  {"ES256", R_KEY_TYPE_EC},   {"ES384", R_KEY_TYPE_EC},  {"ES512", R_KEY_TYPE_EC},
                  {"EdDSA", R_KEY_TYPE_EDDSA}};

/* Whether a key, which may name its algorithm and its use, is for this one. */
static bool key_is_for(jwk_t *key, const char *algorithm)
{
    const char *own = r_jwk_get_property_str(key, "alg"), *use = r_jwk_get_property_str(key, "use");
    unsigned kind = (unsigned)r_jwk_key_type(key, NULL, R_FLAG_IGNORE_REMOTE);
    if ((own && strcmp(own, algorithm) != 0) || (use && strcmp(use, "sig") != 0) ||
        kind & R_KEY_TYPE_SYMMETRIC)
        return false;
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        if (strcmp(algorithms[i].name, algorithm) == 0)
            return kind & algorithms[i].kind;
    return false;
}

static bool has_signing_key(jwks_t *keys)
{
    for (size_t i = 0; i < r_jwks_size(keys); i++) {
        jwk_t *key = r_jwks_get_at(keys, i);
        bool good = false;
        for (size_t k = 0; !good && k < sizeof algorithms / sizeof *algorithms; k++)
            good = r_jwk_get_property_str(key, "kid") && key_is_for(key, algorithms[k].name);
        r_jwk_free(key);
        if (good)
            return true;
    }
    return false;
}

/* malloc'ed. */
static char *read_text(const char *path, ap_error *err)
{
    FILE *in = fopen(path, "re");
    char *text = in ? malloc(MOST_FILE_BYTES + 1) : NULL;
    size_t n = text ? fread(text, 1, MOST_FILE_BYTES + 1, in) : 0;
    if (!text || ferror(in))
        ap_fail_errno(err, errno, "cannot read '%s'", path);
    else if (n > MOST_FILE_BYTES)
        ap_fail(err, AP_FAILED, "'%s' is too large for a set of keys", path);
    bool ok = text && !ferror(in) && n <= MOST_FILE_BYTES;
    if (in)
        fclose(in);
    if (ok)
        text[n] = 0;
    else
        free(text);
    return ok ? text : NULL;
}

/* The keys of the file; what was known by the old ones is forgotten. */
static bool load(ap_jwt *j, ap_error *err)
{
    jwks_t *keys = NULL;
    char *text = read_text(j->options.keys, err);
    bool ok = text;
    if (ok && (r_jwks_init(&keys) != RHN_OK || r_jwks_import_from_json_str(keys, text) != RHN_OK ||
               !has_signing_key(keys)))
        ok = ap_fail(err, AP_FAILED, "'%s' has no key (JWKS) with a kid that a token could be checked with",
                     j->options.keys);
    free(text);
    if (!ok) {
        r_jwks_free(keys);
        return false;
    }
    r_jwks_free(j->keys);
    j->keys = keys;
    memset(j->known, 0, sizeof j->known);
    return true;
}

/* ---- tokens */

static known *place_of(ap_jwt *j, const char *hash)
{
    return &j->known[strtoul((char[]){hash[0], hash[1], 0}, NULL, 16) % KNOWN];
}

/* The key that a token names, if it is for the algorithm that it names. Keys in the token itself are not
 * looked at; extensions that have to be understood (crit) are not. NULL: there is none. */
static jwk_t *key_of(ap_jwt *j, jwt_t *jwt)
{
    char *text = r_jwt_get_full_header_str(jwt);
    cJSON *header = text ? cJSON_Parse(text) : NULL;
    const char *kid = ap_json_string(header, "kid"), *name = ap_json_string(header, "alg");
    bool odd = cJSON_GetObjectItemCaseSensitive(header, "crit");
    jwk_t *key = header && *kid && !odd ? r_jwks_get_by_kid(j->keys, kid) : NULL;
    if (key && !key_is_for(key, name)) {
        r_jwk_free(key);
        key = NULL;
    }
    cJSON_Delete(header);
    r_free(text);
    return key;
}

static bool signature_is_right(ap_jwt *j, jwt_t *jwt, ap_error *err)
{
    jwk_t *key = key_of(j, jwt);
    bool ok = key && r_jwt_verify_signature(jwt, key, R_FLAG_IGNORE_REMOTE) == RHN_OK;
    r_jwk_free(key);
    return ok || ap_fail(err, AP_FAILED, "the token is not signed with a key that is known here");
}

static bool check(ap_jwt *j, const char *token, ap_person *person, ap_error *err)
{
    jwt_t *jwt = NULL;
    bool ok = strlen(token) <= MOST_BYTES && r_jwt_init(&jwt) == RHN_OK &&
              r_jwt_advanced_parse(jwt, token, R_PARSE_NONE, R_FLAG_IGNORE_REMOTE) == RHN_OK &&
              r_jwt_get_type(jwt) == R_JWT_TYPE_SIGN;
    char *claims = NULL;
    ok = (ok || ap_fail(err, AP_FAILED, "this is not a signed token")) && signature_is_right(j, jwt, err);
    if (ok)
        claims = r_jwt_get_full_claims_str(jwt);
    ok = ok && ap_claims_person(claims, &j->options, ap_wall_s(), person, err);
    r_free(claims);
    r_jwt_free(jwt);
    return ok;
}

bool ap_jwt_known(ap_jwt *j, const char *token, ap_person *person)
{
    char hash[AP_SHA256_HEX];
    ap_error err;
    ap_sha256_text(token, hash);
    pthread_mutex_lock(&j->lock);
    if (ap_stamp_changes(j->options.keys, &j->stamp))
        load(j, &err); /* else the old ones stay */
    const known *k = place_of(j, hash);
    bool found = strcmp(k->hash, hash) == 0 && k->person.expires_s > ap_wall_s();
    if (found)
        *person = k->person;
    pthread_mutex_unlock(&j->lock);
    return found;
}

bool ap_jwt_check(ap_jwt *j, const char *token, ap_person *person, ap_error *err)
{
    char hash[AP_SHA256_HEX];
    if (ap_jwt_known(j, token, person))
        return true;
    ap_sha256_text(token, hash);
    pthread_mutex_lock(&j->lock);
    bool ok = check(j, token, person, err);
    if (ok) {
        known *k = place_of(j, hash);
        strcpy(k->hash, hash);
        k->person = *person;
    }
    pthread_mutex_unlock(&j->lock);
    return ok;
}

ap_jwt *ap_jwt_open(const ap_jwt_options *options, ap_error *err)
{
    ap_jwt *j = calloc(1, sizeof *j);
    if (!j || r_global_init() != RHN_OK)
        return free(j), ap_fail_memory(err), NULL;
    j->options = *options;
    pthread_mutex_init(&j->lock, NULL);
    ap_stamp_take(options->keys, &j->stamp);
    if (load(j, err))
        return j;
    ap_jwt_close(j);
    return NULL;
}

void ap_jwt_close(ap_jwt *j)
{
    if (!j)
        return;
    r_jwks_free(j->keys);
    r_global_close();
    free(j);
}

#else

ap_jwt *ap_jwt_open(const ap_jwt_options *options, ap_error *err)
{
    (void)options;
    return ap_fail(err, AP_FAILED,
                   "this ap-serve was built without librhonabwy: it cannot check JSON Web Tokens"),
           NULL;
}

void ap_jwt_close(ap_jwt *j)
{
    (void)j;
}

bool ap_jwt_known(ap_jwt *j, const char *token, ap_person *person)
{
    (void)j, (void)token, (void)person;
    return false;
}

bool ap_jwt_check(ap_jwt *j, const char *token, ap_person *person, ap_error *err)
{
    (void)j, (void)token, (void)person;
    return ap_fail(err, AP_FAILED, "there are no JSON Web Tokens");
}

#endif
