/* SPDX-License-Identifier: GPL-3.0-or-later
 * write.c - objects that appear when they are complete: one PUT for a small one, a multipart upload for the
 * rest. Parts are sent by threads while the next one is filled: the digests of one are computed while the
 * store takes another. */
#include "base/error.h"
#include "base/text.h"
#include "plugins/net/client.h"
#include "plugins/net/net.h"
#include "plugins/net/xml.h"

#include <errno.h>
#include <nettle/base16.h>
#include <nettle/md5.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* S3: parts of 5 MiB to 5 GiB, but the last one; 10,000 of them. Larger ones after each 2,000 keep the number
 * down and the memory at 24 MiB for the first 16 GB. */
#define PART ((size_t)8 << 20)
#define MIN_PART ((size_t)5 << 20)
#define GROWS_AFTER 2000u
#define MAX_PARTS 10000u
#define SENDERS 2u /* parts that are on their way at a time */

typedef struct part {
    unsigned char *bytes;
    size_t size, room;
} part;

typedef struct sender {
    ap_net_writer *writer;
    ap_client *client;
    part part;
    unsigned number;
    char etag[96]; /* of the part */
    pthread_t thread;
    bool busy; /* the thread runs */
    bool sent; /* its result */
    int ended; /* an eventfd: the thread is done */
    ap_error error;
} sender;

struct ap_net_writer {
    ap_target target;
    char *upload;           /* ID; NULL: nothing was sent yet */
    ap_bytes parts;         /* the XML that completes it */
    struct md5_ctx digests; /* of the parts, which most stores give as ETags */
    unsigned count;         /* parts that were handed over */
    uint64_t total;
    unsigned grows_after; /* parts */
    size_t part_size;
    part filling;
    sender senders[SENDERS]; /* they take turns; the first one's client sends what is no part, too */
    atomic_bool stop;
};

static ap_client *client_of(const ap_net_writer *w)
{
    return w->senders[0].client;
}

static void sender_free(sender *s)
{
    ap_client_free(s->client);
    if (s->ended >= 0)
        close(s->ended);
    free(s->part.bytes);
}

static void writer_free(ap_net_writer *w)
{
    for (unsigned i = 0; i < SENDERS; i++)
        sender_free(&w->senders[i]);
    ap_target_free(&w->target);
    free(w->upload);
    free(w->parts.data);
    free(w->filling.bytes);
    free(w);
}

/* Smaller parts than usual, for tests. */
static size_t first_part_size(void)
{
    const char *text = getenv("AUDIOPIPE_S3_PART_MIB");
    size_t n = text ? strtoul(text, NULL, 10) << 20 : PART;
    return n < MIN_PART ? MIN_PART : n > 64 * PART ? 64 * PART : n;
}

/* Fewer than usual, for tests: 2,000 parts are 10 GB. */
static unsigned grows_after(void)
{
    const char *text = getenv("AUDIOPIPE_S3_GROWS_AFTER");
    unsigned long n = text ? strtoul(text, NULL, 10) : GROWS_AFTER;
    return n < 1 || n > GROWS_AFTER ? GROWS_AFTER : (unsigned)n;
}

static bool sender_init(sender *s, ap_net_writer *w, ap_error *err)
{
    s->writer = w;
    s->ended = eventfd(0, EFD_CLOEXEC);
    if (s->ended < 0)
        return ap_fail_errno(err, errno, "cannot write '%s'", w->target.name);
    if (!(s->client = ap_client_new(err)))
        return false;
    ap_client_stop_when(s->client, &w->stop);
    return true;
}

/* Room for the next part: its size grows. */
static bool make_room(ap_net_writer *w, ap_error *err)
{
    w->filling.size = 0;
    if (w->filling.room >= w->part_size)
        return true;
    free(w->filling.bytes);
    w->filling = (part){malloc(w->part_size), 0, w->part_size};
    return w->filling.bytes || ap_fail_memory(err);
}

