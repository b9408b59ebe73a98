/* SPDX-License-Identifier: GPL-3.0-or-later
 * split.c - one stream to several outputs in one pass.
 *
 * Encoders pull, each at its own pace, so each has a thread, and a backlog of what the source gave and the
 * thread has not encoded yet. An output that is read slowly, or not at all for a while (a FIFO), thus holds
 * nobody up. */
#include "base/backlog.h"
#include "base/error.h"
#include "stream/stream.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct splitter splitter;

/* One output: its backlog, its thread, and the stream that the thread encodes. */
typedef struct branch {
    splitter *owner;
    const ap_split_output *output;
    ap_stream *stream; /* from the backlog */
    pthread_t thread;
    bool running;
    ap_backlog *backlog;
    float *block; /* AP_BLOCK frames */
} branch;

struct splitter {
    ap_stream *source;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t news;
    uint64_t written; /* frames, to each backlog */
    bool ended, failed;
    ap_error error; /* the first one */
    size_t count;
    branch branches[];
};

static void fail_all(splitter *p, const ap_error *error)
{
    pthread_mutex_lock(&p->lock);
    if (!p->failed)
        p->error = *error;
    p->failed = true;
    pthread_cond_broadcast(&p->news);
    pthread_mutex_unlock(&p->lock);
}

/* ---- the streams of the outputs */

/* Waits until there are frames beyond position. Returns how many, 0 at the end, -1 on failure. */
static ptrdiff_t wait_for_frames(splitter *p, uint64_t position, size_t max, ap_error *err)
{
    pthread_mutex_lock(&p->lock);
    while (p->written == position && !p->ended && !p->failed)
        pthread_cond_wait(&p->news, &p->lock);
    uint64_t there = p->written - position;
    ptrdiff_t n = there < max ? (ptrdiff_t)there : (ptrdiff_t)max;
    if (p->failed) {
        *err = p->error;
        n = -1;
    }
    pthread_mutex_unlock(&p->lock);
    return n;
}

static ptrdiff_t branch_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    branch *b = s->state;
    ptrdiff_t n = wait_for_frames(b->owner, s->position, max, err);
    if (n > 0 && !ap_backlog_take(b->backlog, frames, (size_t)n * s->format.channels * sizeof *frames, err))
        return -1;
    return n;
}

static void *encode_branch(void *user)
{
    branch *b = user;
    ap_error err;
    ptrdiff_t n = wait_for_frames(b->owner, 0, 1, &err); /* no output is touched before the source works */
    if (n >= 0 && !ap_encode(b->stream, b->output->path, b->output->options, &err))
        fail_all(b->owner, &err);
    else if (n < 0)
        ap_close(&b->stream);
    b->stream = NULL;
    return NULL;
}

/* ---- the source */

static bool append(branch *b, const float *frames, size_t count, ap_error *err)
{
    size_t all = b->owner->source->format.channels, channels = b->output->channels;
    for (size_t i = 0; i < count; i++)
        memcpy(b->block + i * channels, frames + i * all + b->output->first, channels * sizeof *frames);
    return ap_backlog_put(b->backlog, b->block, count * channels * sizeof *frames, err);
}

/* Passes on n frames, or the end. */
static void announce(splitter *p, size_t n)
{
    pthread_mutex_lock(&p->lock);
    p->written += n;
    p->ended = n == 0;
    pthread_cond_broadcast(&p->news);
    pthread_mutex_unlock(&p->lock);
}

static bool has_failed(splitter *p)
{
    pthread_mutex_lock(&p->lock);
    bool failed = p->failed;
    pthread_mutex_unlock(&p->lock);
    return failed;
}

