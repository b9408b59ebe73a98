/* SPDX-License-Identifier: GPL-3.0-or-later
 * worker.c - claims jobs and tries each, several at a time.
 *
 * An attempt is a child; it and all it starts are one process group, and hold the job's lock. When it ends,
 * however it does, the rest of the group is killed and the job is looked at: it should have left running/; if
 * not, the attempt died, and the job is tried again. A guard, a process that only waits for our end, kills
 * the groups if we are killed; if the guard is, it is replaced. */
#include "jobs/run/worker.h"
#include "base/error.h"
#include "base/write.h"
#include "jobs/record/clock.h"
#include "jobs/record/manifest.h"
#include "jobs/run/attempt.h"
#include "jobs/spool/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_S 1.0           /* between looks at running jobs: cancelled, too long */
#define LOG_FD STDERR_FILENO /* the job's log in an attempt */
#define KEPT_FD 100          /* the lock in an attempt; recipes use lower numbers */
#define SCAN_S 5.0           /* between looks for new jobs, which inotify shortens on this host */

typedef enum verdict { RUNNING, CANCELLED, TOO_LONG, STOPPED } verdict;

/* One running job. */
typedef struct job {
    char id[AP_ID_BYTES];
    pid_t pid; /* and process group; 0: a free place */
    int lock;
    double started_s, kill_s; /* kill_s: when to use SIGKILL, 0 = never */
    verdict verdict;
} job;

typedef struct worker {
    const ap_work_options *options;
    job *jobs; /* options->jobs of them */
    unsigned running;
    int signals, guard, inotify; /* descriptors */
    pid_t guard_pid;
    sigset_t mask; /* as it was */
    ap_candidates candidates;
    ap_error trouble;
    ap_work_count *count;
    double started_s, looked_s, scan_s; /* scan_s: when to look for new jobs */
    bool stopping, interrupted;         /* interrupted: from the terminal */
} worker;

/* ---- the guard */

/* Reads numbers: n = a group to kill at the end, -n = no longer. */
static _Noreturn void be_guard(int in, unsigned places)
{
    pid_t *groups = calloc(places, sizeof *groups), n;
    prctl(PR_SET_NAME, "ap-guard");
    while (read(in, &n, sizeof n) == (ssize_t)sizeof n)
        for (unsigned i = 0; groups && i < places; i++)
            if (groups[i] == (n > 0 ? 0 : -n)) {
                groups[i] = n > 0 ? n : 0;
                break;
            }
    for (unsigned i = 0; groups && i < places; i++)
        if (groups[i])
            kill(-groups[i], SIGKILL);
    _exit(0);
}

static void tell_guard(const worker *w, pid_t n)
{
    (void)!write(w->guard, &n, sizeof n); /* if it is dead it gets the whole list soon */
}

static bool start_guard(worker *w, ap_error *err)
{
    int ends[2];
    if (w->guard >= 0)
        close(w->guard);
    w->guard = -1;
    if (pipe2(ends, O_CLOEXEC) != 0 || (w->guard_pid = fork()) < 0)
        return ap_fail_errno(err, errno, "cannot start the guard");
    if (w->guard_pid == 0) {
        dup2(ends[0], STDIN_FILENO);
        close_range(3, ~0u, 0); /* among them the locks, and the writing end of the pipe */
        be_guard(STDIN_FILENO, w->options->jobs);
    }
    close(ends[0]);
    w->guard = ends[1];
    for (unsigned i = 0; i < w->options->jobs; i++)
        if (w->jobs[i].pid)
            tell_guard(w, w->jobs[i].pid);
    return true;
}

/* ---- starting */

static bool redirect(const char *log)
{
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    return in >= 0 && out >= 0 && dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(out, LOG_FD) == LOG_FD;
}

/* Of our descriptors it keeps the lock, for itself and all it starts: the guard is to see our end, and the
 * other jobs' locks are not its. */
static bool keep_only(int lock)
{
    int kept = fcntl(lock, F_DUPFD, KEPT_FD);
    return kept >= 0 && close_range(3, (unsigned)kept - 1, 0) == 0 &&
           close_range((unsigned)kept + 1, ~0u, 0) == 0;
}

