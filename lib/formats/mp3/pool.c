/* SPDX-License-Identifier: GPL-3.0-or-later
 * pool.c - the segments of an MP3 file and the threads that encode them. The owner's thread puts samples
 * into a ring; each worker follows its own segment through the ring; what all of them have read is free
 * again. The segments do not depend on the number of threads, so neither do the bytes. */
#include "base/error.h"
#include "formats/mp3/mp3.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* All lengths are in MP3 frames. Measured on music at 128, 192 and 320 kbit/s: after a warm-up of 4 and an
 * overlap of 20 the error level at the joins is that of one serial encoder within 0.1 dB, and with the
 * segment length below they cost 3.4 % of the time. The length is a multiple of 49, the period of the padding
 * bits at 44.1 kHz and its fractions, so that they fall as in a serial encoder. */
#define WARM_UP 4
#define OVERLAP (AP_MP3_CHOICES - 1)
#define SEGMENT ((uint64_t)15 * AP_MP3_CHUNK)

/* An MP3 frame leaves LAME 3.100 when the input is this many samples past its end: BLKSIZE - FFTOFFSET
 * (encoder.h: 1024 - 272) for the FFT, less the ENCDELAY - MDCTDELAY (576 - 48) zeros that it puts before
 * the input. */
#define LOOK_AHEAD (1024 - 272 - (576 - 48))

/* How many chunks the reader may be ahead of what keeps all threads busy. */
#define SPARE_CHUNKS 4

typedef struct worker {
    ap_mp3_pool *pool;
    pthread_t thread;
    bool busy;
    uint64_t position; /* stream frame that it needs next */
} worker;

struct ap_mp3_pool {
    const ap_mp3_config *config;
    size_t chunk; /* stream frames */
    float *ring;
    size_t ring_chunks;

    pthread_mutex_t mutex; /* for all that follows, but not for the samples in the ring */
    pthread_cond_t changed;
    uint64_t filled; /* stream frames put in so far */
    bool ended, stopped, failed;
    ap_error error;
    uint64_t begun, given; /* segments that a worker has taken; parts handed to the owner */
    ap_mp3_part **parts;   /* finished ones, by segment number modulo slots */
    size_t slots;
    unsigned threads;
    worker workers[];
};

/* ---- where segments begin and end, in stream frames */

static uint64_t segment_start(const ap_mp3_pool *p, uint64_t n)
{
    return n * SEGMENT * p->config->frame;
}

/* How much input, from the start of the segment, makes that many MP3 frames come out. */
static uint64_t input_for(const ap_mp3_pool *p, uint64_t n, uint64_t frames)
{
    return segment_start(p, n) + frames * p->config->frame + LOOK_AHEAD;
}

/* The last choice for the join to the next segment is included. */
static uint64_t segment_end(const ap_mp3_pool *p, uint64_t n)
{
    return input_for(p, n + 1, WARM_UP + AP_MP3_CHOICES);
}

/* A segment exists only when the stream goes on after the previous one; an empty stream has one as well. */
static bool segment_exists(const ap_mp3_pool *p, uint64_t n)
{
    return n == 0 || p->filled > segment_end(p, n - 1);
}

/* MP3 frames of a whole stream: LAME appends at least 576 samples to the 576 of its delay (lame.c). */
static uint64_t total_frames(const ap_mp3_pool *p)
{
    uint64_t frame = p->config->frame;
    return (p->filled + 2 * 576 + frame - 1) / frame;
}

/* ---- workers */

/* Samples at w->position, up to target: sets *count, 0 when the pool was stopped or the stream has ended. */
static const float *samples_at(worker *w, uint64_t target, size_t *count)
{
    ap_mp3_pool *p = w->pool;
    pthread_mutex_lock(&p->mutex);
    while (!p->stopped && !p->ended && p->filled <= w->position)
        pthread_cond_wait(&p->changed, &p->mutex);
    uint64_t offset = w->position % (p->chunk * p->ring_chunks);
    uint64_t n = p->chunk - offset % p->chunk;
    if (n > p->filled - w->position)
        n = p->filled - w->position;
    if (n > target - w->position)
        n = target - w->position;
    *count = p->stopped ? 0 : (size_t)n;
    pthread_mutex_unlock(&p->mutex);
    return p->ring + offset * p->config->channels;
}

static void advance(worker *w, size_t count)
{
    pthread_mutex_lock(&w->pool->mutex);
    w->position += count;
    pthread_cond_broadcast(&w->pool->changed);
    pthread_mutex_unlock(&w->pool->mutex);
}

