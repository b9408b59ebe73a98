/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * job.h - the verbs of ap-job, and what they share. */
#ifndef JOB_H
#define JOB_H

#include "front/options.h"
#include "jobs/run/recipe.h"
#include "jobs/run/worker.h"
#include "jobs/spool/intake.h"
#include "jobs/spool/spool.h"

#include <sys/types.h>

#define JOB_MAX_SETTINGS 1024

/* Where everything is, and the options of all verbs. */
typedef struct job_config {
    const char *spool;   /* absolute */
    const char *recipes; /* folders, separated by colons */
    const char *shell;   /* what recipes run in */
    mode_t mask;         /* the user's: what is written for the user is as the user likes */
    ap_intake_options intake;
    char *settings[JOB_MAX_SETTINGS + 1];
    ap_work_options work;
    double min_free_mib;
    bool wait, quiet, with_media, recursive, once, json, tsv, follow, zip, all_failed;
    double settle_s, older_s, interval_s;
    const char *recipe, *to, *can; /* as they were given */
    bool count, two_sides;
    ap_needs machine;
    ap_job_choice choice;
} job_config;

/* A verb: prints what it has to say and returns the exit code; err is printed unless its message is empty. */
typedef int job_verb_fn(job_config *c, int argc, char **argv, ap_error *err);
job_verb_fn job_submit, job_run, job_watch_folder, job_watch_bucket, job_status, job_list, job_outputs,
    job_fetch, job_report, job_log, job_retry, job_cancel, job_clean, job_recipes, job_stats, job_doctor;

extern const command job_command; /* for messages */

/* The places that a user sees, in the order of a job's way. */
#define JOB_PLACES 4
extern const ap_place job_places[JOB_PLACES];

/* ok as an exit code. */
int job_result(bool ok, const ap_error *err);
/* Finds a job, or says that there is none; *folder is malloc'ed. */
bool job_find(const job_config *c, const char *id, ap_place *place, char **folder, ap_error *err);
/* The same for a job that has outputs; AP_TRY_AGAIN: not yet. */
bool job_find_done(const job_config *c, const char *id, char **folder, ap_error *err);
/* Why a job has failed, malloc'ed. */
char *job_error_of(const char *folder);
/* Finds the recipe, checks the settings, and fills in what the recipe says of the intake; the caller frees
 * the recipe after that. */
bool job_prepare_intake(job_config *c, ap_recipe *recipe, ap_error *err);
/* Whether what is read from there and what goes to --to keep apart: else outputs would become inputs. */
bool job_check_way(const job_config *c, const char *from, ap_error *err);
/* Meets another doctor on another host in the spool; adds what is wrong, which is said, to problems. False
 * when they could not finish. */
bool job_check_sides(const job_config *c, unsigned *problems, ap_error *err);
/* A job of these files; its ID is printed. Returns the exit code. */
int job_take_in(const job_config *c, char **files, int count, char id[AP_ID_BYTES], ap_error *err);
/* Copies a file, and makes the folders on the way to target, which is the same again afterwards. */
bool job_copy(const char *path, char *target, ap_error *err);
/* A new folder for downloads, malloc'ed; removed by the caller. */
char *job_download_folder(const job_config *c, ap_error *err);
/* Fetches a URL into a folder of its own, the number's, in folder; the path, malloc'ed. */
char *job_download(const job_config *c, const char *url, const char *folder, int number, ap_error *err);

#endif
