/* SPDX-License-Identifier: GPL-3.0-or-later
 * Uploads in parts, with a client that only looks at them: two on their way at a time, in order in the list
 * that completes them, larger after many; and what is done when one fails. */
#include "base/error.h"
#include "plugins/net/client.h"
#include "plugins/net/net.h"
#include "test.h"

#include <pthread.h>
#include <time.h>

#define MIB ((size_t)1 << 20)

struct ap_client {
    const atomic_bool *stop;
};

/* What the store has seen. */
static struct store {
    pthread_mutex_t lock;
    unsigned puts, at_work, most_at_work, aborts, fails_at;
    size_t sizes[4096]; /* by part number */
    uint64_t firsts[4096];
    bool mixed_up, disordered, completed, aborted_early, meets;
    const char *etag; /* NULL: parts are called by their numbers; otherwise that of each */
    const char
        *object; /* NULL: it is completed; otherwise the upload is not there, and an object's ETag is this */
    uint64_t total;
} store;

ap_client *ap_client_new(ap_error *err)
{
    (void)err;
    return calloc(1, sizeof(ap_client));
}

void ap_client_free(ap_client *client)
{
    free(client);
}

void ap_client_stop_when(ap_client *client, const atomic_bool *stop)
{
    client->stop = stop;
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){0, ms * 1000000}, NULL);
}

/* Each MiB begins with its number. */
static bool is_consecutive(const unsigned char *bytes, size_t size)
{
    uint64_t first, number;
    memcpy(&first, bytes, sizeof first);
    for (size_t i = 0; i < size / MIB; i++) {
        memcpy(&number, bytes + i * MIB, sizeof number);
        if (number != first + i)
            return false;
    }
    return true;
}

/* Waits for another one, but not for ever. */
static void meet_another(void)
{
    for (int i = 0; store.meets && i < 2000; i++) {
        pthread_mutex_lock(&store.lock);
        const bool met = store.most_at_work > 1;
        pthread_mutex_unlock(&store.lock);
        if (met)
            return;
        pause_ms(1);
    }
}

static bool put_part(const ap_request *q, ap_response *r, ap_error *err)
{
    const unsigned number = (unsigned)atoi(q->query[0].value);
    pthread_mutex_lock(&store.lock);
    store.puts++;
    if (++store.at_work > store.most_at_work)
        store.most_at_work = store.at_work;
    store.mixed_up = store.mixed_up || !is_consecutive(q->body, q->body_size);
    store.sizes[number] = q->body_size;
    memcpy(&store.firsts[number], q->body, sizeof *store.firsts);
    store.total += q->body_size;
    pthread_mutex_unlock(&store.lock);
    meet_another();
    if (store.meets && number % 2)
        pause_ms(20); /* so that the second is done first */
    pthread_mutex_lock(&store.lock);
    store.at_work--;
    pthread_mutex_unlock(&store.lock);
    if (number == store.fails_at)
        return ap_fail(err, AP_TRY_AGAIN, "part %u is lost", number);
    if (store.etag)
        snprintf(r->etag, sizeof r->etag, "%s", store.etag);
    else
        snprintf(r->etag, sizeof r->etag, "\"%u\"", number);
    return true;
}

/* "<PartNumber>1</PartNumber><ETag>&quot;1&quot;</ETag>" and so on. */
static void complete(const ap_request *q)
{
    char *text = strndup(q->body, q->body_size), *at = text;
    for (unsigned i = 1; i <= store.puts; i++) {
        char wanted[96];
        snprintf(wanted, sizeof wanted, "<PartNumber>%u</PartNumber><ETag>&quot;%u&quot;</ETag>", i, i);
        at = at ? strstr(at, wanted) : NULL;
    }
    store.disordered = !at;
    store.completed = true;
    free(text);
}

bool ap_client_run(ap_client *client, const ap_request *q, ap_response *r, ap_bytes *body, ap_error *err)
{
    (void)client;
    *r = (ap_response){.status = 200, .length = AP_UNKNOWN};
    if (strcmp(q->method, "PUT") == 0)
        return put_part(q, r, err);
    if (strcmp(q->method, "HEAD") == 0) {
        r->length = store.total;
        snprintf(r->etag, sizeof r->etag, "%s", store.object ? store.object : "");
    } else if (strcmp(q->method, "DELETE") == 0) {
        store.aborts++;
        store.aborted_early = store.at_work > 0;
    } else if (strcmp(q->query[0].name, "uploads") == 0)
        ap_bytes_text(body, "<UploadId>1</UploadId>");
    else if (store.object)
        r->status = 404;
    else
        complete(q);
    return true;
}