static bool add_bytes(ap_mp3_part *part, int result)
{
    if (result < 0)
        return false;
    part->size += (size_t)result;
    return true;
}

static int room(const ap_mp3_part *part)
{
    return (int)(part->capacity - part->size);
}

/* Encodes up to one MP3 frame's worth of samples. */
static bool encode_some(const ap_mp3_config *c, lame_t lame, const float *x, size_t n, ap_mp3_part *part)
{
    unsigned char *to = part->bytes + part->size;
    if (c->channels == 1)
        return add_bytes(part, lame_encode_buffer_ieee_float(lame, x, x, (int)n, to, room(part)));
    return add_bytes(part, lame_encode_buffer_interleaved_ieee_float(lame, x, (int)n, to, room(part)));
}

/* Encodes the input up to target, or to the end of the stream. false when LAME failed or the pool was
 * stopped. */
static bool encode_until(worker *w, lame_t lame, uint64_t target, ap_mp3_part *part)
{
    const ap_mp3_config *c = w->pool->config;
    size_t count;
    while (w->position < target) {
        const float *x = samples_at(w, target, &count);
        if (count == 0)
            break;
        for (size_t i = 0; i < count; i += AP_MP3_MAX_FRAME) {
            size_t n = count - i < AP_MP3_MAX_FRAME ? count - i : AP_MP3_MAX_FRAME;
            if (!encode_some(c, lame, x + i * c->channels, n, part))
                return false;
        }
        advance(w, count);
    }
    return true;
}

/* Drops what was encoded so far. The next MP3 frame starts with an empty bit reservoir. */
static bool drop_warm_up(lame_t lame, ap_mp3_part *part)
{
    bool ok = add_bytes(part, lame_encode_flush_nogap(lame, part->bytes + part->size, room(part)));
    part->size = 0;
    return ok;
}

/* Waits until it is known whether the stream ends with segment n, and how many MP3 frames its part has. */
static bool is_last(ap_mp3_pool *p, uint64_t n, uint64_t first, size_t *frames)
{
    pthread_mutex_lock(&p->mutex);
    while (!p->stopped && !p->ended && p->filled <= segment_end(p, n))
        pthread_cond_wait(&p->changed, &p->mutex);
    bool last = !segment_exists(p, n + 1);
    uint64_t end = last ? total_frames(p) : (n + 1) * SEGMENT + WARM_UP + AP_MP3_CHOICES;
    pthread_mutex_unlock(&p->mutex);
    *frames = (size_t)(end - first);
    return last;
}

static bool encode_segment(worker *w, uint64_t n, lame_t lame, ap_mp3_part *part)
{
    ap_mp3_pool *p = w->pool;
    size_t frames;
    if (n > 0 && (!encode_until(w, lame, input_for(p, n, WARM_UP), part) || !drop_warm_up(lame, part)))
        return false;
    if (!encode_until(w, lame, segment_end(p, n), part))
        return false;
    bool last = is_last(p, n, part->first, &frames);
    unsigned char *to = part->bytes + part->size;
    int result =
        last ? lame_encode_flush(lame, to, room(part)) : lame_encode_flush_nogap(lame, to, room(part));
    return add_bytes(part, result) && ap_mp3_part_index(part, frames);
}

static ap_mp3_part *make_part(worker *w, uint64_t n, ap_error *err)
{
    ap_mp3_pool *p = w->pool;
    /* Three more than in the middle: the last segment goes on to the end of LAME's padding. */
    ap_mp3_part *part =
        ap_mp3_part_new(n ? n * SEGMENT + WARM_UP : 0, SEGMENT + WARM_UP + AP_MP3_CHOICES + 3);
    lame_t lame = part ? ap_mp3_lame(p->config, false, err) : NULL;
    if (!part)
        ap_fail_memory(err);
    if (lame && encode_segment(w, n, lame, part)) {
        lame_close(lame);
        return part;
    }
    if (lame)
        ap_fail(err, AP_FAILED, "LAME failed to encode MP3 frames from %llu on",
                (unsigned long long)(part->first));
    lame_close(lame);
    ap_mp3_part_free(part);
    return NULL;
}

/* Waits for a segment to start on. Called with the mutex held; false when all work is done. */
static bool take_segment(worker *w, uint64_t *n)
{
    ap_mp3_pool *p = w->pool;
    while (!p->stopped && !p->ended && !segment_exists(p, p->begun))
        pthread_cond_wait(&p->changed, &p->mutex);
    if (p->stopped || !segment_exists(p, p->begun))
        return false;
    *n = p->begun++;
    w->busy = true;
    w->position = segment_start(p, *n);
    return true;
}