static bool distribute(splitter *p, float *frames, ap_error *err)
{
    ptrdiff_t n;
    while ((n = ap_read_full(p->source, frames, AP_BLOCK, err)) > 0) {
        for (size_t i = 0; i < p->count; i++)
            if (!append(&p->branches[i], frames, (size_t)n, err))
                return false;
        announce(p, (size_t)n);
        if (has_failed(p))
            return true; /* an encoder did, and said why */
    }
    if (n == 0)
        announce(p, 0);
    return n == 0;
}

/* ---- making and ending */

static bool start(branch *b, ap_error *err)
{
    static const ap_stream_ops ops = {branch_read, NULL};
    const ap_format *from = &b->owner->source->format;
    ap_format format = {from->rate, b->output->channels, b->output->mask, from->frames};
    ap_tags *tags = ap_tags_new();
    const ap_tags *known = ap_stream_tags(b->owner->source);
    b->backlog = ap_backlog_new(err);
    b->block = malloc(AP_BLOCK * b->output->channels * sizeof *b->block);
    if (b->backlog && (!tags || !b->block || (known && !ap_tags_merge(tags, known))))
        ap_fail_memory(err);
    else if (b->backlog)
        b->stream = ap_stream_new(&ops, b, &format, ap_stream_name(b->owner->source), tags, err);
    else
        ap_tags_free(&tags);
    if (!b->stream)
        return false;
    int number = pthread_create(&b->thread, NULL, encode_branch, b);
    b->running = number == 0;
    return b->running || ap_fail_errno(err, number, "cannot start a thread");
}

/* After a failure: a thread that waits for a reader of its FIFO would wait forever. */
static int open_other_end(const branch *b)
{
    struct stat st;
    bool is_fifo = stat(b->output->path, &st) == 0 && S_ISFIFO(st.st_mode);
    return is_fifo ? open(b->output->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
}

static void finish(branch *b)
{
    int other_end = b->running && has_failed(b->owner) ? open_other_end(b) : -1;
    if (b->running)
        pthread_join(b->thread, NULL);
    if (other_end >= 0)
        close(other_end);
    ap_close(&b->stream);
    ap_backlog_free(b->backlog);
    free(b->block);
}

static bool check_outputs(const ap_stream *s, const ap_split_output *outputs, size_t count, ap_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (outputs[i].channels < 1 || outputs[i].first + outputs[i].channels > s->format.channels)
            return ap_fail(err, AP_USAGE, "'%s' is to have channels that the stream does not have",
                           outputs[i].path);
    return true;
}

static splitter *splitter_new(ap_stream *s, const ap_split_output *outputs, size_t count)
{
    splitter *p = calloc(1, sizeof *p + count * sizeof *p->branches);
    if (!p)
        return NULL;
    p->source = s;
    p->count = count;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->news, NULL);
    for (size_t i = 0; i < count; i++)
        p->branches[i] = (branch){.owner = p, .output = &outputs[i]};
    return p;
}

static bool splitter_free(splitter *p, ap_error *err)
{
    for (size_t i = 0; i < p->count; i++)
        finish(&p->branches[i]);
    bool ok = !p->failed;
    if (!ok && err)
        *err = p->error;
    pthread_cond_destroy(&p->news);
    pthread_mutex_destroy(&p->lock);
    free(p);
    return ok;
}

bool ap_encode_split(ap_stream *s, const ap_split_output *outputs, size_t count, ap_error *err)
{
    if (!s)
        return false;
    bool ok = check_outputs(s, outputs, count, err);
    splitter *p = ok ? splitter_new(s, outputs, count) : NULL;
    float *frames = malloc(AP_BLOCK * s->format.channels * sizeof *frames);
    if (ok && (!p || !frames))
        ok = ap_fail_memory(err);
    if (ok) {
        ap_error error;
        for (size_t i = 0; ok && i < count; i++)
            ok = start(&p->branches[i], &error);
        if (!ok || !distribute(p, frames, &error))
            fail_all(p, &error);
    }
    if (p)
        ok = splitter_free(p, err) && ok;
    free(frames);
    ap_close(&s);
    return ok;
}
