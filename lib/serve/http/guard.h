/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * guard.h - what is checked of every request before anything else. Each answers when it says false. */
#ifndef AP_SERVE_HTTP_GUARD_H
#define AP_SERVE_HTTP_GUARD_H

#include "serve/http/request.h"

#define MACHINES_ONLY "this token is for /metrics and /v1/events/s3 only"

/* Headers that different servers understand differently, so that one could smuggle a request past the other:
 * 400, and the connection ends. Parameters of the query that are given twice: 400. */
bool ap_guard_framing(ap_request *r);
/* Who asks (r->person), and whether the route is for them; pages of other sites: 403. */
bool ap_guard_person(ap_request *r);
/* Not too many requests: 429; 503 and 423 for tus, whose clients give up on 429. */
bool ap_guard_rate(ap_request *r);
/* Whose token that is: one of ours, or one that someone else has issued. It may have answered, 429, if the
 * address tries many. */
bool ap_guard_token(ap_request *r, const char *token, ap_person *person);

#define AP_COOKIE "audiopipe_session"

#endif
