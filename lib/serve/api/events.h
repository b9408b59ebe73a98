/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * events.h - streams of what happens to jobs (server-sent events, HTML standard, section 9.2). */
#ifndef AP_SERVE_API_EVENTS_H
#define AP_SERVE_API_EVENTS_H

#include "serve/http/request.h"

/* A job has changed (ap_change_told); user: the server. */
void ap_events_tell(const char *id, const char *owner, const char *text, void *user);
/* To be called every second: each stream that has said nothing for 15 s sends a comment, so that a client
 * that is gone is noticed. */
void ap_events_beat(void);
/* Ends all streams, also those that come. */
void ap_events_stop(void);
/* GET /v1/events, /v1/jobs/{id}/events */
ap_handler ap_get_events;

#endif
