/* SPDX-License-Identifier: GPL-3.0-or-later
 * envelope.c - peaks and RMS of a stream of any length in a fixed number of buckets. */
#include "pictures/envelope.h"

#include <stdlib.h>
#include <string.h>

ap_envelope *ap_envelope_new(uint32_t channels, size_t capacity)
{
    ap_envelope *e = calloc(1, sizeof *e);
    ap_bucket *buckets = calloc(capacity * channels, sizeof *buckets);
    if (!e || !buckets) {
        free(e);
        free(buckets);
        return NULL;
    }
    *e = (ap_envelope){.channels = channels, .capacity = capacity, .per_bucket = 1, .buckets = buckets};
    return e;
}

void ap_envelope_free(ap_envelope *e)
{
    if (e)
        free(e->buckets);
    free(e);
}

uint64_t ap_envelope_frames(const ap_envelope *e, size_t bucket)
{
    return bucket + 1 < e->count ? e->per_bucket : e->frames - bucket * e->per_bucket;
}

static void merge(ap_bucket *to, const ap_bucket *a, const ap_bucket *b)
{
    *to = (ap_bucket){a->low < b->low ? a->low : b->low, a->high > b->high ? a->high : b->high,
                      a->squares + b->squares};
}

/* All buckets are full: makes them twice as long. */
static void halve(ap_envelope *e)
{
    for (size_t i = 0; i < e->count / 2; i++)
        for (uint32_t c = 0; c < e->channels; c++)
            merge(&e->buckets[i * e->channels + c], &e->buckets[2 * i * e->channels + c],
                  &e->buckets[(2 * i + 1) * e->channels + c]);
    e->count /= 2;
    e->per_bucket *= 2;
}

/* One channel of some frames, into a bucket. */
static void add_channel(ap_bucket *bucket, const float *x, uint32_t stride, size_t count)
{
    float low = bucket->low, high = bucket->high;
    double squares = bucket->squares; /* in the same order whatever the blocks are */
    for (size_t i = 0; i < count; i++) {
        float y = x[i * stride];
        low = y < low ? y : low;
        high = y > high ? y : high;
        squares += (double)y * (double)y;
    }
    *bucket = (ap_bucket){low, high, squares};
}

/* Where the next frames go: begins a bucket if the last one is full. */
static ap_bucket *open_bucket(ap_envelope *e, const float *frame)
{
    if (e->frames < e->count * e->per_bucket)
        return e->buckets + (e->count - 1) * e->channels;
    if (e->count == e->capacity)
        halve(e);
    ap_bucket *bucket = e->buckets + e->count++ * e->channels;
    for (uint32_t c = 0; c < e->channels; c++)
        bucket[c] = (ap_bucket){frame[c], frame[c], 0};
    return bucket;
}

void ap_envelope_add(ap_envelope *e, const float *frames, size_t count)
{
    while (count) {
        ap_bucket *bucket = open_bucket(e, frames);
        uint64_t room = e->count * e->per_bucket - e->frames;
        size_t n = room < count ? (size_t)room : count;
        for (uint32_t c = 0; c < e->channels; c++)
            add_channel(&bucket[c], frames + c, e->channels, n);
        e->frames += n;
        frames += n * e->channels;
        count -= n;
    }
}
