/* SPDX-License-Identifier: GPL-3.0-or-later
 * write.c - objects that appear when they are complete: one PUT for a small one, a multipart upload for the
 * rest. A part is sent by a thread while the next one is filled. */
#include "base/error.h"
#include "base/text.h"
#include "plugins/net/client.h"
#include "plugins/net/net.h"
#include "plugins/net/xml.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* S3: parts of 5 MiB to 5 GiB, but the last one; 10,000 of them. Larger ones after each 2,000 keep the number
 * down and the memory at 16 MiB for the first 16 GB. */
#define PART ((size_t)8 << 20)
#define MIN_PART ((size_t)5 << 20)
#define GROWS_AFTER 2000u
#define MAX_PARTS 10000u

struct ap_net_writer {
    ap_target target;
    ap_client *client;
    char *upload;   /* ID; NULL: nothing was sent yet */
    ap_bytes parts; /* the XML that completes it */
    unsigned count; /* parts that were handed over */
    uint64_t total;
    size_t part_size, filled;
    unsigned char *filling, *sending;
    size_t sending_size;
    pthread_t thread;
    bool busy; /* the thread runs */
    bool sent; /* its result */
    int ended; /* an eventfd: the thread is done */
    atomic_bool stop;
    ap_error error;
};

static void writer_free(ap_net_writer *w)
{
    ap_client_free(w->client);
    if (w->ended >= 0)
        close(w->ended);
    ap_target_free(&w->target);
    free(w->upload);
    free(w->parts.data);
    free(w->filling);
    free(w->sending);
    free(w);
}

/* Smaller parts than usual, for tests. */
static size_t first_part_size(void)
{
    const char *text = getenv("AUDIOPIPE_S3_PART_MIB");
    size_t n = text ? strtoul(text, NULL, 10) << 20 : PART;
    return n < MIN_PART ? MIN_PART : n > 64 * PART ? 64 * PART : n;
}

ap_net_writer *ap_net_create(const char *url, ap_error *err)
{
    ap_net_writer *w = calloc(1, sizeof *w);
    if (!w) {
        ap_fail_memory(err);
        return NULL;
    }
    w->part_size = first_part_size();
    w->ended = eventfd(0, EFD_CLOEXEC);
    bool ok = w->ended >= 0 || ap_fail_errno(err, errno, "cannot write '%s'", url);
    ok = ok && ap_target_parse(&w->target, url, true, err);
    if (ok && !w->target.s3)
        ok = ap_fail(err, AP_USAGE, "cannot write to '%s': only s3:// is written to", w->target.name);
    if (ok && (w->client = ap_client_new(err)) && (w->filling = malloc(w->part_size))) {
        ap_client_stop_when(w->client, &w->stop);
        return w;
    }
    if (ok && w->client)
        ap_fail_memory(err);
    writer_free(w);
    return NULL;
}

/* ---- requests */

static bool succeeded(const ap_response *r)
{
    return r->status >= 200 && r->status < 300;
}

static bool refused(ap_net_writer *w, const ap_response *r, const ap_bytes *body, ap_error *err)
{
    return ap_client_refused(&w->target, "write", r, body, err);
}

static bool start_upload(ap_net_writer *w, ap_error *err)
{
    const ap_request q = {
        .target = &w->target, .method = "POST", .query = {{"uploads", ""}}, .query_count = 1};
    ap_response r;
    ap_bytes body = {0};
    bool ok = ap_client_run(w->client, &q, &r, &body, err) && (succeeded(&r) || refused(w, &r, &body, err));
    if (ok && !(w->upload = ap_xml_text((ap_xml){(char *)body.data, body.size}, "UploadId")))
        ok = ap_fail(err, AP_FAILED, "cannot write '%s': the server gives no ID for an upload",
                     w->target.name);
    free(body.data);
    return ok;
}

/* Sends a part, and notes its ETag. */
static bool send_part(ap_net_writer *w, ap_error *err)
{
    char number[16];
    snprintf(number, sizeof number, "%u", w->count);
    const ap_request q = {.target = &w->target,
                          .method = "PUT",
                          .query = {{"partNumber", number}, {"uploadId", w->upload}},
                          .query_count = 2,
                          .body = w->sending,
                          .body_size = w->sending_size};
    ap_response r;
    ap_bytes body = {0};
    bool ok = ap_client_run(w->client, &q, &r, &body, err) && (succeeded(&r) || refused(w, &r, &body, err));
    char *etag = ok ? ap_xml_escape(r.etag) : NULL;
    char *item =
        etag ? ap_print("<Part><PartNumber>%s</PartNumber><ETag>%s</ETag></Part>", number, etag) : NULL;
    if (item)
        ap_bytes_text(&w->parts, item);
    else if (ok)
        ok = ap_fail_memory(err);
    free(etag);
    free(item);
    free(body.data);
    return ok;
}

static void *send_in_thread(void *user)
{
    ap_net_writer *w = user;
    const uint64_t one = 1;
    w->sent = send_part(w, &w->error);
    (void)!write(w->ended, &one, sizeof one);
    return NULL;
}

