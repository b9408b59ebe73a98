/* SPDX-License-Identifier: GPL-3.0-or-later
 * threads.h - threads that take the pieces of a loop, whoever is free the next ones. They start with the
 * first loop, and sleep between loops after a short wait. */
#ifndef NN_THREADS_H
#define NN_THREADS_H

#include <stddef.h>

typedef struct nn_threads nn_threads;

/* Piece number i of a job. Which thread runs it, and when, must not change what it writes. */
typedef void nn_task(const void *job, size_t i);

/* count threads in all, with the one that runs loops. NULL when out of memory. */
nn_threads *nn_threads_new(size_t count);
void nn_threads_free(nn_threads *t);
/* Returns when pieces 0..count of the job are done. One thread at a time may ask. A process that was forked
 * off has none of the threads, and starts its own. If the system grants fewer threads, those that there are
 * do all the work. */
void nn_threads_run(nn_threads *t, size_t count, nn_task *task, const void *job);
/* The number of the thread that asks, below count: 0 for the one that called nn_threads_run. */
size_t nn_threads_number(void);

#endif
