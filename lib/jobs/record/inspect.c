/* SPDX-License-Identifier: GPL-3.0-or-later
 * inspect.c - what is in files, found out by as many threads as there are cores. */
#include "jobs/record/inspect.h"
#include "base/cores.h"
#include "base/error.h"
#include "jobs/record/manifest.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#define MOST_THREADS 64

/* Each file has two parts. All are probed first, since decoding takes longest; then they are hashed. */
typedef struct work {
    ap_inspection *files;
    size_t count;
    atomic_size_t next; /* part */
} work;

static void probe(ap_inspection *file)
{
    if (ap_probe_file(file->path, file->depth, &file->probe, &file->probed))
        file->probed.code = AP_OK;
}

static void hash(ap_inspection *file)
{
    if (ap_sync_file(file->path, &file->hashed) &&
        ap_sha256_file(file->path, file->hex, &file->bytes, &file->hashed))
        file->hashed.code = AP_OK;
}

static void *inspect(void *user)
{
    work *w = user;
    for (size_t part; (part = atomic_fetch_add(&w->next, 1)) < 2 * w->count;) {
        ap_inspection *file = &w->files[part % w->count];
        if (part < w->count)
            probe(file);
        else if (file->hash)
            hash(file);
    }
    return NULL;
}

void ap_inspect(ap_inspection *files, size_t count)
{
    work w = {.files = files, .count = count};
    pthread_t threads[MOST_THREADS];
    size_t started = 0, wanted = ap_cores() - 1;
    sigset_t all, old;
    if (wanted > MOST_THREADS)
        wanted = MOST_THREADS;
    sigfillset(&all); /* signals are for the threads of the caller's program */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (started < wanted && started + 1 < 2 * count &&
           pthread_create(&threads[started], NULL, inspect, &w) == 0)
        started++; /* fewer will do */
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    inspect(&w);
    while (started > 0)
        pthread_join(threads[--started], NULL);
}
