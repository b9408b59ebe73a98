/* SPDX-License-Identifier: GPL-3.0-or-later
 * fanout.c - one stream to several that are read by different threads. Whoever runs out of frames reads the
 * next block for all. */
#include "internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Blocks that the fastest reader may be ahead of the slowest. */
#define BLOCKS 16

typedef struct fan {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    ap_stream *source;
    size_t channels, count, open; /* channels of all; readers, and those that are not closed */
    size_t head;                  /* blocks read so far */
    size_t sizes[BLOCKS];         /* frames of each block */
    bool reading, ended, failed;
    ap_error error;
    float *blocks; /* [BLOCKS][AP_BLOCK][channels] */
    struct reader {
        struct fan *fan;
        size_t index, block, at; /* next block, and frame in it */
        bool closed;
    } readers[];
} fan;

typedef struct reader reader;

static void fan_free(fan *f)
{
    ap_close(&f->source);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
    free(f->blocks);
    free(f);
}

/* True if no open reader still needs the block that would be overwritten. */
static bool has_room(const fan *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (!f->readers[i].closed && f->head - f->readers[i].block >= BLOCKS)
            return false;
    return true;
}

/* Reads the next block; called and left with the lock, which is open in between. */
static void read_block(fan *f)
{
    const size_t slot = f->head % BLOCKS;
    f->reading = true;
    pthread_mutex_unlock(&f->lock);
    ptrdiff_t n = ap_read(f->source, f->blocks + slot * AP_BLOCK * f->channels, AP_BLOCK, &f->error);
    pthread_mutex_lock(&f->lock);
    f->reading = false;
    f->failed = n < 0;
    f->ended = n <= 0;
    if (n > 0) {
        f->sizes[slot] = (size_t)n;
        f->head++;
    }
    pthread_cond_broadcast(&f->changed);
}

/* Copies one reader's channels. */
static void take(const fan *f, reader *r, float *frames, size_t n)
{
    const size_t slot = r->block % BLOCKS, width = f->channels / f->count;
    const float *from = f->blocks + (slot * AP_BLOCK + r->at) * f->channels + r->index * width;
    for (size_t i = 0; i < n; i++)
        memcpy(frames + i * width, from + i * f->channels, width * sizeof *frames);
}

static ptrdiff_t fan_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    reader *r = s->state;
    fan *f = r->fan;
    pthread_mutex_lock(&f->lock);
    while (r->block == f->head && !f->ended) {
        if (!f->reading && has_room(f))
            read_block(f);
        else
            pthread_cond_wait(&f->changed, &f->lock);
    }
    const bool there = r->block != f->head, failed = f->failed;
    if (!there && failed && err)
        *err = f->error;
    pthread_mutex_unlock(&f->lock);
    if (!there)
        return failed ? -1 : 0;
    /* Nobody writes to a block that this reader still needs. */
    const size_t left = f->sizes[r->block % BLOCKS] - r->at, n = left < max ? left : max;
    take(f, r, frames, n);
    r->at += n;
    if (n == left) {
        pthread_mutex_lock(&f->lock);
        r->block++;
        r->at = 0;
        pthread_cond_broadcast(&f->changed);
        pthread_mutex_unlock(&f->lock);
    }
    return (ptrdiff_t)n;
}

static void fan_close(void *state)
{
    reader *r = state;
    fan *f = r->fan;
    pthread_mutex_lock(&f->lock);
    r->closed = true;
    const bool last = --f->open == 0;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    if (last)
        fan_free(f);
}

static fan *fan_new(ap_stream *s, size_t count, ap_error *err)
{
    fan *f = calloc(1, sizeof *f + count * sizeof *f->readers);
    float *blocks = malloc((size_t)BLOCKS * AP_BLOCK * s->format.channels * sizeof *blocks);
    if (!f || !blocks) {
        free(f);
        free(blocks);
        ap_close(&s);
        ap_fail_memory(err);
        return NULL;
    }
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    f->source = s;
    f->channels = s->format.channels;
    f->count = f->open = count;
    f->blocks = blocks;
    for (size_t i = 0; i < count; i++)
        f->readers[i] = (reader){.fan = f, .index = i};
    return f;
}

/* A copy of the source's tags for a reader. */
static bool describe(ap_stream *s, ap_stream *source, ap_error *err)
{
    ap_tags *tags = ap_tags_new();
    if (tags && (!ap_stream_tags(source) || ap_tags_merge(tags, ap_stream_tags(source))))
        return ap_stream_describe(s, ap_stream_name(source), tags, err);
    ap_tags_free(&tags);
    return ap_fail_memory(err);
}

bool ap_fan_out(ap_stream *s, ap_stream **outputs, size_t count, ap_error *err)
{
    static const ap_stage stage = {.read = fan_read, .close = fan_close};
    memset(outputs, 0, count * sizeof(ap_stream *));
    if (!s)
        return false;
    if (count == 0 || s->format.channels % count) {
        ap_fail(err, AP_USAGE, "%u channels do not go into %zu streams", s->format.channels, count);
        ap_close(&s);
        return false;
    }
    ap_format format = s->format;
    format.channels /= (uint32_t)count;
    format.mask = 0;
    fan *f = fan_new(s, count, err);
    bool ok = f != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        outputs[i] = ap_stream_new(&stage, &f->readers[i], NULL, &format, err);
        ok = outputs[i] && describe(outputs[i], s, err);
        if (!outputs[i])
            for (size_t k = i + 1; k < count; k++) /* those that nobody will close */
                fan_close(&f->readers[k]);
    }
    for (size_t i = 0; !ok && i < count; i++)
        ap_close(&outputs[i]);
    return ok;
}
