/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-job - from upload to output: files become jobs, recipes turn them into outputs, no job is lost. */
#include "base/error.h"
#include "front/verbs.h"
#include "front/where.h"
#include "job/job.h"
#include "jobs/spool/sources.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const command job_command = {"ap-job", "COMMAND [ARGUMENT]...", NULL};

static job_config cfg = {
    .work = {.jobs = 1},
    .settle_s = 5,
    .older_s = 7 * 86400,
    .interval_s = 60,
};

static places where;
static char *where_to; /* of --to */

/* ---- options */

static bool add_setting(void *config, const char *argument, ap_error *err)
{
    job_config *c = config;
    size_t n = 0;
    while (c->settings[n])
        n++;
    if (n == JOB_MAX_SETTINGS || !strchr(argument, '=') || *argument == '=')
        return ap_fail(err, AP_USAGE, "'%s' is not KEY=VALUE", argument);
    c->settings[n] = (char *)argument;
    return true;
}

static bool set_age(void *config, const char *argument, ap_error *err)
{
    static const struct {
        char unit;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    char *end;
    double number = strtod(argument, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (*argument >= '0' && *argument <= '9' && end[0] == units[i].unit && !end[1]) {
            ((job_config *)config)->older_s = number * units[i].seconds;
            return true;
        }
    return ap_fail(err, AP_USAGE, "'%s' is not a number and s, m, h, d or w", argument);
}

#define AT(field) offsetof(job_config, field)

static const option_row rows[] = {
    ROW_TEXT(0, "recipe", "NAME", AT(recipe), "what to do (default 8d); run: only these, with commas"),
    ROW_CALL(0, "set", "KEY=VALUE", add_setting, "an option of the recipe (repeatable)"),
    ROW_ON(0, "wait", AT(wait), "wait until the jobs have ended"),
    ROW_ON(0, "force", AT(intake.force), "also what was submitted before"),
    ROW_ON(0, "link", AT(intake.link), "hard links instead of copies"),
    ROW_TEXT(0, "name", "NAME", AT(intake.name), "the input's name, instead of the file's"),
    ROW_TEXT(0, "owner", "NAME", AT(intake.owner), "whose job it is"),
    ROW_TEXT(0, "notify", "HOOKS", AT(intake.notify), "what tells of its end: mail, webhook"),
    ROW_TEXT(0, "to", "URL", AT(to), "outputs go there: s3://BUCKET/PREFIX/"),
    ROW_NUMBER(0, "interval", "S", AT(interval_s), 0.1, 86400, "list so often"),
    ROW_TEXT(0, "can", "NEEDS", AT(can), "only jobs that need no more than that: \"mem=4G gpu=1 threads=2\""),
    ROW_ON(0, "count", AT(count), "only print how many jobs wait"),
    ROW_COUNT('j', "jobs", "N", AT(work.jobs), 1, 1024, "so many jobs at a time"),
    ROW_ON(0, "once", AT(once), "end when nothing is left to do"),
    ROW_ON(0, "watch", AT(work.watch), "wait for more jobs"),
    ROW_ON('q', "quiet", AT(quiet), "say only which jobs failed"),
    ROW_TIME(0, "max-seconds", "S", AT(work.max_s), 0, 1e9, "take no job after this; 0 = no limit"),
    ROW_TIME(0, "job-seconds", "S", AT(work.job_s), 0, 1e9, "end a job that takes longer; 0 = no limit"),
    ROW_NUMBER(0, "settle", "S", AT(settle_s), 0, 86400, "a file unchanged for this long is complete"),
    ROW_ON(0, "recursive", AT(recursive), "also what is dropped into folders in it"),
    ROW_ON(0, "json", AT(json), "as JSON"),
    ROW_ON(0, "tsv", AT(tsv), "as a table with tabs"),
    ROW_ON(0, "follow", AT(follow), "again whenever something changes"),
    ROW_ON(0, "zip", AT(zip), "into a zip file"),
    ROW_ON(0, "with-media", AT(with_media), "a folder, or a zip file, of the page and all files"),
    ROW_ON(0, "all-failed", AT(all_failed), "all jobs that have failed"),
    ROW_ON(0, "two-sides", AT(two_sides), "try locks, renames and clocks together with another host"),
    ROW_CALL(0, "older-than", "AGE", set_age, "90s, 30m, 12h, 7d, 4w (default 7d)"),
    {0},
};

/* ---- verbs */

#define VERB(function)                                                                                       \
    static int run_##function(void *config, int argc, char **argv, ap_error *err)                            \
    {                                                                                                        \
        return job_##function(config, argc, argv, err);                                                      \
    }
VERB(submit)
VERB(run)
VERB(watch_folder)
VERB(watch_bucket)
VERB(status)
VERB(list)
VERB(outputs)
VERB(fetch)
VERB(report)
VERB(log)
VERB(retry)
VERB(cancel)
VERB(clean)
VERB(recipes)
VERB(stats)
VERB(doctor)

static const verb verbs[] = {
    {"submit", "FILE|URL...", "Checks and copies files, prints the ID of each job.",
     "recipe set to notify wait force link name owner", 1, VERB_MANY, run_submit},
    {"run", "", "Does the jobs that wait.", "jobs recipe can count once watch max-seconds job-seconds quiet",
     0, 0, run_run},
    {"watch-folder", "[DIR]", "Makes jobs of the files that are dropped into DIR.",
     "recipe set notify force link owner settle once recursive", 0, 1, run_watch_folder},
    {"watch-bucket", "URL", "Makes jobs of the objects whose keys begin with that of s3://BUCKET/PREFIX.",
     "recipe set to notify force owner interval once", 1, 1, run_watch_bucket},
    {"status", "[ID]", "How far a job is, or all.", "json follow", 0, 1, run_status},
    {"list", "", "All jobs.", "json tsv", 0, 0, run_list},
    {"outputs", "ID", "The paths of what a job made.", "", 1, 1, run_outputs},
    {"fetch", "ID DEST", "Copies what a job made to a folder, or into a zip file.", "zip", 2, 2, run_fetch},
    {"report", "ID [FILE]", "An HTML page about a job.", "with-media", 1, 2, run_report},
    {"log", "ID", "What the commands of a job said.", "", 1, 1, run_log},
    {"retry", "ID...", "Back to the queue.", "all-failed", 0, VERB_MANY, run_retry},
    {"cancel", "ID", "Ends a job, or takes it out of the queue.", "", 1, 1, run_cancel},
    {"clean", "", "Removes jobs that ended before, prints their IDs.", "older-than", 0, 0, run_clean},
    {"recipes", "", "The recipes and their options.", "", 0, 0, run_recipes},
    {"stats", "", "Throughput, failures, mean seconds for each recipe.", "", 0, 0, run_stats},
    {"doctor", "", "Checks tools, permissions, space, stuck jobs.", "two-sides", 0, 0, run_doctor},
    {0},
};

static bool print_usage(void *config, const char *argument, ap_error *err)
{
    (void)config;
    (void)argument;
    static const char text[] =
        "Usage: ap-job COMMAND [ARGUMENT]...\n"
        "From upload to output: files become jobs, recipes turn them into outputs.\n"
        "\n"
        "  submit [--recipe=R] [--set=KEY=VALUE]... [--to=URL] [--notify=HOOKS] [--wait] [--force] [--link]\n"
        "         [--name=NAME] [--owner=NAME] FILE|URL...\n"
        "                            check and copy files, print the ID of each job\n"
        "  run [-j N] [-q] [--once|--watch] [--max-seconds=S] [--job-seconds=S]\n"
        "         [--recipe=R,...] [--can=NEEDS] [--count]\n"
        "                            do the jobs that wait\n"
        "  watch-folder [--recipe=R] [--set=KEY=VALUE]... [--settle=S] [--once] [--recursive] [DIR]\n"
        "                            make jobs of the files that are dropped into DIR\n"
        "  watch-bucket [--recipe=R] [--set=KEY=VALUE]... [--to=URL] [--interval=S] [--once] URL\n"
        "                            make jobs of the objects below s3://BUCKET/PREFIX\n"
        "  status [ID] [--json] [--follow]\n"
        "                            how far a job is, or all\n"
        "  list [--json|--tsv]       all jobs\n"
        "  outputs ID                the paths of what a job made\n"
        "  fetch ID [--zip] DEST     copy them to a folder, or into a zip file\n"
        "  report ID [--with-media] [FILE]\n"
        "                            an HTML page about a job\n"
        "  log ID                    what its commands said\n"
        "  retry ID|--all-failed     back to the queue\n"
        "  cancel ID                 end a job, or take it out of the queue\n"
        "  clean [--older-than=7d]   remove jobs that ended before\n"
        "  recipes                   the recipes and their options\n"
        "  stats                     throughput, failures, mean seconds for each recipe\n"
        "  doctor [--two-sides]      check tools, permissions, space, stuck jobs\n"
        "\n"
        "  -h, --help                print this help; after a command, its options\n"
        "      --version             print the version\n"
        "\n"
        "The manual: man ap-job. The spool is $AUDIOPIPE_SPOOL.\n";
    (void)err;
    fputs(text, stdout); /* errors show when it is flushed */
    return true;
}

/* ---- where everything is */

static bool read_limits(job_config *c)
{
    c->intake.max_bytes = number_of(&job_command, "AUDIOPIPE_MAX_SIZE", 4096, 0, 1e9) * 0x1p20;
    c->intake.max_seconds = time_of(&job_command, "AUDIOPIPE_MAX_DURATION", 86400);
    c->min_free_mib = number_of(&job_command, "AUDIOPIPE_MIN_FREE", 64, 0, 1e9);
    c->intake.min_free_bytes = c->min_free_mib * 0x1p20;
    c->work.retry.attempts = (unsigned)number_of(&job_command, "AUDIOPIPE_ATTEMPTS", 5, 1, 1000);
    c->work.retry.backoff_s = number_of(&job_command, "AUDIOPIPE_BACKOFF", 30, 0, 3600);
    c->work.grace_s = number_of(&job_command, "AUDIOPIPE_GRACE", 10, 0, 3600);
    return true;
}

static bool find_everything(const verb *v, void *config, ap_error *err)
{
    job_config *c = config;
    (void)v;
    c->mask = umask(077);
    if (!find_places(&where, err))
        return false;
    c->spool = c->intake.spool = c->work.spool = where.spool;
    c->recipes = c->work.recipes = where.recipes;
    c->work.hooks = where.hooks;
    c->shell = c->work.shell = where.shell;
    c->intake.settings = c->settings;
    c->intake.recipe = c->recipe ? c->recipe : "8d";
    if (!c->intake.notify)
        c->intake.notify = getenv("AUDIOPIPE_NOTIFY");
    if (c->to && !(c->intake.to = where_to = ap_destination(c->to, err)))
        return false;
    return read_limits(c);
}

static int run(const verb *v, int argc, char **argv)
{
    int status = run_verb(&job_command, v, rows, &cfg, argc, argv, find_everything);
    free_places(&where);
    free(where_to);
    return status;
}

int main(int argc, char **argv)
{
    static const option_row answers[] = {ROW_ANSWER('h', "help", print_usage, "print this help"), {0}};
    const char *name = argc > 1 ? argv[1] : "";
    const verb *v = find_verb(verbs, name);
    const option_group groups[OPTION_GROUPS] = {{answers, &cfg}};
    if (v)
        return run(v, argc - 1, argv + 1);
    if (strcmp(name, "help") == 0)
        argv[1] = (char[]){"--help"};
    parse_options(&job_command, groups, argc, argv); /* --help and --version do not return */
    report_no_verb(&job_command, verbs, name);
}
