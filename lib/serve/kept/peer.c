/* SPDX-License-Identifier: GPL-3.0-or-later
 * peer.c - connections, and how long they may keep us waiting. */
#include "serve/kept/peer.h"
#include "jobs/record/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#define HEAD_S 10        /* from the last answer, or the start, to the end of the next headers */
#define BODY_WINDOW_S 10 /* in each such time ... */
#define BODY_BYTES 4096  /* ... so much of a body has to come */

#define LAST_S 0.5 /* at the end: for headers that are on their way */

typedef enum peer_state { HEAD, BODY, SERVED } peer_state;

struct ap_peer {
    int socket;
    peer_state state;
    double since_s;
    size_t received; /* since then */
    ap_peer *next, **back;
};

/* The library tells of connections from its threads, so this list is the process's, as its sockets are. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static ap_peer *peers;

static void start(struct MHD_Connection *connection, void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    ap_peer *peer = info ? calloc(1, sizeof *peer) : NULL;
    *context = peer;
    if (!peer)
        return;
    peer->socket = info->connect_fd;
    peer->since_s = ap_monotonic_s();
    pthread_mutex_lock(&lock);
    peer->next = peers;
    peer->back = &peers;
    if (peers)
        peers->back = &peer->next;
    peers = peer;
    pthread_mutex_unlock(&lock);
}

static void end(ap_peer *peer)
{
    if (!peer)
        return;
    pthread_mutex_lock(&lock);
    *peer->back = peer->next;
    if (peer->next)
        peer->next->back = peer->back;
    pthread_mutex_unlock(&lock);
    free(peer);
}

void ap_peer_notify(void *cls, struct MHD_Connection *connection, void **context,
                    enum MHD_ConnectionNotificationCode code)
{
    (void)cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        start(connection, context);
    else {
        end(*context);
        *context = NULL;
    }
}

ap_peer *ap_peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void enter(ap_peer *peer, peer_state state)
{
    if (!peer)
        return;
    pthread_mutex_lock(&lock);
    peer->state = state;
    peer->since_s = ap_monotonic_s();
    peer->received = 0;
    pthread_mutex_unlock(&lock);
}

void ap_peer_body(ap_peer *peer)
{
    enter(peer, BODY);
}

void ap_peer_served(ap_peer *peer)
{
    enter(peer, SERVED);
}

void ap_peer_idle(ap_peer *peer)
{
    enter(peer, HEAD);
}

void ap_peer_received(ap_peer *peer, size_t bytes)
{
    if (!peer)
        return;
    pthread_mutex_lock(&lock);
    peer->received += bytes;
    pthread_mutex_unlock(&lock);
}

void ap_peer_break(ap_peer *peer)
{
    if (peer)
        shutdown(peer->socket, SHUT_RDWR);
}

static bool too_slow(ap_peer *peer, double now)
{
    double waited = now - peer->since_s;
    if (peer->state == HEAD)
        return waited > HEAD_S;
    if (peer->state != BODY || waited < BODY_WINDOW_S)
        return false;
    bool slow = peer->received < BODY_BYTES;
    peer->since_s = now;
    peer->received = 0;
    return slow;
}

void ap_peers_check(void)
{
    double now = ap_monotonic_s();
    pthread_mutex_lock(&lock);
    for (ap_peer *peer = peers; peer; peer = peer->next)
        if (too_slow(peer, now))
            ap_peer_break(peer);
    pthread_mutex_unlock(&lock);
}

void ap_peers_end_idle(void)
{
    double now = ap_monotonic_s();
    pthread_mutex_lock(&lock);
    for (ap_peer *peer = peers; peer; peer = peer->next)
        if (peer->state == HEAD && now - peer->since_s > LAST_S)
            ap_peer_break(peer);
    pthread_mutex_unlock(&lock);
}
