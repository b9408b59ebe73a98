/* SPDX-License-Identifier: GPL-3.0-or-later
 * hints.c - an object store tells of new objects. */
#include "serve/api/hints.h"
#include "base/error.h"
#include "base/text.h"
#include "jobs/record/json.h"
#include "jobs/spool/sources.h"
#include "serve/http/guard.h"
#include "serve/http/log.h"
#include "serve/http/reply.h"
#include "serve/http/state.h"
#include "serve/kept/notices.h"

#include <stdlib.h>
#include <string.h>

typedef struct hints {
    const char *spool;
    unsigned noted, known;
} hints;

static bool note(const ap_notice *notice, void *user, ap_error *err)
{
    hints *h = user;
    bool known = false;
    char *url = ap_print("s3://%s/%s", notice->bucket, notice->key);
    if (strpbrk(notice->key, "\r\n")) { /* the listing takes care of such names */
        free(url);
        return true;
    }
    bool ok = url ? ap_event_note(h->spool, url, notice->version, &known, err) : ap_fail_memory(err);
    h->known += ok && known;
    h->noted += ok && !known;
    free(url);
    return ok;
}

/* Services that push can often keep nothing but a URL: there the token is a part of it. */
static bool is_allowed(ap_request *r)
{
    const char *token = ap_query(r, "token");
    ap_person person = {.admin = false};
    if (!*r->person.owner && token && ap_guard_token(r, token, &person))
        r->person = person;
    if (*r->person.owner && (r->person.admin || r->person.machine))
        return true;
    if (!r->response)
        ap_reply_problem(r, *r->person.owner ? 403 : 401, NULL,
                         "a token of a machine or an administrator is needed, in the header or as ?token=");
    return false;
}

/* Messages of SNS are signed, and the topics that may send them are known. */
static bool is_believed(ap_request *r, const cJSON *document)
{
    ap_error err = {AP_OK, ""};
    if (!ap_is_sns(document) || ap_sns_check(r->server->sns, document, &err))
        return true;
    ap_log("warning", NULL, "a message of SNS is not believed: %s", err.message);
    ap_reply_problem(r, err.code == AP_TRY_AGAIN ? 503 : 403, NULL, "not believed: %s", err.message);
    return false;
}

static bool take(ap_request *r, const cJSON *document, hints *h, ap_error *err)
{
    bool asks =
        ap_is_sns(document) && strcmp(ap_json_string(document, "Type"), "SubscriptionConfirmation") == 0;
    return ap_notices_read(document, note, h, err) &&
           (!asks || ap_sns_confirm(r->server->sns, document, err));
}

void ap_take_hints(ap_request *r)
{
    hints h = {.spool = r->server->options->work.spool};
    ap_error err = {AP_OK, ""};
    if (!is_allowed(r))
        return;
    cJSON *document = cJSON_Parse(r->body ? r->body : "");
    bool believed = is_believed(r, document), ok = believed && take(r, document, &h, &err);
    cJSON_Delete(document);
    if (!believed)
        return;
    if (!ok)
        return ap_reply_error(r, NULL, &err);
    cJSON *answer = cJSON_CreateObject();
    if (answer && ap_json_put_number(answer, "noted", h.noted) &&
        ap_json_put_number(answer, "known", h.known))
        return ap_reply_json(r, 200, answer);
    cJSON_Delete(answer);
    ap_reply_text(r, 503, NULL, NULL, 0);
}