static void *work(void *argument)
{
    worker *w = argument;
    ap_mp3_pool *p = w->pool;
    uint64_t n;
    ap_error error;
    pthread_mutex_lock(&p->mutex);
    while (take_segment(w, &n)) {
        pthread_mutex_unlock(&p->mutex);
        ap_mp3_part *part = make_part(w, n, &error);
        pthread_mutex_lock(&p->mutex);
        w->busy = false;
        p->parts[n % p->slots] = part;
        if (!part && !p->stopped) {
            p->failed = p->stopped = true;
            p->error = error;
        }
        pthread_cond_broadcast(&p->changed);
    }
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

/* ---- the owner */

/* The earliest stream frame that someone still needs. */
static uint64_t oldest_position(const ap_mp3_pool *p)
{
    uint64_t oldest = segment_start(p, p->begun);
    for (unsigned i = 0; i < p->threads; i++)
        if (p->workers[i].busy && p->workers[i].position < oldest)
            oldest = p->workers[i].position;
    return oldest;
}

static bool has_room(const ap_mp3_pool *p)
{
    uint64_t used = p->filled / p->chunk - oldest_position(p) / p->chunk;
    return !p->ended && used < p->ring_chunks;
}

ap_mp3_wish ap_mp3_pool_wait(ap_mp3_pool *p, float **input, ap_mp3_part **output, ap_error *err)
{
    ap_mp3_wish wish = AP_MP3_DONE;
    pthread_mutex_lock(&p->mutex);
    ap_mp3_part **next = &p->parts[p->given % p->slots];
    while (!p->failed && !*next && !has_room(p) && (!p->ended || segment_exists(p, p->given)))
        pthread_cond_wait(&p->changed, &p->mutex);
    if (p->failed) {
        wish = AP_MP3_FAILED;
        if (err)
            *err = p->error;
    } else if (*next) {
        wish = AP_MP3_OUTPUT;
        *output = *next;
        *next = NULL;
        p->given++;
    } else if (has_room(p)) {
        wish = AP_MP3_INPUT;
        *input = p->ring + p->filled % (p->chunk * p->ring_chunks) * p->config->channels;
    }
    pthread_mutex_unlock(&p->mutex);
    return wish;
}

void ap_mp3_pool_put(ap_mp3_pool *p, size_t frames)
{
    pthread_mutex_lock(&p->mutex);
    p->filled += frames;
    p->ended = frames < p->chunk;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->mutex);
}

/* Starts the threads with all signals blocked: those are for the threads of the caller's program. */
static bool start_workers(ap_mp3_pool *p, unsigned threads, ap_error *err)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int failure = 0;
    while (p->threads < threads && failure == 0) {
        worker *w = &p->workers[p->threads];
        w->pool = p;
        pthread_mutex_lock(&p->mutex); /* oldest_position counts them */
        failure = pthread_create(&w->thread, NULL, work, w);
        p->threads += failure == 0;
        pthread_mutex_unlock(&p->mutex);
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return p->threads > 0 ||
           ap_fail_errno(err, failure, "cannot start a thread"); /* fewer do the work, too */
}

ap_mp3_pool *ap_mp3_pool_new(const ap_mp3_config *config, unsigned threads, ap_error *err)
{
    ap_mp3_pool *p = calloc(1, sizeof *p + threads * sizeof *p->workers);
    if (!p) {
        ap_fail_memory(err);
        return NULL;
    }
    p->config = config;
    p->chunk = AP_MP3_CHUNK * config->frame;
    p->ring_chunks = (threads - 1) * (size_t)(SEGMENT / AP_MP3_CHUNK) + SPARE_CHUNKS;
    p->slots = threads + 2; /* the ring reaches into no more segments than that */
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->changed, NULL);
    p->ring = malloc(p->ring_chunks * p->chunk * config->channels * sizeof *p->ring);
    p->parts = calloc(p->slots, sizeof *p->parts);
    if ((p->ring && p->parts) || ap_fail_memory(err))
        if (start_workers(p, threads, err))
            return p;
    ap_mp3_pool_free(p);
    return NULL;
}

void ap_mp3_pool_free(ap_mp3_pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->mutex);
    p->stopped = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->mutex);
    for (unsigned i = 0; i < p->threads; i++)
        pthread_join(p->workers[i].thread, NULL);
    for (size_t i = 0; p->parts && i < p->slots; i++)
        ap_mp3_part_free(p->parts[i]);
    pthread_mutex_destroy(&p->mutex);
    pthread_cond_destroy(&p->changed);
    free(p->parts);
    free(p->ring);
    free(p);
}
