/* SPDX-License-Identifier: GPL-3.0-or-later
 * events.c - streams of what happens to jobs.
 *
 * The last events are kept in a ring, each with a number. A stream is a place in the ring; when it has caught
 * up its connection is suspended until something happens. A stream that begins gets the jobs that are under
 * way first, unless its Last-Event-ID says that it only has to catch up. */
#include "serve/api/events.h"
#include "base/text.h"
#include "jobs/record/clock.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"
#include "serve/http/reply.h"
#include "serve/http/state.h"
#include "serve/kept/view.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RING 1024
#define BEAT_S 15
#define SNAPSHOT 500     /* jobs that a new stream hears of */
#define BLOCK_BYTES 1024 /* each stream has one */

typedef struct event {
    char id[AP_ID_BYTES], owner[AP_OWNER_BYTES];
    char *text; /* a whole event of the stream */
} event;

typedef struct stream {
    struct MHD_Connection *connection;
    ap_server *server;
    char owner[AP_OWNER_BYTES]; /* "": of all */
    char job[AP_ID_BYTES];      /* "": all jobs */
    uint64_t next;              /* event */
    char (*snapshot)[AP_ID_BYTES];
    size_t waiting; /* in the snapshot, from its end */
    char *text;     /* what is being sent, malloc'ed */
    size_t sent, size;
    double spoke_s;
    bool suspended;
    struct stream *later, **back;
} stream;

