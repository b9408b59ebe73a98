/* SPDX-License-Identifier: GPL-3.0-or-later
 * threads.c - a loop is open while there are pieces that nobody has taken. A thread that comes while it is
 * open goes in; the one that asked closes it, and waits for those who are in, not for those who are late: on
 * a busy machine they may be very late. */
#include "plugins/neural/cpu/threads.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

/* Looks at what a thread waits for before it sleeps: about as long as it takes to wake one. */
#define LOOKS 500
/* Pieces are taken some at a time where there are many: this many times for each thread. */
#define TURNS 32

struct nn_threads {
    size_t count, started;
    pthread_t *ids; /* [count - 1] */
    pid_t owner;    /* the process that started them */
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    bool closing, open;   /* by lock */
    atomic_uint round;    /* loops so far; changes by lock */
    atomic_size_t inside; /* threads that are in, but for the one that asked; changes by lock */
    nn_task *task;        /* this and the following: what is open */
    const void *job;
    size_t pieces, step;
    atomic_size_t next;
};

/* Where the program's own thread-local variables are: a plugin's usual place for them is looked up on each
 * use, and LeakSanitizer of GCC 12 fails on it. */
static _Thread_local size_t number __attribute__((tls_model("initial-exec")));

size_t nn_threads_number(void)
{
    return number;
}

static inline void relax(void)
{
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
}

static void work(nn_threads *t)
{
    const size_t step = t->step;
    for (size_t from; (from = atomic_fetch_add(&t->next, step)) < t->pieces;)
        for (size_t i = from; i < t->pieces && i < from + step; i++)
            t->task(t->job, i);
}

/* ---- a thread */

typedef struct start {
    nn_threads *threads;
    size_t number;
} start;

/* Waits until there is a round after the one that was seen, or the end. By lock. */
static void wait_for_round(nn_threads *t, unsigned seen)
{
    pthread_mutex_unlock(&t->lock);
    for (int i = 0; i < LOOKS && atomic_load_explicit(&t->round, memory_order_relaxed) == seen; i++)
        relax();
    pthread_mutex_lock(&t->lock);
    while (atomic_load(&t->round) == seen)
        pthread_cond_wait(&t->wake, &t->lock);
}

static void *serve(void *argument)
{
    start *s = argument;
    nn_threads *t = s->threads;
    number = s->number;
    free(s);
    pthread_mutex_lock(&t->lock);
    for (unsigned seen = 0; !t->closing;) {
        if (atomic_load(&t->round) == seen) {
            wait_for_round(t, seen);
            continue;
        }
        seen = atomic_load(&t->round);
        if (!t->open)
            continue;
        atomic_fetch_add(&t->inside, 1);
        pthread_mutex_unlock(&t->lock);
        work(t);
        pthread_mutex_lock(&t->lock);
        if (atomic_fetch_sub(&t->inside, 1) == 1)
            pthread_cond_signal(&t->done);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

/* ---- all of them */

static void initialize(nn_threads *t)
{
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->wake, NULL);
    pthread_cond_init(&t->done, NULL);
    atomic_store(&t->round, 0);
    atomic_store(&t->inside, 0);
    t->open = t->closing = false;
    t->started = 0;
    t->owner = getpid();
}

nn_threads *nn_threads_new(size_t count)
{
    nn_threads *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->count = count;
    t->ids = calloc(count, sizeof *t->ids);
    if (!t->ids) {
        free(t);
        return NULL;
    }
    initialize(t);
    return t;
}

/* A new round, which everybody who waits will notice. By lock. */
static void next_round(nn_threads *t)
{
    atomic_fetch_add(&t->round, 1);
    pthread_cond_broadcast(&t->wake);
}

void nn_threads_free(nn_threads *t)
{
    if (!t)
        return;
    if (t->owner == getpid()) {
        pthread_mutex_lock(&t->lock);
        t->closing = true;
        next_round(t);
        pthread_mutex_unlock(&t->lock);
        for (size_t i = 0; i < t->started; i++)
            pthread_join(t->ids[i], NULL);
        pthread_cond_destroy(&t->wake);
        pthread_cond_destroy(&t->done);
        pthread_mutex_destroy(&t->lock);
    }
    free(t->ids);
    free(t);
}

static bool start_one(nn_threads *t)
{
    start *s = malloc(sizeof *s);
    if (!s)
        return false;
    *s = (start){t, t->started + 1};
    if (pthread_create(&t->ids[t->started], NULL, serve, s) == 0) {
        t->started++;
        return true;
    }
    free(s);
    return false;
}

/* Signals are for the program's own threads. */
static void start_all(nn_threads *t)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    while (t->started + 1 < t->count && start_one(t))
        ;
    t->count = t->started + 1;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Nobody comes in any more; returns when nobody is in. */
static void close_round(nn_threads *t)
{
    pthread_mutex_lock(&t->lock);
    t->open = false;
    const bool alone = atomic_load(&t->inside) == 0;
    pthread_mutex_unlock(&t->lock);
    if (alone)
        return;
    for (int i = 0; i < LOOKS && atomic_load(&t->inside) > 0; i++)
        relax();
    pthread_mutex_lock(&t->lock);
    while (atomic_load(&t->inside) > 0)
        pthread_cond_wait(&t->done, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

void nn_threads_run(nn_threads *t, size_t count, nn_task *task, const void *job)
{
    if (t->count < 2 || count < 2) {
        for (size_t i = 0; i < count; i++)
            task(job, i);
        return;
    }
    if (t->owner != getpid())
        initialize(t);
    if (!t->started)
        start_all(t);
    pthread_mutex_lock(&t->lock);
    t->task = task;
    t->job = job;
    t->pieces = count;
    t->step = count / (t->count * TURNS) + 1;
    atomic_store(&t->next, 0);
    t->open = true;
    next_round(t);
    pthread_mutex_unlock(&t->lock);
    work(t);
    close_round(t);
}