/* Until the thread has ended; a signal, which does not reach it, ends it soon. */
static void join(ap_net_writer *w)
{
    struct pollfd ended = {w->ended, POLLIN, 0};
    uint64_t count;
    if (poll(&ended, 1, -1) < 0 && errno == EINTR)
        atomic_store(&w->stop, true);
    pthread_join(w->thread, NULL);
    (void)!read(w->ended, &count, sizeof count);
    atomic_store(&w->stop, false); /* the store is told to drop the parts, too */
}

/* Waits for the part that is on its way. */
static bool finish_part(ap_net_writer *w, ap_error *err)
{
    if (w->busy)
        join(w);
    if (w->busy && !w->sent && err)
        *err = w->error;
    bool ok = !w->busy || w->sent;
    w->busy = false;
    return ok;
}

/* Signals are for the thread that makes the sound. */
static bool start_thread(ap_net_writer *w)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    w->busy = pthread_create(&w->thread, NULL, send_in_thread, w) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return w->busy;
}

/* Room for the next part, larger after many. */
static bool make_room(ap_net_writer *w, ap_error *err)
{
    if (w->count % GROWS_AFTER == 0)
        w->part_size *= 2;
    free(w->filling);
    w->filling = malloc(w->part_size);
    return w->filling || ap_fail_memory(err);
}

/* Hands what was filled over to the thread. */
static bool hand_over(ap_net_writer *w, ap_error *err)
{
    if (!finish_part(w, err) || (!w->upload && !start_upload(w, err)))
        return false;
    if (w->count == MAX_PARTS)
        return ap_fail(err, AP_FAILED, "'%s' would have more than %u parts", w->target.name, MAX_PARTS);
    unsigned char *empty = w->sending;
    w->sending = w->filling;
    w->sending_size = w->filled;
    w->filling = empty;
    w->filled = 0;
    w->count++;
    if (!start_thread(w))
        return ap_fail(err, AP_TRY_AGAIN, "cannot start a thread");
    return (w->filling && w->count % GROWS_AFTER) || make_room(w, err);
}

bool ap_net_write(ap_net_writer *w, const void *bytes, size_t size, ap_error *err)
{
    const unsigned char *p = bytes;
    w->total += size;
    while (size) {
        size_t n = w->part_size - w->filled < size ? w->part_size - w->filled : size;
        memcpy(w->filling + w->filled, p, n);
        w->filled += n;
        p += n;
        size -= n;
        if (w->filled == w->part_size && !hand_over(w, err))
            return false;
    }
    return true;
}

/* ---- the end */

static bool put_whole(ap_net_writer *w, ap_error *err)
{
    const ap_request q = {.target = &w->target, .method = "PUT", .body = w->filling, .body_size = w->filled};
    ap_response r;
    ap_bytes body = {0};
    bool ok = ap_client_run(w->client, &q, &r, &body, err) && (succeeded(&r) || refused(w, &r, &body, err));
    free(body.data);
    return ok;
}

/* A store may answer 200 and put an error into the body; and the size is what was sent only if all parts are
 * there. */
static bool check_whole(ap_net_writer *w, const ap_response *completed, const ap_bytes *body, ap_error *err)
{
    const ap_request q = {.target = &w->target, .method = "HEAD"};
    ap_response r;
    if (body->size && memmem(body->data, body->size, "<Error>", 7))
        return refused(w, completed, body, err);
    if (!ap_client_run(w->client, &q, &r, NULL, err))
        return false;
    if (!succeeded(&r))
        return refused(w, &r, NULL, err);
    return r.length == w->total ||
           ap_fail(err, AP_FAILED, "'%s' has not the size that was written", w->target.name);
}

static bool complete_upload(ap_net_writer *w, ap_error *err)
{
    ap_bytes text = {0}, body = {0};
    ap_response r;
    ap_bytes_text(&text, "<CompleteMultipartUpload>");
    ap_bytes_add(&text, w->parts.data, w->parts.size);
    ap_bytes_text(&text, "</CompleteMultipartUpload>");
    const ap_request q = {.target = &w->target,
                          .method = "POST",
                          .query = {{"uploadId", w->upload}},
                          .query_count = 1,
                          .headers = {{"content-type", "application/xml"}},
                          .header_count = 1,
                          .body = text.data,
                          .body_size = text.size};
    bool ok = (!text.failed && !w->parts.failed) || ap_fail_memory(err);
    ok = ok && ap_client_run(w->client, &q, &r, &body, err) &&
         (succeeded(&r) || refused(w, &r, &body, err)) && check_whole(w, &r, &body, err);
    free(text.data);
    free(body.data);
    return ok;
}

bool ap_net_commit(ap_net_writer *w, ap_error *err)
{
    bool ok;
    if (!w->upload && !w->busy)
        ok = put_whole(w, err);
    else
        ok = (w->filled == 0 || hand_over(w, err)) && finish_part(w, err) && complete_upload(w, err);
    if (!ok) {
        ap_net_abort(w);
        return false;
    }
    writer_free(w);
    return true;
}

void ap_net_abort(ap_net_writer *w)
{
    if (!w)
        return;
    finish_part(w, NULL);
    if (w->upload) {
        const ap_request q = {
            .target = &w->target, .method = "DELETE", .query = {{"uploadId", w->upload}}, .query_count = 1};
        ap_response r;
        (void)ap_client_run(w->client, &q, &r, NULL, NULL);
    }
    writer_free(w);
}
