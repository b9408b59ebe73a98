/* SPDX-License-Identifier: GPL-3.0-or-later
 * change.c - ap-job retry, cancel, clean. */
#include "base/error.h"
#include "job/job.h"
#include "jobs/spool/clean.h"
#include "jobs/spool/settle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- retry */

/* One that cannot be tried again does not keep the others back; each is said. */
static int retry_one(const job_config *c, const char *id)
{
    ap_error err;
    const ap_ending ending = {AP_OUTCOME_RESTART};
    if (ap_job_end(c->spool, id, &ending, &err))
        return AP_OK;
    complain(&job_command, "%s", err.message);
    return (int)err.code;
}

static int retry_all(const job_config *c, ap_error *err)
{
    char *path = ap_spool_path(c->spool, AP_FAILED_JOBS, NULL, NULL);
    struct dirent **names;
    int status = AP_OK, count = path ? scandir(path, &names, NULL, alphasort) : -1;
    if (count < 0 && errno != ENOENT) {
        ap_fail_errno(err, errno, "cannot read '%s'", path ? path : c->spool);
        status = (int)err->code;
    }
    for (int i = 0; i < count; i++) {
        int failed = names[i]->d_name[0] == '.' ? AP_OK : retry_one(c, names[i]->d_name);
        status = failed ? failed : status;
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    free(path);
    return status;
}

int job_retry(job_config *c, int argc, char **argv, ap_error *err)
{
    int status = AP_OK;
    if (c->all_failed == (argc > 0))
        usage_error(&job_command, "retry: an ID, or --all-failed");
    if (c->all_failed)
        return retry_all(c, err);
    for (int i = 0; i < argc; i++) {
        int failed = retry_one(c, argv[i]);
        status = failed ? failed : status;
    }
    return status;
}

/* ---- cancel */

int job_cancel(job_config *c, int argc, char **argv, ap_error *err)
{
    ap_place place;
    char *folder;
    (void)argc;
    bool ok = job_find(c, argv[0], &place, &folder, err);
    free(folder);
    if (!ok)
        return (int)err->code;
    return job_result(ap_job_cancel(c->spool, argv[0], err), err);
}

/* ---- clean */

static void print_id(const char *id, void *user)
{
    (void)user;
    printf("%s\n", id);
}

int job_clean(job_config *c, int argc, char **argv, ap_error *err)
{
    (void)argc;
    (void)argv;
    bool ok = ap_spool_clean(c->spool, c->older_s, print_id, NULL, err);
    return job_result(ok && finish_stdout(err), err);
}