static _Noreturn void attempt(const worker *w, const job *j, const char *log, pid_t parent)
{
    const ap_work_options *o = w->options;
    const ap_attempt_options options = {o->spool, o->shell, o->recipes, o->hooks, LOG_FD, o->retry};
    ap_error err = {AP_TRY_AGAIN, "cannot start"};
    setpgid(0, 0);
    prctl(PR_SET_NAME, "ap-attempt");
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* until the guard knows of us */
    sigprocmask(SIG_SETMASK, &w->mask, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (getppid() != parent || !redirect(log))
        _exit(err.code);
    if (keep_only(j->lock) && ap_job_attempt(&options, j->id, &err))
        _exit(AP_OK);
    (void)(ap_write_all(LOG_FD, err.message, strlen(err.message)) && ap_write_all(LOG_FD, "\n", 1));
    _exit(err.code);
}

static bool start(worker *w, job *j, ap_error *err)
{
    char *log = ap_spool_path(w->options->spool, AP_RUNNING, j->id, "log");
    pid_t self = getpid();
    bool ok = log || ap_fail_memory(err);
    if (ok && (j->pid = fork()) < 0)
        ok = ap_fail_errno(err, errno, "cannot start job '%s'", j->id);
    if (ok && j->pid == 0)
        attempt(w, j, log, self);
    free(log);
    if (!ok) {
        ap_job_settle(w->options->spool, AP_RUNNING, j->id, &(ap_ending){AP_OUTCOME_REQUEUE}, NULL);
        close(j->lock);
        *j = (job){0};
        return false;
    }
    setpgid(j->pid, j->pid); /* the child does this, too: one of them comes first */
    tell_guard(w, j->pid);
    j->started_s = ap_monotonic_s();
    w->running++;
    return true;
}

/* Starts jobs while there are places and jobs; false on an error that is not a job's. */
static bool fill(worker *w, ap_error *err)
{
    for (unsigned i = 0; i < w->options->jobs; i++) {
        job *j = &w->jobs[i];
        if (j->pid)
            continue;
        *j = (job){0};
        j->lock = ap_job_claim(w->options->spool, &w->options->retry, w->options->choice, &w->candidates,
                               j->id, &w->trouble);
        if (j->lock < 0) {
            w->scan_s = ap_monotonic_s() + SCAN_S;
            return true;
        }
        if (!start(w, j, err))
            return false;
    }
    return true;
}

/* ---- ending */

static void end_job(worker *w, job *j, verdict why)
{
    if (j->verdict == RUNNING)
        j->verdict = why;
    if (!j->kill_s) {
        kill(-j->pid, SIGTERM);
        j->kill_s = ap_monotonic_s() + w->options->grace_s;
    }
}

/* The attempt has not moved the job: it died, or could not. */
static bool settle_for(const worker *w, const job *j, int status, ap_error *err)
{
    ap_ending ending = {AP_OUTCOME_FAILED, .retry = &w->options->retry};
    char reason[64];
    snprintf(reason, sizeof reason, WIFSIGNALED(status) ? "killed by signal %d" : "stopped with exit code %d",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    switch (j->verdict) {
    case CANCELLED:
        ending.reason = "cancelled";
        break;
    case TOO_LONG:
        ending.reason = "took too long";
        break;
    case STOPPED:
        ending.outcome = AP_OUTCOME_REQUEUE;
        break;
    default:
        ending.outcome = AP_OUTCOME_RETRY;
        ending.reason = reason;
    }
    return ap_job_settle(w->options->spool, AP_RUNNING, j->id, &ending, err);
}

/* Where the job is now is told, and counted. */
static void tell_end(const worker *w, const job *j)
{
    ap_place place;
    if (!ap_job_find(w->options->spool, j->id, &place))
        return;
    w->count->done += place == AP_DONE;
    w->count->failed += place == AP_FAILED_JOBS;
    w->count->again += place == AP_QUEUE;
    char *manifest =
        w->options->ended ? ap_spool_path(w->options->spool, place, j->id, AP_MANIFEST_NAME) : NULL;
    if (manifest) {
        cJSON *document = ap_manifest_load(manifest, NULL);
        w->options->ended(j->id, place, document, w->options->user);
        cJSON_Delete(document);
    }
    free(manifest);
}

static void finish(worker *w, job *j)
{
    int status = 0, other;
    pid_t pid;
    kill(-j->pid, SIGKILL); /* what it left; the group's number is ours until it is reaped */
    tell_guard(w, -j->pid);
    while ((pid = waitpid(-j->pid, &other, 0)) > 0 || errno == EINTR)
        if (pid == j->pid)
            status = other;
    char *folder = ap_spool_path(w->options->spool, AP_RUNNING, j->id, NULL);
    if (folder && access(folder, F_OK) == 0)
        settle_for(w, j, status, &w->trouble); /* if that fails, the next look at running/ finds it */
    free(folder);
    tell_end(w, j);
    close(j->lock);
    *j = (job){0};
    w->running--;
}

static void reap(worker *w)
{
    siginfo_t info = {0};
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid) {
        job *j = NULL;
        for (unsigned i = 0; i < w->options->jobs; i++)
            if (w->jobs[i].pid == info.si_pid)
                j = &w->jobs[i];
        if (j)
            finish(w, j);
        else
            waitpid(info.si_pid, NULL, 0); /* the guard, or an orphan that became ours */
        if (info.si_pid == w->guard_pid)
            start_guard(w, NULL);
        info.si_pid = 0;
    }
}

/* ---- the loop */

static void tell_running(const worker *w)
{
    const char **ids = calloc(w->options->jobs, sizeof *ids);
    unsigned count = 0;
    for (unsigned i = 0; ids && i < w->options->jobs; i++)
        if (w->jobs[i].pid)
            ids[count++] = w->jobs[i].id;
    if (count)
        w->options->running(ids, count, w->options->user);
    free(ids);
}

static void look_at_running(worker *w)
{
    double now = ap_monotonic_s();
    bool look = now - w->looked_s >= LOOK_S;
    if (look)
        w->looked_s = now;
    if (look && w->options->running)
        tell_running(w);
    for (unsigned i = 0; i < w->options->jobs; i++) {
        job *j = &w->jobs[i];
        if (!j->pid)
            continue;
        char *cancel = look ? ap_spool_path(w->options->spool, AP_RUNNING, j->id, AP_CANCEL_NAME) : NULL;
        if (cancel && access(cancel, F_OK) == 0)
            end_job(w, j, CANCELLED);
        free(cancel);
        if (w->options->job_s > 0 && now - j->started_s > w->options->job_s)
            end_job(w, j, TOO_LONG);
        if (j->kill_s && now >= j->kill_s)
            kill(-j->pid, SIGKILL);
    }
}

/* Waits for a signal, a new job, or the next look. */
static void wait_for_news(worker *w)
{
    char events[4096];
    struct signalfd_siginfo info;
    struct pollfd watched[2] = {{w->signals, POLLIN, 0}, {w->inotify, POLLIN, 0}};
    double patience = w->running ? LOOK_S : SCAN_S;
    for (unsigned i = 0; i < w->options->jobs; i++)
        if (w->jobs[i].pid && w->jobs[i].kill_s)
            patience = fmin(patience, fmax(0.01, w->jobs[i].kill_s - ap_monotonic_s()));
    if (poll(watched, 2, (int)ceil(1000 * patience)) <= 0)
        return;
    if (watched[1].revents && read(w->inotify, events, sizeof events) > 0)
        w->scan_s = 0;
    if (!watched[0].revents || read(w->signals, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (info.ssi_signo == SIGCHLD) {
        reap(w);
        return;
    }
    w->stopping = true;
    w->interrupted = w->interrupted || info.ssi_signo == SIGINT;
    for (unsigned i = 0; i < w->options->jobs; i++)
        if (w->jobs[i].pid)
            end_job(w, &w->jobs[i], STOPPED);
}

static bool may_start(const worker *w)
{
    return !w->stopping && (w->options->max_s <= 0 || ap_monotonic_s() - w->started_s < w->options->max_s);
}

static bool loop(worker *w, ap_error *err)
{
    while (true) {
        if (may_start(w) && (ap_monotonic_s() >= w->scan_s || w->candidates.count) && !fill(w, err))
            return false;
        /* before the end a last look: the list may be old */
        if (!w->running && !w->options->watch && may_start(w) && !fill(w, err))
            return false;
        if (!w->running && (!may_start(w) || !w->options->watch))
            return true;
        wait_for_news(w);
        look_at_running(w);
    }
}

static bool prepare(worker *w, ap_error *err)
{
    static const int taken[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
    sigset_t signals;
    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        sigaddset(&signals, taken[i]);
    sigprocmask(SIG_BLOCK, &signals, &w->mask);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* what a killed job leaves is reaped here */
    w->jobs = calloc(w->options->jobs, sizeof *w->jobs);
    w->signals = signalfd(-1, &signals, SFD_CLOEXEC);
    if (!w->jobs)
        return ap_fail_memory(err);
    if (w->signals < 0)
        return ap_fail_errno(err, errno, "cannot wait for signals");
    char *queue = ap_spool_path(w->options->spool, AP_QUEUE, NULL, NULL);
    w->inotify = w->options->watch ? inotify_init1(IN_CLOEXEC | IN_NONBLOCK) : -1;
    if (queue && w->inotify >= 0)
        inotify_add_watch(w->inotify, queue, IN_MOVED_TO);
    free(queue);
    return true;
}

/* A lock that shows those who wait for a job that a runner is at work. -1: it cannot be had. */
static int show_presence(const char *spool)
{
    char *path = ap_runner_path(spool);
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    if (fd >= 0)
        (void)flock(fd, LOCK_SH | LOCK_NB);
    free(path);
    return fd;
}

bool ap_work(const ap_work_options *options, ap_work_count *count, ap_error *err)
{
    worker w = {.options = options,
                .count = count,
                .signals = -1,
                .guard = -1,
                .inotify = -1,
                .started_s = ap_monotonic_s()};
    int presence = -1;
    bool ok = ap_spool_prepare(options->spool, err);
    if (ok)
        presence = show_presence(options->spool);
    ok = ok && prepare(&w, err) && start_guard(&w, err) && loop(&w, err);
    if (presence >= 0)
        close(presence);
    ap_candidates_free(&w.candidates);
    free(w.jobs);
    if (w.interrupted) { /* a loop of the shell around us has to end, too */
        sigprocmask(SIG_SETMASK, &w.mask, NULL);
        raise(SIGINT);
    }
    if (ok && w.trouble.code != AP_OK && err) {
        *err = w.trouble;
        ok = false;
    }
    return ok; /* the guard sees our end */
}
