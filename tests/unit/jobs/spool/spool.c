/* SPDX-License-Identifier: GPL-3.0-or-later
 * Places, locks, moves. */
#include "../scratch.h"

#include <sys/wait.h>

static void jobs_are_in_one_place(void)
{
    char id[AP_ID_BYTES];
    ap_place place;
    scratch_open();
    scratch_job("one", id);
    CHECK(scratch_at(AP_QUEUE, id));
    CHECK(ap_job_move(scratch_spool, AP_QUEUE, AP_RUNNING, id, NULL) && scratch_at(AP_RUNNING, id));
    CHECK(ap_job_move(scratch_spool, AP_RUNNING, AP_DONE, id, NULL) && scratch_at(AP_DONE, id));
    CHECK(!ap_job_move(scratch_spool, AP_RUNNING, AP_DONE, id, NULL));
    CHECK(!ap_job_find(scratch_spool, "20200101-000000-00000000", &place));
    CHECK(!ap_job_find(scratch_spool, "", &place) && !ap_job_find(scratch_spool, "..", &place));
    CHECK(!ap_job_find(scratch_spool, "../queue", &place));
    scratch_close();
}

/* What another process gets that asks for the lock. */
static ap_lock_state ask(const char *folder)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        int lock;
        _exit((int)ap_job_lock(folder, &lock, NULL));
    }
    waitpid(pid, &status, 0);
    return (ap_lock_state)WEXITSTATUS(status);
}

static void locks_say_why_not(void)
{
    char id[AP_ID_BYTES];
    int lock, other;
    scratch_open();
    scratch_job("one", id);
    char *folder = ap_spool_path(scratch_spool, AP_QUEUE, id, NULL);
    CHECK(ap_job_lock(folder, &lock, NULL) == AP_LOCKED && lock >= 0);
    CHECK(ask(folder) == AP_LOCK_BUSY);
    CHECK(ap_job_lock(folder, &other, NULL) == AP_LOCK_BUSY && other == -1); /* also in this process */
    close(lock);
    CHECK(ask(folder) == AP_LOCKED);
    CHECK(ap_job_move(scratch_spool, AP_QUEUE, AP_RUNNING, id, NULL) && ask(folder) == AP_LOCK_GONE);
    free(folder);
    folder = ap_spool_path(scratch_spool, AP_RUNNING, id, NULL);
    char *path = ap_spool_path(scratch_spool, AP_RUNNING, id, "lock");
    if (geteuid() == 0) { /* else there is nobody to give it to */
        CHECK(chown(path, 65534, 65534) == 0);
        CHECK(ask(folder) == AP_LOCK_FOREIGN);
    }
    free(folder);
    free(path);
    scratch_close();
}

static void runners_are_seen(void)
{
    scratch_open();
    CHECK(!ap_runner_there(scratch_spool));
    CHECK(ap_runner_there("/nonexistent")); /* unknown: no reason to warn */
    scratch_close();
}

/* Nobody watches it unless it is asked for, and who shares a spool does not own it. */
static void makes_no_incoming(void)
{
    scratch_open();
    char *path = ap_spool_path(scratch_spool, AP_INCOMING, NULL, NULL);
    CHECK(access(path, F_OK) != 0);
    free(path);
    scratch_close();
}

TEST_MAIN(CASE(jobs_are_in_one_place), CASE(locks_say_why_not), CASE(runners_are_seen),
          CASE(makes_no_incoming))