/* One process serves one spool: all streams are those of its server. */
static struct {
    pthread_mutex_t lock;
    event ring[RING];
    uint64_t count; /* events so far; the number of the next */
    uint64_t epoch; /* differs between runs of the server */
    stream *streams;
    bool stopping;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- telling */

static void wake(stream *s)
{
    if (!s->suspended)
        return;
    s->suspended = false;
    MHD_resume_connection(s->connection);
}

static bool wants(const stream *s, const event *e)
{
    return (!*s->owner || strcmp(s->owner, e->owner) == 0) && (!*s->job || strcmp(s->job, e->id) == 0);
}

static uint64_t epoch(void)
{
    if (!all.epoch)
        all.epoch = (uint64_t)(1000 * ap_wall_s());
    return all.epoch;
}

void ap_events_tell(const char *id, const char *owner, const char *text, void *user)
{
    (void)user;
    if (strlen(id) >= AP_ID_BYTES || strlen(owner) >= AP_OWNER_BYTES)
        return;
    pthread_mutex_lock(&all.lock);
    event *e = &all.ring[all.count % RING];
    free(e->text);
    strcpy(e->id, id);
    strcpy(e->owner, owner);
    e->text = text ? ap_print("id: %llx-%llx\nevent: job\ndata: %s\n\n", (unsigned long long)epoch(),
                              (unsigned long long)all.count, text)
                   : ap_print("id: %llx-%llx\nevent: gone\ndata: {\"id\":\"%s\"}\n\n",
                              (unsigned long long)epoch(), (unsigned long long)all.count, id);
    all.count++;
    for (stream *s = all.streams; s; s = s->later)
        if (wants(s, e))
            wake(s);
        else if (s->suspended)
            s->next = all.count; /* it had heard everything, and this is not for it */
    pthread_mutex_unlock(&all.lock);
}

void ap_events_beat(void)
{
    double now = ap_monotonic_s();
    pthread_mutex_lock(&all.lock);
    for (stream *s = all.streams; s; s = s->later)
        if (now - s->spoke_s >= BEAT_S)
            wake(s);
    pthread_mutex_unlock(&all.lock);
}

void ap_events_stop(void)
{
    pthread_mutex_lock(&all.lock);
    all.stopping = true;
    for (stream *s = all.streams; s; s = s->later)
        wake(s);
    pthread_mutex_unlock(&all.lock);
}

/* ---- streams */

/* A job of the snapshot as an event, malloc'ed; NULL: it is gone. */
static char *snapshot_event(const stream *s, const char *id, uint64_t number)
{
    ap_place place;
    char *event_text = NULL;
    bool there = ap_job_find(s->server->options->work.spool, id, &place);
    char *manifest =
        there ? ap_spool_path(s->server->options->work.spool, place, id, AP_MANIFEST_NAME) : NULL;
    cJSON *document = manifest ? ap_manifest_load(manifest, NULL) : NULL;
    cJSON *view = document ? ap_view_job(document, place) : NULL;
    char *text = view ? ap_json_print(view, false) : NULL;
    if (text)
        event_text = ap_print("id: %llx-%llx\nevent: job\ndata: %s\n\n", (unsigned long long)epoch(),
                              (unsigned long long)number, text);
    free(text);
    free(manifest);
    cJSON_Delete(view);
    cJSON_Delete(document);
    return event_text;
}

/* Whether events have left the ring before a stream could tell them. It ends then: its client connects again,
 * and gets the jobs that are under way. */
static bool has_lost(const stream *s)
{
    return !s->waiting && all.count - s->next > RING;
}

/* The next text for a stream; NULL: nothing has happened. With the lock held. */
static char *next_text(stream *s)
{
    char *text = NULL;
    while (s->waiting && !text) {
        s->waiting--;
        text = snapshot_event(s, s->snapshot[s->waiting], s->next ? s->next - 1 : 0);
    }
    for (; s->next < all.count && !text; s->next++) {
        const event *e = &all.ring[s->next % RING];
        if (wants(s, e) && e->text)
            text = strdup(e->text);
    }
    if (!text && ap_monotonic_s() - s->spoke_s >= BEAT_S)
        text = strdup(":\n\n");
    return text;
}

static ssize_t read_stream(void *cls, uint64_t position, char *to, size_t size)
{
    stream *s = cls;
    ssize_t n = 0;
    (void)position;
    pthread_mutex_lock(&all.lock);
    bool ends = all.stopping || has_lost(s);
    if (!s->text && !ends && (s->text = next_text(s))) {
        s->size = strlen(s->text);
        s->sent = 0;
        s->spoke_s = ap_monotonic_s();
    }
    if (s->text) {
        size_t left = s->size - s->sent;
        n = (ssize_t)(left < size ? left : size);
        memcpy(to, s->text + s->sent, (size_t)n);
        s->sent += (size_t)n;
        if (s->sent == s->size) {
            free(s->text);
            s->text = NULL;
        }
    } else if (ends)
        n = MHD_CONTENT_READER_END_OF_STREAM;
    else {
        s->suspended = true;
        MHD_suspend_connection(s->connection);
    }
    pthread_mutex_unlock(&all.lock);
    return n;
}

static void end_stream(void *cls)
{
    stream *s = cls;
    pthread_mutex_lock(&all.lock);
    *s->back = s->later;
    if (s->later)
        s->later->back = s->back;
    pthread_mutex_unlock(&all.lock);
    atomic_fetch_sub(&s->server->metrics.streams, 1);
    free(s->text);
    free(s->snapshot);
    free(s);
}

/* "EPOCH-NUMBER" of this run that is still in the ring: the next is wanted. */
static bool can_catch_up(const char *last, uint64_t *next)
{
    unsigned long long run, number;
    char end;
    if (!last || sscanf(last, "%llx-%llx%c", &run, &number, &end) != 2 || run != epoch() ||
        number >= all.count || all.count - number > RING)
        return false;
    *next = number + 1;
    return true;
}

/* The events that a new stream gets first. */
static void take_snapshot(ap_request *r, stream *s)
{
    bool more;
    const ap_index_query query = {.owner = *s->owner ? s->owner : NULL, .active = true};
    s->snapshot = calloc(SNAPSHOT, sizeof *s->snapshot);
    if (s->snapshot && *s->job) {
        strcpy(s->snapshot[0], s->job);
        s->waiting = 1;
    } else if (s->snapshot)
        s->waiting = ap_index_list(r->server->index, &query, SNAPSHOT, s->snapshot, &more);
    char(*less)[AP_ID_BYTES] = s->waiting ? reallocarray(s->snapshot, s->waiting, sizeof *less) : NULL;
    if (less)
        s->snapshot = less;
    if (!s->waiting) {
        free(s->snapshot);
        s->snapshot = NULL;
    }
}

static void add_stream(ap_request *r, stream *s)
{
    pthread_mutex_lock(&all.lock);
    bool catching_up = can_catch_up(ap_header(r, "Last-Event-ID"), &s->next);
    if (!catching_up)
        s->next = all.count;
    s->later = all.streams;
    s->back = &all.streams;
    if (all.streams)
        all.streams->back = &s->later;
    all.streams = s;
    pthread_mutex_unlock(&all.lock);
    atomic_fetch_add(&r->server->metrics.streams, 1);
    s->text = strdup("retry: 2000\n\n");
    s->size = s->text ? strlen(s->text) : 0;
    if (!catching_up)
        take_snapshot(r, s); /* after its place in the ring is known: nothing is missed between */
}

void ap_get_events(ap_request *r)
{
    stream *s = calloc(1, sizeof *s);
    if (!s)
        return ap_reply_text(r, 503, NULL, NULL, 0);
    s->server = r->server;
    s->connection = r->connection;
    s->spoke_s = ap_monotonic_s();
    if (strlen(r->id) < sizeof s->job)
        strcpy(s->job, r->id);
    if (!r->person.admin)
        strcpy(s->owner, r->person.owner);
    add_stream(r, s);
    r->response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_stream, s, end_stream);
    r->status = 200;
    if (!r->response)
        return end_stream(s);
    ap_reply_header(r, "Content-Type", "text/event-stream");
    ap_reply_header(r, "Cache-Control", "no-store");
    ap_reply_header(r, "X-Accel-Buffering", "no");
}
