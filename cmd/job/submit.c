/* SPDX-License-Identifier: GPL-3.0-or-later
 * submit.c - ap-job submit: files and URLs become jobs. */
#include "base/error.h"
#include "base/net.h"
#include "base/text.h"
#include "job/job.h"
#include "jobs/run/recipe.h"
#include "jobs/spool/sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK_S 0.2 /* between looks at a job that is waited for */

/* ---- files */

static bool set_options(ap_recipe *recipe, char **settings, ap_error *err)
{
    bool ok = true;
    for (char **s = settings; ok && *s; s++) {
        char *key = strndup(*s, strcspn(*s, "="));
        ok = key ? ap_recipe_set(recipe, key, strchr(*s, '=') + 1, err) : ap_fail_memory(err);
        free(key);
    }
    return ok;
}

static void say_left_out(const char *path, const char *why, void *user)
{
    (void)path;
    (void)user;
    complain(&job_command, "left out: %s", why);
}

bool job_prepare_intake(job_config *c, ap_recipe *recipe, ap_error *err)
{
    if (!ap_recipe_find(recipe, c->recipes, c->intake.recipe, err))
        return false;
    c->intake.recipe_file = recipe->file;
    c->intake.accept = recipe->accept;
    c->intake.together = recipe->together;
    c->intake.needs = recipe->needs;
    c->intake.left_out = say_left_out;
    if (set_options(recipe, c->settings, err) && ap_hooks_there(c->work.hooks, c->intake.notify, err))
        return true;
    ap_recipe_free(recipe);
    return false;
}

/* A message about a file that was fetched: it has the URL for the name that it has for the moment. */
static void name_urls(char **files, char **urls, int count, ap_error *err)
{
    for (int i = 0; urls && i < count; i++) {
        const char *at = urls[i] ? strstr(err->message, files[i]) : NULL;
        char *made = at ? ap_print("%.*s%.*s%s", (int)(at - err->message), err->message,
                                   (int)ap_net_shown(urls[i]), urls[i], at + strlen(files[i]))
                        : NULL;
        if (made)
            snprintf(err->message, sizeof err->message, "%s", made);
        free(made);
    }
}

int job_take_in(const job_config *c, char **files, int count, char id[AP_ID_BYTES], ap_error *err)
{
    bool duplicate;
    char **urls = c->intake.urls;
    if (!ap_job_submit(&c->intake, files, count, id, &duplicate, err)) {
        name_urls(files, urls, count, err);
        return (int)err->code;
    }
    if (duplicate)
        complain(&job_command, "'%s' was submitted before, as %s (--force makes a new job)",
                 urls && urls[0] ? urls[0] : files[0], id);
    printf("%s\n", id);
    return flush_stdout(err) ? AP_OK : (int)err->code;
}

/* ---- URLs */

bool job_check_way(const job_config *c, const char *from, ap_error *err)
{
    return !c->intake.to || !ap_stores_overlap(from, c->intake.to) ||
           ap_fail(err, AP_USAGE, "'%s' and '%s' overlap: outputs would become inputs", from, c->intake.to);
}

/* Puts what was fetched in the place of each URL, malloc'ed, and the URL into urls. *folder: where it is,
 * malloc'ed, NULL if there is none. The first exit code that is not 0; each failure is said. */
static int fetch_urls(const job_config *c, char **files, char **urls, int count, char **folder, ap_error *err)
{
    int status = AP_OK;
    for (int i = 0; i < count; i++) {
        if (!ap_net_is_url(files[i]))
            continue;
        urls[i] = files[i];
        if (!job_check_way(c, files[i], err))
            return (int)err->code;
        if (!*folder && !(*folder = job_download_folder(c, err)))
            return (int)err->code;
        char *path = job_download(c, files[i], *folder, i, err);
        if (path)
            files[i] = path;
        else {
            complain(&job_command, "%s", err->message);
            err->message[0] = 0;
            status = (int)err->code;
        }
    }
    return status;
}

/* ---- waiting */

/* Says so when the wait would have no end. */
static void warn_without_runner(const job_config *c, const char *id)
{
    ap_place place;
    if (ap_job_find(c->spool, id, &place) && place == AP_QUEUE && !ap_runner_there(c->spool))
        complain(&job_command, "%s waits, but no runner is at work: ap-job run starts one", id);
}

/* Until the job has ended. */
static int wait_for(const job_config *c, const char *id)
{
    const struct timespec pause = {0, (long)(LOOK_S * 1e9)};
    ap_place place;
    ap_error err;
    char *folder = NULL;
    bool ok;
    warn_without_runner(c, id);
    while ((ok = job_find(c, id, &place, &folder, &err)) && (place == AP_QUEUE || place == AP_RUNNING)) {
        free(folder);
        nanosleep(&pause, NULL);
    }
    free(folder);
    folder = NULL;
    ok = ok && job_find_done(c, id, &folder, &err);
    free(folder);
    if (!ok)
        complain(&job_command, "%s", err.message);
    return ok ? AP_OK : (int)err.code;
}

/* ---- the verb */

/* Files that are refused do not keep the others back. */
static int submit_all(job_config *c, char **files, char **urls, int count, bool together,
                      char (*ids)[AP_ID_BYTES], int *made)
{
    int status = AP_OK, step = together ? count : 1;
    for (int i = 0; i < count; i += step) {
        ap_error err;
        c->intake.urls = urls + i;
        int refused = job_take_in(c, files + i, step, ids[*made], &err);
        if (refused)
            complain(&job_command, "%s", err.message);
        else
            ++*made;
        status = refused ? refused : status;
    }
    return status;
}

int job_submit(job_config *c, int argc, char **argv, ap_error *err)
{
    ap_recipe recipe;
    char *folder = NULL;
    if (!job_prepare_intake(c, &recipe, err))
        return (int)err->code;
    char(*ids)[AP_ID_BYTES] = calloc((size_t)argc, sizeof *ids), **urls = calloc((size_t)argc, sizeof *urls);
    int made = 0, status = ids && urls ? fetch_urls(c, argv, urls, argc, &folder, err)
                                       : (ap_fail_memory(err), AP_TRY_AGAIN);
    if (status == AP_OK) {
        status = submit_all(c, argv, urls, argc, recipe.together, ids, &made);
        err->message[0] = 0; /* everything was reported */
    }
    if (folder)
        ap_remove_tree(folder);
    for (int i = 0; c->wait && i < made; i++) {
        int ended = wait_for(c, ids[i]);
        status = ended ? ended : status;
    }
    free(folder);
    free(ids);
    free(urls);
    ap_recipe_free(&recipe);
    return status;
}
