/* SPDX-License-Identifier: GPL-3.0-or-later
 * run.c - ap-job run: does the jobs that wait. */
#include "job/job.h"

int job_run(job_config *c, int argc, char **argv, ap_error *err)
{
    (void)argc;
    (void)argv;
    return job_result(ap_work(&c->work, err), err);
}
