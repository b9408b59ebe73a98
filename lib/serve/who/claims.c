/* SPDX-License-Identifier: GPL-3.0-or-later
 * claims.c - what a token says. */
#include "serve/who/claims.h"
#include "base/error.h"
#include "base/text.h"
#include "jobs/record/json.h"
#include "serve/who/parse.h"

#include <math.h>
#include <string.h>

/* Whether a claim holds a word: as its text, as one of the words in it where several may stand, or in a
 * list. */
static bool claim_has(const cJSON *claims, const char *key, const char *word, bool words)
{
    const cJSON *claim = cJSON_GetObjectItemCaseSensitive(claims, key), *item;
    const char *text = cJSON_GetStringValue(claim);
    if (text)
        return strcmp(text, word) == 0 || (words && ap_lists_word(text, word));
    if (!cJSON_IsArray(claim))
        return false;
    cJSON_ArrayForEach(item, claim)
    {
        if (cJSON_IsString(item) && strcmp(item->valuestring, word) == 0)
            return true;
    }
    return false;
}

static bool is_in_time(const cJSON *claims, double now_s, ap_error *err)
{
    double end = ap_json_number(claims, "exp", NAN);
    bool waits = cJSON_GetObjectItemCaseSensitive(claims, "nbf");
    if (!(end > now_s))
        return ap_fail(err, AP_FAILED, "the token has ended, or does not say when it does (exp)");
    if (waits && !(ap_json_number(claims, "nbf", NAN) <= now_s))
        return ap_fail(err, AP_FAILED, "the token is not good yet (nbf)");
    return true;
}

bool ap_claims_person(const char *text, const ap_jwt_options *o, double now_s, ap_person *person,
                      ap_error *err)
{
    cJSON *claims = text ? cJSON_Parse(text) : NULL;
    const char *owner = ap_json_string(claims, o->owner_claim);
    bool ok = cJSON_IsObject(claims) || ap_fail(err, AP_FAILED, "the token has no claims");
    ok = ok && is_in_time(claims, now_s, err);
    if (ok && strcmp(ap_json_string(claims, "iss"), o->issuer) != 0)
        ok = ap_fail(err, AP_FAILED, "the token is another issuer's (iss)");
    if (ok && !claim_has(claims, "aud", o->audience, false))
        ok = ap_fail(err, AP_FAILED, "the token is for someone else (aud)");
    if (ok && !ap_is_owner_name(owner))
        ok = ap_fail(err, AP_FAILED, "the token names no owner: letters, digits and . _ @ - (%s)",
                     o->owner_claim);
    if (ok) {
        *person = (ap_person){.admin = claim_has(claims, o->role_claim, o->admin, true),
                              .expires_s = ap_json_number(claims, "exp", 0)};
        strcpy(person->owner, owner);
    }
    cJSON_Delete(claims);
    return ok;
}