ap_net_writer *ap_net_create(const char *url, ap_error *err)
{
    ap_net_writer *w = calloc(1, sizeof *w);
    if (!w) {
        ap_fail_memory(err);
        return NULL;
    }
    w->part_size = first_part_size();
    md5_init(&w->digests);
    w->grows_after = grows_after();
    for (unsigned i = 0; i < SENDERS; i++)
        w->senders[i].ended = -1;
    bool ok = ap_target_parse(&w->target, url, true, err);
    if (ok && !w->target.s3)
        ok = ap_fail(err, AP_USAGE, "cannot write to '%s': only s3:// is written to", w->target.name);
    for (unsigned i = 0; ok && i < SENDERS; i++)
        ok = sender_init(&w->senders[i], w, err);
    if (ok && make_room(w, err))
        return w;
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
    bool ok =
        ap_client_run(client_of(w), &q, &r, &body, err) && (succeeded(&r) || refused(w, &r, &body, err));
    if (ok && !(w->upload = ap_xml_text((ap_xml){(char *)body.data, body.size}, "UploadId")))
        ok = ap_fail(err, AP_FAILED, "cannot write '%s': the server gives no ID for an upload",
                     w->target.name);
    free(body.data);
    return ok;
}

/* Sends the part, and keeps its ETag. */
static bool send_part(sender *s, ap_error *err)
{
    ap_net_writer *w = s->writer;
    char number[16];
    snprintf(number, sizeof number, "%u", s->number);
    const ap_request q = {.target = &w->target,
                          .method = "PUT",
                          .query = {{"partNumber", number}, {"uploadId", w->upload}},
                          .query_count = 2,
                          .body = s->part.bytes,
                          .body_size = s->part.size};
    ap_response r;
    ap_bytes body = {0};
    bool ok = ap_client_run(s->client, &q, &r, &body, err) && (succeeded(&r) || refused(w, &r, &body, err));
    free(body.data);
    if (ok)
        memcpy(s->etag, r.etag, sizeof s->etag);
    return ok;
}

static void *send_in_thread(void *user)
{
    sender *s = user;
    const uint64_t one = 1;
    s->sent = send_part(s, &s->error);
    (void)!write(s->ended, &one, sizeof one);
    return NULL;
}

/* Until the thread has ended; a signal, which does not reach it, ends it and the other ones soon. */
static void join(sender *s)
{
    struct pollfd ended = {s->ended, POLLIN, 0};
    uint64_t count;
    if (poll(&ended, 1, -1) < 0 && errno == EINTR)
        atomic_store(&s->writer->stop, true);
    pthread_join(s->thread, NULL);
    (void)!read(s->ended, &count, sizeof count);
    s->busy = false;
}

/* A part's ETag, "0123456789abcdef0123456789abcdef" with its quotes, as 16 bytes; anything else as it is. */
static void add_digest(struct md5_ctx *digests, const char *etag)
{
    struct base16_decode_ctx hex;
    uint8_t bytes[MD5_DIGEST_SIZE];
    size_t n = sizeof bytes;
    base16_decode_init(&hex);
    if (strlen(etag) == BASE16_ENCODE_LENGTH(sizeof bytes) + 2 &&
        base16_decode_update(&hex, &n, bytes, strlen(etag) - 2, etag + 1) && n == sizeof bytes)
        md5_update(digests, n, bytes);
    else
        md5_update(digests, strlen(etag), (const uint8_t *)etag);
}

/* Waits for the sender's part, if it has one, and notes that. */
static bool finish_part(sender *s, ap_error *err)
{
    if (!s->busy)
        return true;
    join(s);
    if (!s->sent) {
        if (err)
            *err = s->error;
        return false;
    }
    char *etag = ap_xml_escape(s->etag);
    char *item =
        etag ? ap_print("<Part><PartNumber>%u</PartNumber><ETag>%s</ETag></Part>", s->number, etag) : NULL;
    if (item)
        ap_bytes_text(&s->writer->parts, item);
    add_digest(&s->writer->digests, s->etag);
    free(item);
    free(etag);
    return item || ap_fail_memory(err);
}

/* The one whose turn it is; what it has was handed over before what the others have. */
static sender *next_sender(ap_net_writer *w)
{
    return &w->senders[w->count % SENDERS];
}

static bool finish_all(ap_net_writer *w, ap_error *err)
{
    bool ok = true;
    for (unsigned i = 0; ok && i < SENDERS; i++)
        ok = finish_part(&w->senders[(w->count + i) % SENDERS], err);
    return ok;
}

/* Signals are for the thread that makes the sound. */
static bool start_thread(sender *s)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    s->busy = pthread_create(&s->thread, NULL, send_in_thread, s) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return s->busy;
}

