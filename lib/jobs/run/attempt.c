/* SPDX-License-Identifier: GPL-3.0-or-later
 * attempt.c - one try at a job: its recipe is run as a stage, what that made is added to the record, and the
 * job goes where it belongs. */
#include "jobs/run/attempt.h"
#include "base/error.h"
#include "base/text.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"
#include "jobs/record/tree.h"
#include "jobs/run/cause.h"
#include "jobs/run/deliver.h"
#include "jobs/run/recipe.h"
#include "jobs/run/stage.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A list of texts, NULL at the end. */
typedef struct texts {
    char **items;
    size_t count;
} texts;

/* Takes text over; NULL or no memory gives false. */
static bool append(texts *list, char *text)
{
    char **more = text ? realloc(list->items, (list->count + 2) * sizeof *more) : NULL;
    if (!more) {
        free(text);
        return false;
    }
    list->items = more;
    more[list->count++] = text;
    more[list->count] = NULL;
    return true;
}

static void free_texts(texts *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (texts){0};
}

/* ---- the command */

/* bash SHELL RECIPE KEY=VALUE... */
static bool compose(texts *line, const char *shell, const ap_recipe *recipe, ap_error *err)
{
    bool ok = append(line, strdup("bash")) && append(line, strdup(shell)) &&
              append(line, realpath(recipe->file, NULL));
    for (size_t i = 0; ok && i < recipe->count; i++)
        ok = append(line, ap_print("%s=%s", recipe->options[i].key, recipe->options[i].value));
    return ok || ap_fail_memory(err);
}

/* The command line for the recipe of the job that has this manifest, and how many stages it seems to have. */
static bool find_command(texts *line, unsigned *parts, const ap_attempt_options *o, const char *manifest,
                         ap_error *err)
{
    ap_recipe recipe = {0};
    const cJSON *option;
    cJSON *document = ap_manifest_load(manifest, err);
    const char *folders = *ap_json_string(document, "about") ? o->hooks : o->recipes;
    bool ok = document && ap_recipe_find(&recipe, folders, ap_json_string(document, "recipe"), err);
    cJSON_ArrayForEach(option, cJSON_GetObjectItemCaseSensitive(document, "options"))
    {
        const char *value = cJSON_GetStringValue(option);
        ok = ok && ap_recipe_set(&recipe, option->string, value ? value : "", err);
    }
    ok = ok && compose(line, o->shell, &recipe, err);
    *parts = ok ? ap_recipe_stages(recipe.file) : 0;
    ap_recipe_free(&recipe);
    cJSON_Delete(document);
    return ok;
}

/* ---- what it made */

/* A link within the job's folder breaks when work/ goes, or, with an absolute path, when the folder moves. */
static bool outlasts_move(const char *path, ap_error *err)
{
    char first = 0, *here = realpath(".", NULL), *real = realpath(path, NULL);
    size_t n = here ? strlen(here) : 0;
    bool linked = readlink(path, &first, 1) == 1,
         ok = (here && real) || ap_fail_errno(err, errno, "cannot find '%s'", path);
    if (ok && linked && strncmp(real, here, n) == 0 && real[n] == '/' &&
        (first == '/' || strncmp(real + n, "/work/", 6) == 0))
        ok = ap_fail(err, AP_FAILED,
                     "'%s' is a link that breaks when the job moves: copy the file, or move it", path);
    free(here);
    free(real);
    return ok;
}

static bool note_output(const char *path, const char *below, void *user, ap_error *err)
{
    (void)below;
    return outlasts_move(path, err) && (append(user, strdup(path)) || ap_fail_memory(err));
}

static bool find_outputs(texts *files, ap_error *err)
{
    if (!ap_each_file("out", note_output, files, err))
        return false;
    return files->count > 0 || ap_fail(err, AP_FAILED, "the recipe made no output");
}

/* Hashed, decoded to their end, and on the disk. */
static bool look_at_outputs(ap_outputs *found, ap_error *err)
{
    texts files = {0};
    bool ok = find_outputs(&files, err) &&
              ap_outputs_look(found, AP_MANIFEST_NAME, files.items, (int)files.count, NULL, true, err);
    free_texts(&files);
    return ok;
}

/* ---- the attempt */

/* 75 asks for another try, and a recipe that was killed (out of memory, by hand, at shutdown) deserves one.
 */
