/* SPDX-License-Identifier: GPL-3.0-or-later
 * Loops shared out among threads: each piece is done once, by a thread whose number nobody else has. */
#include "plugins/neural/cpu/threads.h"
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 1000
#define THREADS 3

typedef struct loop {
    atomic_int *done;         /* [MOST] */
    atomic_int busy[THREADS]; /* by the thread of that number */
    atomic_bool wrong;
} loop;

static void mark(const void *job, size_t i)
{
    loop *l = *(loop *const *)job;
    const size_t thread = nn_threads_number();
    if (thread >= THREADS || atomic_fetch_add(&l->busy[thread], 1) != 0)
        atomic_store(&l->wrong, true);
    atomic_fetch_add(&l->done[i], 1);
    if (thread < THREADS)
        atomic_fetch_sub(&l->busy[thread], 1);
}

/* Whether loops of many lengths do each piece once, and nothing after they have returned. */
static bool loops_are_right(nn_threads *t)
{
    static const size_t counts[] = {0, 1, 2, 3, 7, 64, 65, 999};
    bool ok = true;
    for (int turn = 0; ok && turn < 20; turn++)
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            atomic_int done[MOST] = {0};
            loop l = {.done = done}, *p = &l;
            nn_threads_run(t, counts[c], mark, &p);
            for (size_t i = 0; i < MOST; i++)
                ok = ok && atomic_load(&done[i]) == (i < counts[c]);
            ok = ok && !atomic_load(&l.wrong);
        }
    return ok;
}

static void each_piece_is_done_once(void)
{
    for (size_t threads = 1; threads <= THREADS; threads++) {
        nn_threads *t = nn_threads_new(threads);
        CHECK(t && loops_are_right(t));
        nn_threads_free(t);
    }
    nn_threads_free(NULL);
    nn_threads_free(nn_threads_new(THREADS)); /* without a loop */
}

static void *loop_elsewhere(void *ok)
{
    nn_threads *t = nn_threads_new(THREADS);
    *(bool *)ok = t && loops_are_right(t);
    nn_threads_free(t);
    return NULL;
}

static void several_work_beside_each_other(void)
{
    pthread_t ids[2];
    bool ok[2] = {false, false};
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&ids[i], NULL, loop_elsewhere, &ok[i]) == 0);
    for (int i = 0; i < 2; i++)
        pthread_join(ids[i], NULL);
    CHECK(ok[0] && ok[1]);
}

static void a_forked_process_goes_on(void)
{
    nn_threads *t = nn_threads_new(THREADS);
    CHECK(t && loops_are_right(t));
    const pid_t pid = fork();
    if (pid == 0) {
        const bool ok = loops_are_right(t);
        nn_threads_free(t);
        _exit(!ok);
    }
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(loops_are_right(t));
    nn_threads_free(t);
}

TEST_MAIN(CASE(each_piece_is_done_once), CASE(several_work_beside_each_other), CASE(a_forked_process_goes_on))
