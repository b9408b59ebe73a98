/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * listen.h - the socket that a server listens on. */
#ifndef AP_SERVE_HTTP_LISTEN_H
#define AP_SERVE_HTTP_LISTEN_H

#include "audiopipe.h"

/* Opens "ADDRESS:PORT", "[ADDRESS]:PORT" or "unix:PATH"; or takes the one that systemd passes
 * (sd_listen_fds(3)). address: what it is, for people: "http://127.0.0.1:8080"; malloc'ed. -1 on failure. */
int ap_listen(const char *where, bool secure, char **address, ap_error *err);
/* Whether only this host can reach it. */
bool ap_is_loopback(const char *where);

#endif