/* Hands what was filled over to a thread. */
static bool hand_over(ap_net_writer *w, ap_error *err)
{
    sender *s = next_sender(w);
    if (!finish_part(s, err) || (!w->upload && !start_upload(w, err)))
        return false;
    if (w->count == MAX_PARTS)
        return ap_fail(err, AP_FAILED, "'%s' would have more than %u parts", w->target.name, MAX_PARTS);
    const part empty = s->part;
    s->part = w->filling;
    w->filling = empty;
    s->number = ++w->count;
    if (!start_thread(s))
        return ap_fail(err, AP_TRY_AGAIN, "cannot start a thread");
    if (w->count % w->grows_after == 0)
        w->part_size *= 2;
    return make_room(w, err);
}

bool ap_net_write(ap_net_writer *w, const void *bytes, size_t size, ap_error *err)
{
    const unsigned char *p = bytes;
    w->total += size;
    while (size) {
        size_t n = w->part_size - w->filling.size;
        n = n < size ? n : size;
        memcpy(w->filling.bytes + w->filling.size, p, n);
        w->filling.size += n;
        p += n;
        size -= n;
        if (w->filling.size == w->part_size && !hand_over(w, err))
            return false;
    }
    return true;
}

/* ---- the end */

static bool put_whole(ap_net_writer *w, ap_error *err)
{
    const ap_request q = {
        .target = &w->target, .method = "PUT", .body = w->filling.bytes, .body_size = w->filling.size};
    ap_response r;
    ap_bytes body = {0};
    bool ok =
        ap_client_run(client_of(w), &q, &r, &body, err) && (succeeded(&r) || refused(w, &r, &body, err));
    free(body.data);
    return ok;
}

/* What the store has now. */
static bool look(ap_net_writer *w, ap_response *r, ap_error *err)
{
    const ap_request q = {.target = &w->target, .method = "HEAD"};
    return ap_client_run(client_of(w), &q, r, NULL, err) && (succeeded(r) || refused(w, r, NULL, err));
}

/* A store may answer 200 and put an error into the body; and the size is what was sent only if all parts are
 * there. */
static bool check_whole(ap_net_writer *w, const ap_response *completed, const ap_bytes *body, ap_error *err)
{
    ap_response r;
    if (body->size && memmem(body->data, body->size, "<Error>", 7))
        return refused(w, completed, body, err);
    return look(w, &r, err) &&
           (r.length == w->total ||
            ap_fail(err, AP_FAILED, "'%s' has not the size that was written", w->target.name));
}

/* An upload that is not there any more was completed by a request whose answer was lost, if the object has
 * the ETag that stores give to one of these parts: the MD5 of their digests, and their number. */
static bool was_completed(ap_net_writer *w, long status)
{
    uint8_t digest[MD5_DIGEST_SIZE];
    char hex[BASE16_ENCODE_LENGTH(sizeof digest)], wanted[sizeof hex + 16];
    ap_response r;
    if (status != 404 || !look(w, &r, NULL))
        return false;
    md5_digest(&w->digests, sizeof digest, digest);
    base16_encode_update(hex, sizeof digest, digest);
    snprintf(wanted, sizeof wanted, "\"%.*s-%u\"", (int)sizeof hex, hex, w->count);
    return r.length == w->total && strcmp(r.etag, wanted) == 0;
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
    ok = ok && ap_client_run(client_of(w), &q, &r, &body, err) &&
         (succeeded(&r) ? check_whole(w, &r, &body, err)
                        : was_completed(w, r.status) || refused(w, &r, &body, err));
    free(text.data);
    free(body.data);
    return ok;
}

bool ap_net_commit(ap_net_writer *w, ap_error *err)
{
    bool ok;
    if (!w->upload)
        ok = put_whole(w, err);
    else
        ok = (w->filling.size == 0 || hand_over(w, err)) && finish_all(w, err) && complete_upload(w, err);
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
    for (unsigned i = 0; i < SENDERS; i++)
        if (w->senders[i].busy)
            join(&w->senders[i]); /* what comes after the end of its upload would be kept */
    atomic_store(&w->stop, false);
    if (w->upload) {
        const ap_request q = {
            .target = &w->target, .method = "DELETE", .query = {{"uploadId", w->upload}}, .query_count = 1};
        ap_response r;
        (void)ap_client_run(client_of(w), &q, &r, NULL, NULL);
    }
    writer_free(w);
}
