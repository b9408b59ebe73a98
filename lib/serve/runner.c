/* SPDX-License-Identifier: GPL-3.0-or-later
 * runner.c - the child that does the jobs. It is a process, because a worker handles the signals and reaps
 * the orphans of its whole process. */
#include "serve/runner.h"
#include "base/error.h"
#include "serve/http/log.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void say_end(const char *id, ap_place place, const cJSON *document, void *user)
{
    (void)document;
    (void)user;
    ap_log(place == AP_FAILED_JOBS ? "warning" : "info", id, "an attempt has ended, the job is in %s/",
           ap_place_name(place));
}

static _Noreturn void be_runner(const ap_work_options *work, pid_t parent)
{
    ap_work_options options = *work;
    ap_work_count count = {0};
    ap_error err;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    close_range(3, ~0u, 0); /* not least the sockets */
    prctl(PR_SET_NAME, "ap-runner");
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(AP_TRY_AGAIN);
    options.watch = true;
    options.ended = say_end;
    if (!ap_work(&options, &count, &err))
        ap_log("error", NULL, "%s", err.message);
    _exit(AP_OK);
}

pid_t ap_runner_start(const ap_work_options *work, ap_error *err)
{
    pid_t self = getpid(), pid = fork();
    if (pid == 0)
        be_runner(work, self);
    if (pid < 0)
        ap_fail_errno(err, errno, "cannot start a runner");
    return pid;
}

bool ap_runner_ended(pid_t pid)
{
    return waitpid(pid, NULL, WNOHANG) == pid;
}

void ap_runner_stop(pid_t pid)
{
    kill(pid, SIGTERM);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}
