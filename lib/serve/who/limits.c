/* SPDX-License-Identifier: GPL-3.0-or-later
 * limits.c - how many requests a second someone may make. */
#include "serve/who/limits.h"
#include "base/hash.h"

#include <math.h>
#include <string.h>

#define BURST_S 4 /* seconds of requests that may be saved up */

void ap_buckets_init(ap_buckets *b, double rate)
{
    memset(b, 0, sizeof *b);
    pthread_mutex_init(&b->lock, NULL);
    b->rate = rate;
    b->burst = fmax(1, rate * BURST_S);
}

bool ap_buckets_take(ap_buckets *b, const char *name, double now_s, double *wait_s)
{
    size_t i = ap_hash(AP_HASH_START, name, strlen(name)) % AP_BUCKETS;
    *wait_s = 0;
    if (b->rate <= 0)
        return true;
    pthread_mutex_lock(&b->lock);
    bool fresh = b->items[i].at_s == 0; /* not used yet: the whole burst, not rounded */
    double left = fresh ? b->burst : fmin(b->burst, b->items[i].left + (now_s - b->items[i].at_s) * b->rate);
    bool ok = left >= 1;
    b->items[i].left = ok ? left - 1 : left;
    b->items[i].at_s = now_s;
    pthread_mutex_unlock(&b->lock);
    if (!ok)
        *wait_s = (1 - left) / b->rate;
    return ok;
}
