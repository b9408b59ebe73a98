/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * runner.h - the child that does the jobs. */
#ifndef AP_SERVE_RUNNER_H
#define AP_SERVE_RUNNER_H

#include "jobs/run/worker.h"

#include <sys/types.h>

/* Starts a process that does jobs until it is told to end (SIGTERM) or we die. -1 on failure. */
pid_t ap_runner_start(const ap_work_options *work, ap_error *err);
/* Whether it has ended by itself. */
bool ap_runner_ended(pid_t pid);
/* Tells it to end, which puts its jobs back into the queue, and waits. */
void ap_runner_stop(pid_t pid);

#endif
