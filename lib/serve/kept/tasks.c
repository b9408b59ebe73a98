/* SPDX-License-Identifier: GPL-3.0-or-later
 * tasks.c - a few threads for what takes time. */
#include "serve/kept/tasks.h"
#include "base/error.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

typedef struct task {
    ap_task_fn *do_it;
    void *user;
    struct task *next;
} task;

struct ap_tasks {
    pthread_mutex_t lock;
    pthread_cond_t news;
    task *first, **last;
    bool ending;
    unsigned count;
    pthread_t threads[];
};

static task *take(ap_tasks *t)
{
    pthread_mutex_lock(&t->lock);
    while (!t->first && !t->ending)
        pthread_cond_wait(&t->news, &t->lock);
    task *next = t->first;
    if (next && !(t->first = next->next))
        t->last = &t->first;
    pthread_mutex_unlock(&t->lock);
    return next;
}

static void *work(void *user)
{
    for (task *next; (next = take(user)); free(next))
        next->do_it(next->user);
    return NULL;
}

ap_tasks *ap_tasks_start(unsigned threads, ap_error *err)
{
    ap_tasks *t = calloc(1, sizeof *t + threads * sizeof(pthread_t));
    if (!t) {
        ap_fail_memory(err);
        return NULL;
    }
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->news, NULL);
    t->last = &t->first;
    for (; t->count < threads; t->count++)
        if (pthread_create(&t->threads[t->count], NULL, work, t) != 0)
            break;
    if (t->count > 0)
        return t;
    ap_fail(err, AP_TRY_AGAIN, "cannot start a thread");
    ap_tasks_end(t);
    return NULL;
}

bool ap_tasks_add(ap_tasks *t, ap_task_fn *do_it, void *user)
{
    task *next = malloc(sizeof *next);
    if (!next)
        return false;
    *next = (task){do_it, user, NULL};
    pthread_mutex_lock(&t->lock);
    *t->last = next;
    t->last = &next->next;
    pthread_cond_signal(&t->news);
    pthread_mutex_unlock(&t->lock);
    return true;
}

void ap_tasks_end(ap_tasks *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->ending = true;
    pthread_cond_broadcast(&t->news);
    pthread_mutex_unlock(&t->lock);
    for (unsigned i = 0; i < t->count; i++)
        pthread_join(t->threads[i], NULL);
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->news);
    free(t);
}
