/* SPDX-License-Identifier: GPL-3.0-or-later
 * session.c - signing in with a page. */
#include "serve/api/session.h"
#include "base/text.h"
#include "jobs/record/clock.h"
#include "jobs/record/json.h"
#include "serve/http/guard.h"
#include "serve/http/reply.h"
#include "serve/http/state.h"

#include <nettle/memops.h>
#include <stdlib.h>
#include <string.h>

#define SESSION_S (30 * 86400)

/* The link that the server printed when it started. It is good once. */
static bool use_link(ap_server *server, const char *token, ap_person *person)
{
    pthread_mutex_lock(&server->lock);
    size_t n = strlen(server->link);
    bool ok = n && strlen(token) == n && memeql_sec(token, server->link, n);
    if (ok)
        *server->link = 0;
    pthread_mutex_unlock(&server->lock);
    if (ok) {
        *person = (ap_person){.admin = true};
        strcpy(person->owner, server->user);
    }
    return ok;
}

static void set_cookie(ap_request *r, const char *value, long age)
{
    char *base = ap_base_url(r);
    bool secure = base && strncmp(base, "https:", 6) == 0;
    char *cookie = ap_print(AP_COOKIE "=%s; Path=/; Max-Age=%ld; HttpOnly; SameSite=Strict%s", value, age,
                            secure ? "; Secure" : "");
    ap_reply_header(r, "Set-Cookie", cookie);
    free(base);
    free(cookie);
}

void ap_sign_in(ap_request *r)
{
    cJSON *asked = r->body ? cJSON_Parse(r->body) : NULL;
    const char *token = ap_json_string(asked, "token");
    char session[AP_KEY_BYTES];
    ap_person person;
    ap_error err;
    double end = ap_wall_s() + SESSION_S;
    if (!cJSON_IsObject(asked))
        ap_reply_problem(r, 400, NULL, "the body is not a JSON object");
    else if (!ap_guard_token(r, token, &person) && !use_link(r->server, token, &person)) {
        if (!r->response)
            ap_reply_problem(r, 401, "token", "it is not known, or no longer");
    } else if (person.machine)
        ap_reply_problem(r, 403, "token", MACHINES_ONLY);
    else {
        if (person.expires_s == 0 || person.expires_s > end)
            person.expires_s = end;
        if (ap_keys_add(&r->server->sessions, &person, session, &err)) {
            ap_reply_empty(r, 204);
            set_cookie(r, session, (long)(person.expires_s - ap_wall_s()));
        } else
            ap_reply_error(r, NULL, &err);
    }
    cJSON_Delete(asked);
}

void ap_sign_out(ap_request *r)
{
    const char *cookie = MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, AP_COOKIE);
    ap_error err;
    if (cookie && !ap_keys_remove(&r->server->sessions, cookie, NULL, NULL, &err))
        return ap_reply_error(r, NULL, &err);
    ap_reply_empty(r, 204);
    set_cookie(r, "", 0);
}
