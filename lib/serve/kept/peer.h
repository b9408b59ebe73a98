/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * peer.h - connections, and how long they may keep us waiting. The HTTP library's own timeout is of
 * inactivity: a byte every now and then would keep a connection open forever. */
#ifndef AP_SERVE_KEPT_PEER_H
#define AP_SERVE_KEPT_PEER_H

#include "audiopipe.h"

#include <microhttpd.h>

typedef struct ap_peer ap_peer;

/* A connection has started or ended (MHD_OPTION_NOTIFY_CONNECTION). */
void ap_peer_notify(void *cls, struct MHD_Connection *connection, void **context,
                    enum MHD_ConnectionNotificationCode code);
/* The peer of a connection. */
ap_peer *ap_peer_of(struct MHD_Connection *connection);
/* Its headers are there: a body follows. */
void ap_peer_body(ap_peer *peer);
/* So many bytes of it came. */
void ap_peer_received(ap_peer *peer, size_t bytes);
/* The request is there: now it waits for us. */
void ap_peer_served(ap_peer *peer);
/* The answer is sent: the next request may come. */
void ap_peer_idle(ap_peer *peer);
/* Breaks the connection. */
void ap_peer_break(ap_peer *peer);
/* Breaks those that are too slow; to be called about once a second. */
void ap_peers_check(void);
/* Breaks those that wait for a next request: nothing more is served. */
void ap_peers_end_idle(void);

#endif