static ap_status fate(int exit_code)
{
    static const int again[] = {AP_TRY_AGAIN, 128 + SIGHUP, 128 + SIGINT, 128 + SIGKILL, 128 + SIGTERM};
    for (size_t i = 0; i < sizeof again / sizeof *again; i++)
        if (exit_code == again[i])
            return AP_TRY_AGAIN;
    return AP_FAILED;
}

/* A group to be in meanwhile: the runner's, or, if that began outside our namespace of processes and has no
 * number here (unshare --pid, bwrap), that of a child that only waits. */
static pid_t find_group(pid_t *keeper)
{
    const pid_t self = getpid(), group = getpgid(getppid());
    *keeper = 0;
    if (group > 0)
        return group;
    if ((*keeper = fork()) == 0) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (getppid() == self)
            pause();
        _exit(0);
    }
    if (*keeper > 0)
        setpgid(*keeper, *keeper); /* here too: whoever comes first */
    return *keeper;
}

/* What the recipe left running ends before its outputs are looked at. We lead that group: we leave it for the
 * time of the kill. */
static void end_rest(void)
{
    pid_t keeper, group = find_group(&keeper);
    if (group > 0 && setpgid(0, group) == 0) {
        kill(-getpid(), SIGKILL);
        while (waitpid(-getpid(), NULL, 0) > 0 || errno == EINTR)
            ;
        setpgid(0, 0);
    }
    if (keeper > 0) {
        kill(keeper, SIGKILL);
        waitpid(keeper, NULL, 0);
    }
}

/* err: why it failed. */
static void blame(const ap_stage_result *result, ap_error *err)
{
    cJSON *document = ap_manifest_load(AP_MANIFEST_NAME, NULL);
    const cJSON *cause = *result->last_words ? ap_find_cause(document, result->last_words) : NULL;
    ap_status code = fate(result->exit_code);
    if (cause && code != AP_TRY_AGAIN)
        code = fate((int)ap_json_number(cause, "exit_code", result->exit_code));
    if (cause)
        ap_fail(err, code, "%s", ap_last_line(cause));
    else if (*result->last_words)
        ap_fail(err, code, "%s", result->last_words);
    else
        ap_fail(err, code, "the recipe ended with exit code %d", result->exit_code);
    cJSON_Delete(document);
}

static bool run_recipe(char **line, unsigned parts, int log, bool *told, ap_error *err)
{
    const ap_stage_options options = {
        .manifest = AP_MANIFEST_NAME, .name = "recipe", .parts = parts, .said = log};
    ap_stage_result result = {0};
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* for end_rest */
    bool ok = ap_stage_run(&options, line, &result, err);
    end_rest();
    *told = result.told_to_end;
    if (!ok || result.exit_code == 0)
        return ok;
    blame(&result, err);
    return false;
}

bool ap_job_attempt(const ap_attempt_options *options, const char *id, ap_error *err)
{
    const char *spool = options->spool;
    texts line = {0};
    ap_outputs found = {0};
    bool told = false;
    unsigned parts = 0;
    ap_error why = {AP_OK, ""};
    char *folder = ap_spool_path(spool, AP_RUNNING, id, NULL), *place = realpath(spool, NULL);
    char *manifest = ap_spool_path(spool, AP_RUNNING, id, AP_MANIFEST_NAME);
    bool ok = (folder && manifest && place) || ap_fail_errno(err, errno, "cannot find '%s'", spool);
    bool found_command =
        ok && find_command(&line, &parts, options, manifest, &why); /* folders of recipes are from here */
    if (ok && chdir(folder) != 0)
        ok = ap_fail_errno(err, errno, "cannot enter '%s'", folder);
    if (ok && found_command && run_recipe(line.items, parts, options->log, &told, &why) &&
        look_at_outputs(&found, &why))
        ap_job_deliver(&found, &told, &why);
    if (ok && told)
        ok = ap_fail(err, AP_TRY_AGAIN, "told to end");
    ap_ending ending = {AP_OUTCOME_DONE, .outputs = &found};
    if (why.code != AP_OK)
        ending = (ap_ending){why.code == AP_TRY_AGAIN ? AP_OUTCOME_RETRY : AP_OUTCOME_FAILED, why.message,
                             &options->retry};
    ok = ok && ap_job_settle(place, AP_RUNNING, id, &ending, err);
    ap_outputs_free(&found);
    free_texts(&line);
    free(folder);
    free(manifest);
    free(place);
    return ok;
}
