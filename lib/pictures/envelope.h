/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * envelope.h - peaks and RMS over time, of a fixed size, whatever the length of the stream: when it is full,
 * neighbours are merged and what comes next is twice as coarse. */
#ifndef AP_PICTURES_ENVELOPE_H
#define AP_PICTURES_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

typedef struct ap_bucket {
    float low, high;
    double squares; /* sum */
} ap_bucket;

typedef struct ap_envelope {
    uint32_t channels;
    size_t capacity, count; /* buckets; the last one may not be full */
    uint64_t per_bucket;    /* frames */
    uint64_t frames;        /* seen */
    ap_bucket *buckets;     /* [capacity][channels] */
} ap_envelope;

/* capacity: a power of two. NULL when out of memory. */
ap_envelope *ap_envelope_new(uint32_t channels, size_t capacity);
void ap_envelope_add(ap_envelope *e, const float *frames, size_t count);
/* Frames in a bucket. */
uint64_t ap_envelope_frames(const ap_envelope *e, size_t bucket);
void ap_envelope_free(ap_envelope *e);

#endif
