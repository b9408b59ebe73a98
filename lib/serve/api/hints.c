/* SPDX-License-Identifier: GPL-3.0-or-later
 * hints.c - an object store tells of new objects. */
#include "serve/api/hints.h"
#include "base/error.h"
#include "base/net.h"
#include "base/text.h"
#include "jobs/record/json.h"
#include "jobs/spool/sources.h"
#include "serve/http/guard.h"
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

/* SNS asks whether its messages are wanted. */
static bool confirm(const char *url, ap_error *err)
{
    const ap_net_plugin *net = ap_net_load(err);
    uint64_t size;
    bool seekable;
    if (!net)
        return false;
    if (!ap_is_sns_url(url))
        return ap_fail(err, AP_FAILED, "the subscription is not one of SNS");
    ap_net_reader *answer = net->open(url, &size, &seekable, err);
    net->close(answer);
    return answer != NULL;
}

void ap_take_hints(ap_request *r)
{
    hints h = {.spool = r->server->options->work.spool};
    char *url = NULL;
    ap_error err = {AP_OK, ""};
    if (!is_allowed(r))
        return;
    bool ok = ap_notices_read(r->body ? r->body : "", note, &h, &url, &err) && (!url || confirm(url, &err));
    free(url);
    if (!ok)
        return ap_reply_error(r, NULL, &err);
    cJSON *answer = cJSON_CreateObject();
    if (answer && ap_json_put_number(answer, "noted", h.noted) &&
        ap_json_put_number(answer, "known", h.known))
        return ap_reply_json(r, 200, answer);
    cJSON_Delete(answer);
    ap_reply_text(r, 503, NULL, NULL, 0);
}