bool ap_client_refused(const ap_target *t, const char *verb, const ap_response *r, const ap_bytes *body,
                       ap_error *err)
{
    (void)r;
    (void)body;
    return ap_fail(err, AP_FAILED, "cannot %s '%s'", verb, t->name);
}

static ap_net_writer *begin(void)
{
    store = (struct store){.lock = PTHREAD_MUTEX_INITIALIZER};
    setenv("AUDIOPIPE_S3_PART_MIB", "5", 1);
    return ap_net_create("s3://songs/a.wav", NULL);
}

/* So many MiB; false when it failed. */
static bool write_mib(ap_net_writer *w, size_t count, ap_error *err)
{
    static unsigned char block[MIB];
    bool ok = true;
    for (uint64_t i = 0; ok && i < count; i++) {
        memcpy(block, &i, sizeof i);
        ok = ap_net_write(w, block, sizeof block, err);
    }
    return ok;
}

static void two_at_a_time(void)
{
    ap_error err;
    ap_net_writer *w = begin();
    store.meets = true;
    CHECK(w && write_mib(w, 34, &err) && ap_net_commit(w, &err));
    CHECK(store.puts == 7 && store.total == 34 * MIB && store.sizes[7] == 4 * MIB);
    CHECK(store.most_at_work == 2);
    CHECK(store.completed && !store.disordered && !store.mixed_up && store.aborts == 0);
    for (unsigned i = 1; i <= 7; i++)
        CHECK(store.firsts[i] == 5 * (i - 1));
}

/* Parts of 5 MiB up to number 2,000, then of 10 MiB. */
static void larger_after_many(void)
{
    ap_error err;
    ap_net_writer *w = begin();
    CHECK(w && write_mib(w, 10000 + 55, &err) && ap_net_commit(w, &err));
    CHECK(store.puts == 2006 && store.total == 10055 * MIB);
    CHECK(store.sizes[2000] == 5 * MIB && store.sizes[2001] == 10 * MIB && store.sizes[2005] == 10 * MIB);
    CHECK(store.sizes[2006] == 5 * MIB && store.firsts[2002] == 10010);
    CHECK(store.completed && !store.disordered && !store.mixed_up);
}

static void one_is_lost(unsigned number, bool at_the_end)
{
    ap_error err = {AP_OK, ""};
    ap_net_writer *w = begin();
    store.fails_at = number;
    bool ok = w && write_mib(w, at_the_end ? 5 * number : 100, &err);
    CHECK(ok == at_the_end);
    if (ok)
        CHECK(!ap_net_commit(w, &err));
    else
        ap_net_abort(w);
    CHECK(err.code == AP_TRY_AGAIN && strstr(err.message, "is lost"));
    CHECK(store.aborts == 1 && !store.aborted_early && !store.completed && store.puts <= number + 2);
}

static void losses(void)
{
    one_is_lost(1, false);
    one_is_lost(2, false);
    one_is_lost(2, true);
    one_is_lost(3, true);
}

/* The upload is gone: whether the object is the one that it would have made. The right ETag is md5sum's of
 * the sixteen bytes twice, "-2" behind it. */
static bool is_taken_as_done(const char *object)
{
    ap_error err = {AP_OK, ""};
    ap_net_writer *w = begin();
    store.etag = "\"0123456789abcdef0123456789abcdef\"";
    store.object = object;
    bool written = w && write_mib(w, 8, &err), ok = written && ap_net_commit(w, &err);
    CHECK(written && store.puts == 2 && store.aborts == !ok);
    return ok;
}

static void lost_answers(void)
{
    CHECK(is_taken_as_done("\"5775d833b6f80e83231f82899ce76c00-2\""));
    CHECK(!is_taken_as_done("\"5775d833b6f80e83231f82899ce76c00-3\""));
    CHECK(!is_taken_as_done("\"0123456789abcdef0123456789abcdef-2\""));
    CHECK(!is_taken_as_done(""));
}

TEST_MAIN(CASE(two_at_a_time), CASE(larger_after_many), CASE(losses), CASE(lost_answers))
