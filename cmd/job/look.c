/* SPDX-License-Identifier: GPL-3.0-or-later
 * look.c - ap-job list, status, outputs, log, stats. */
#include "base/error.h"
#include "job/job.h"
#include "jobs/record/tree.h"
#include "jobs/show/list.h"
#include "jobs/show/stats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The end of a verb that has printed. */
static int printed(bool ok, ap_error *err)
{
    return job_result((!ok || finish_stdout(err)) && ok, err);
}

/* ---- all jobs */

/* The folders of the places, malloc'ed. */
static bool find_folders(const job_config *c, char *folders[JOB_PLACES], ap_error *err)
{
    bool ok = true;
    (void)ap_spool_prepare(c->spool, NULL); /* an empty spool is an answer, too */
    for (size_t i = 0; i < JOB_PLACES; i++)
        ok = (folders[i] = ap_spool_path(c->spool, job_places[i], NULL, NULL)) && ok;
    return ok || ap_fail_memory(err);
}

static void free_folders(char *folders[JOB_PLACES])
{
    for (size_t i = 0; i < JOB_PLACES; i++)
        free(folders[i]);
}

int job_list(job_config *c, int argc, char **argv, ap_error *err)
{
    char *folders[JOB_PLACES];
    (void)argc;
    (void)argv;
    bool ok = find_folders(c, folders, err) && ap_list(stdout, folders, JOB_PLACES,
                                                       c->json  ? AP_LIST_JSON
                                                       : c->tsv ? AP_LIST_TSV
                                                                : AP_LIST_TABLE,
                                                       false, err);
    free_folders(folders);
    return printed(ok, err);
}

static void print_stats(const ap_stats *stats)
{
    printf("%-12s %8s %8s %8s %8s %10s %8s\n", "RECIPE", "JOBS", "WAITING", "DONE", "FAILED", "MEAN S",
           "TRIES");
    for (size_t i = 0; i < stats->count; i++) {
        const ap_recipe_stats *r = &stats->recipes[i];
        printf("%-12s %8zu %8zu %8zu %8zu ", r->recipe, r->jobs, r->jobs - r->done - r->failed, r->done,
               r->failed);
        if (r->done)
            printf("%10.2f %8.2f\n", r->seconds / (double)r->done, r->tries / (double)r->done);
        else
            printf("%10s %8s\n", "-", "-");
    }
    printf("done in the last 24 hours: %zu (%.1f an hour)\n", stats->done_lately,
           (double)stats->done_lately / 24);
}

int job_stats(job_config *c, int argc, char **argv, ap_error *err)
{
    char *folders[JOB_PLACES];
    ap_stats stats = {0};
    (void)argc;
    (void)argv;
    bool ok = find_folders(c, folders, err) && ap_stats_count(&stats, folders, JOB_PLACES, err);
    if (ok)
        print_stats(&stats);
    ap_stats_free(&stats);
    free_folders(folders);
    return printed(ok, err);
}

/* ---- how far they are */

static size_t count_jobs(const char *folder)
{
    DIR *d = opendir(folder);
    size_t count = 0;
    for (const struct dirent *entry; d && (entry = readdir(d));)
        count += entry->d_name[0] != '.';
    if (d)
        closedir(d);
    return count;
}

static bool put_overview(FILE *out, const job_config *c, ap_error *err)
{
    char *folders[JOB_PLACES];
    bool ok = find_folders(c, folders, err);
    for (size_t i = 0; ok && i < JOB_PLACES; i++)
        fprintf(out, c->json ? "%s\"%s\":%zu" : "%s%-8s %zu\n", c->json ? i ? "," : "{" : "",
                ap_place_name(job_places[i]), count_jobs(folders[i]));
    if (ok && c->json)
        fprintf(out, "}\n");
    else if (ok)
        ok = ap_list(out, folders + 1, 1, AP_LIST_TABLE, true, err);
    free_folders(folders);
    return ok;
}

/* One job; looked for again if it moves meanwhile. */
static bool put_job(FILE *out, const job_config *c, const char *id, bool *ended, ap_error *err)
{
    while (true) {
        ap_place place;
        char *folder;
        if (!job_find(c, id, &place, &folder, err))
            return false;
        *ended = place == AP_DONE || place == AP_FAILED_JOBS;
        bool ok = ap_list(out, &folder, 1, c->json ? AP_LIST_JSON : AP_LIST_TABLE, true, err);
        bool moved = !ok && access(folder, F_OK) != 0;
        free(folder);
        if (!moved)
            return ok;
    }
}

/* The text to print now, malloc'ed. */
static char *look(const job_config *c, const char *id, bool *ended, ap_error *err)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool ok = out ? id ? put_job(out, c, id, ended, err) : put_overview(out, c, err) : ap_fail_memory(err);
    if (out && fclose(out) != 0 && ok)
        ok = ap_fail_memory(err);
    if (ok)
        return text;
    free(text);
    return NULL;
}

int job_status(job_config *c, int argc, char **argv, ap_error *err)
{
    char *last = NULL;
    bool ended = false, ok;
    do {
        char *now = look(c, argc ? argv[0] : NULL, &ended, err);
        ok = now != NULL;
        if (ok && !(last && strcmp(now, last) == 0)) {
            fputs(now, stdout);
            ok = flush_stdout(err);
        }
        free(last);
        last = now;
        if (ok && c->follow && !ended)
            sleep(1);
    } while (ok && c->follow && !ended);
    free(last);
    return job_result(ok, err);
}

/* ---- one job */

static bool print_path(const char *path, const char *below, void *user, ap_error *err)
{
    (void)below;
    (void)user;
    (void)err;
    printf("%s\n", path);
    return true;
}

int job_outputs(job_config *c, int argc, char **argv, ap_error *err)
{
    char *folder = NULL, *out = NULL;
    (void)argc;
    bool ok =
        job_find_done(c, argv[0], &folder, err) &&
        ((out = ap_spool_path(c->spool, AP_DONE, argv[0], "out")) ? ap_each_file(out, print_path, NULL, err)
                                                                  : ap_fail_memory(err));
    free(folder);
    free(out);
    return printed(ok, err);
}

static bool copy_to_stdout(const char *path, ap_error *err)
{
    char block[65536];
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || ap_fail_errno(err, errno, "cannot open '%s'", path);
    while ((n = read(fd, block, sizeof block)) > 0 && fwrite(block, (size_t)n, 1, stdout) == 1)
        ;
    bool ok = n >= 0 || ap_fail_errno(err, errno, "cannot read '%s'", path);
    close(fd);
    return ok;
}

int job_log(job_config *c, int argc, char **argv, ap_error *err)
{
    char *folder, *path = NULL;
    ap_place place;
    (void)argc;
    bool ok = job_find(c, argv[0], &place, &folder, err);
    if (ok && !(path = ap_spool_path(c->spool, place, argv[0], "log")))
        ok = ap_fail_memory(err);
    ok = ok && copy_to_stdout(path, err);
    free(folder);
    free(path);
    return printed(ok, err);
}
