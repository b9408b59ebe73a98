/* SPDX-License-Identifier: GPL-3.0-or-later
 * doctor.c - ap-job doctor: what is wrong with a spool. */
#include "base/text.h"
#include "job/job.h"
#include "jobs/spool/mount.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static void check_tools(unsigned *problems)
{
    static const char *const tools[] = {"ap-manifest", "bash", "curl"};
    for (size_t i = 0; i < sizeof tools / sizeof *tools; i++) {
        char *path = ap_command_path(tools[i]);
        if (!path) {
            complain(&job_command, "missing: %s", tools[i]);
            ++*problems;
        }
        free(path);
    }
}

static void check_places(const job_config *c, unsigned *problems)
{
    static const ap_place places[] = {AP_QUEUE, AP_TMP, AP_RUNNING, AP_DONE, AP_FAILED_JOBS};
    struct stat queue = {0}, st;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char *path = ap_spool_path(c->spool, places[i], NULL, NULL);
        bool there = path && stat(path, &st) == 0;
        if (!there || !S_ISDIR(st.st_mode) || access(path, W_OK) != 0) {
            complain(&job_command, "cannot write to '%s'", path);
            ++*problems;
        } else if (i == 0)
            queue = st;
        else if (queue.st_nlink && st.st_dev != queue.st_dev) {
            complain(&job_command, "'%s' is on another file system: jobs could not move there", path);
            ++*problems;
        }
        free(path);
    }
}

static void check_space(const job_config *c, unsigned *problems)
{
    struct statvfs disk;
    double free_mib =
        statvfs(c->spool, &disk) == 0 ? (double)disk.f_bavail * (double)disk.f_frsize / 0x1p20 : 0;
    if (free_mib >= c->min_free_mib)
        return;
    complain(&job_command, "only %.0f MiB free in '%s'", free_mib, c->spool);
    ++*problems;
}

static char *read_text(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = fopen(path, "re");
    if (f && getdelim(&text, &size, 0, f) < 0) {
        free(text);
        text = NULL;
    }
    if (f)
        fclose(f);
    return text;
}

/* How the spool is mounted, for who shares it. */
static void check_mount(const job_config *c, unsigned *problems)
{
    char *mounts = read_text("/proc/self/mountinfo"), *path = realpath(c->spool, NULL);
    char *why = mounts && path ? ap_mount_trouble(mounts, path) : NULL;
    if (why && *why) {
        complain(&job_command, "'%s' is not to be shared by hosts: %s", c->spool, why);
        ++*problems;
    }
    free(mounts);
    free(path);
    free(why);
}

/* Hosts of one name are one to a file server. */
static void check_host_name(void)
{
    char name[256] = "";
    gethostname(name, sizeof name - 1);
    if (strcmp(name, "localhost") == 0 || strncmp(name, "localhost.", 10) == 0)
        complain(&job_command, "this host is called '%s': give hosts that share a spool names of their own",
                 name);
}

static void check_recipe(const char *name, const ap_recipe *recipe, const ap_error *problem, void *user)
{
    unsigned *problems = user;
    if (!recipe) {
        complain(&job_command, "%s", problem->message);
        ++*problems;
        return;
    }
    char *missing = ap_recipe_missing(recipe);
    if (missing && *missing)
        complain(&job_command, "recipe %s needs what is not here: %s", name, missing);
    free(missing);
}

/* Calls see with the folder of each job in a place. Returns how many it counts. */
static unsigned each_job(const job_config *c, ap_place place, bool (*see)(const char *id, const char *folder))
{
    char *path = ap_spool_path(c->spool, place, NULL, NULL);
    struct dirent **names;
    int count = path ? scandir(path, &names, NULL, alphasort) : -1;
    unsigned seen = 0;
    for (int i = 0; i < count; i++) {
        char *folder = names[i]->d_name[0] == '.' ? NULL : ap_print("%s/%s", path, names[i]->d_name);
        seen += folder && see(names[i]->d_name, folder);
        free(folder);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    free(path);
    return seen;
}

static bool see_running(const char *id, const char *folder)
{
    int lock;
    if (ap_job_lock(folder, &lock, NULL) != AP_LOCKED)
        return false;
    close(lock);
    complain(&job_command, "%s: its runner died; the next run takes it up", id);
    return true;
}

/* Other users' jobs are theirs. */
static bool see_failed(const char *id, const char *folder)
{
    if (access(folder, R_OK | X_OK) != 0)
        return false;
    char *why = job_error_of(folder);
    complain(&job_command, "failed: %s: %s", id, why ? why : "");
    free(why);
    return true;
}

int job_doctor(job_config *c, int argc, char **argv, ap_error *err)
{
    unsigned problems = 0;
    (void)argc;
    (void)argv;
    (void)ap_spool_prepare(c->spool, NULL);
    check_tools(&problems);
    check_places(c, &problems);
    check_space(c, &problems);
    check_mount(c, &problems);
    check_host_name();
    if (!ap_recipe_list(c->recipes, check_recipe, &problems, err))
        return (int)err->code;
    if (c->two_sides && !job_check_sides(c, &problems, err))
        return (int)err->code;
    problems += each_job(c, AP_RUNNING, see_running);
    unsigned failed = each_job(c, AP_FAILED_JOBS, see_failed);
    if (!problems && !failed)
        printf("everything is fine\n");
    else if (!problems)
        printf("the spool is fine; %u %s failed: ap-job log ID says more, ap-job retry tries again\n", failed,
               failed == 1 ? "job has" : "jobs have");
    if (!finish_stdout(err))
        return (int)err->code;
    err->message[0] = 0; /* everything was reported */
    return problems ? AP_FAILED : AP_OK;
}
