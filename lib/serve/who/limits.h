/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * limits.h - how many requests a second someone may make. */
#ifndef AP_SERVE_WHO_LIMITS_H
#define AP_SERVE_WHO_LIMITS_H

#include "audiopipe.h"

#include <pthread.h>

#define AP_BUCKETS 1024

/* Token buckets, found by a hash of a name; now and then two names share one. */
typedef struct ap_buckets {
    pthread_mutex_t lock;
    double rate, burst; /* a second; 0 = no limit */
    struct {
        double left, at_s;
    } items[AP_BUCKETS];
} ap_buckets;

void ap_buckets_init(ap_buckets *b, double rate);
/* Takes one of name's; false: there is none left, and wait_s is the time until there is. now_s: monotonic. */
bool ap_buckets_take(ap_buckets *b, const char *name, double now_s, double *wait_s);

#endif
