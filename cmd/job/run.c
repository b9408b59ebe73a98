/* SPDX-License-Identifier: GPL-3.0-or-later
 * run.c - ap-job run: does the jobs that wait, and says how each ended. */
#include "base/text.h"
#include "front/progress.h"
#include "job/job.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"
#include "jobs/show/list.h"
#include "jobs/spool/claim.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 512

typedef struct telling {
    const job_config *c;
    bool bar;   /* show progress on the terminal */
    bool shown; /* a line of progress stands there */
} telling;

static void wipe(telling *t)
{
    if (t->shown)
        fputs("\r\033[K", stderr);
    t->shown = false;
}

static const char *input_of(const cJSON *document)
{
    return ap_json_string(cJSON_GetObjectItemCaseSensitive(document, "input"), "name");
}

/* " at 13:05:10", or nothing. */
static void next_try(const cJSON *document, char *text, size_t size)
{
    double when = ap_job_next_try(document);
    struct tm local;
    *text = 0;
    if (isnan(when))
        return;
    time_t whole = (time_t)when;
    localtime_r(&whole, &local);
    strftime(text, size, " at %H:%M:%S", &local);
}

/* One line for each end; with --quiet only for those that failed. */
static void say_end(const char *id, ap_place place, const cJSON *document, void *user)
{
    telling *t = user;
    const char *reason = ap_json_string(document, "error");
    char when[32];
    if (t->c->quiet && place != AP_FAILED_JOBS)
        return;
    wipe(t);
    next_try(document, when, sizeof when);
    if (place == AP_DONE)
        complain(&job_command, "%s done: %s, %s, %.1f s", id, ap_json_string(document, "recipe"),
                 input_of(document), ap_job_seconds(document));
    else if (place == AP_FAILED_JOBS)
        complain(&job_command, "%s failed: %s, %s: %s", id, ap_json_string(document, "recipe"),
                 input_of(document), reason);
    else if (*reason)
        complain(&job_command, "%s to be tried again%s: %s, %s: %s", id, when,
                 ap_json_string(document, "recipe"), input_of(document), reason);
    else
        complain(&job_command, "%s is back in the queue", id);
}

/* ---- progress */

static void put_running(char *line, size_t size, const telling *t, const char *id)
{
    char *manifest = ap_spool_path(t->c->spool, AP_RUNNING, id, AP_MANIFEST_NAME);
    cJSON *document = manifest ? ap_manifest_load(manifest, NULL) : NULL;
    size_t used = strlen(line);
    if (document)
        snprintf(line + used, size - used, "%s%s %.0f %%", used ? "  " : "", input_of(document),
                 100 * ap_json_number(document, "progress", 0));
    cJSON_Delete(document);
    free(manifest);
}

/* One line that is written over: which jobs run and how far they are. */
static void show_running(const char *const *ids, unsigned count, void *user)
{
    telling *t = user;
    char line[LINE_BYTES] = "";
    for (unsigned i = 0; i < count; i++)
        put_running(line, sizeof line, t, ids[i]);
    progress_cut(line, progress_width());
    fprintf(stderr, "\r%s\033[K", line);
    t->shown = true;
}

static bool can_show(const job_config *c)
{
    const char *term = getenv("TERM");
    return !c->quiet && isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

/* ---- which jobs */

static bool choose(job_config *c, ap_error *err)
{
    if (!c->recipe && !c->can)
        return true;
    if (c->can && !ap_needs_parse(c->can, &c->machine, err))
        return false;
    c->choice = (ap_job_choice){c->recipe, c->can ? &c->machine : NULL};
    c->work.choice = &c->choice;
    return true;
}

static int print_count(const job_config *c, ap_error *err)
{
    if (!ap_spool_prepare(c->spool, err))
        return (int)err->code;
    printf("%zu\n", ap_job_count_waiting(c->spool, &c->work.retry, c->work.choice));
    return finish_stdout(err) ? AP_OK : (int)err->code;
}

int job_run(job_config *c, int argc, char **argv, ap_error *err)
{
    telling t = {.c = c, .bar = can_show(c)};
    ap_work_count count = {0};
    (void)argc;
    (void)argv;
    if (!choose(c, err))
        return (int)err->code;
    if (c->count)
        return print_count(c, err);
    c->work.ended = say_end;
    c->work.running = t.bar ? show_running : NULL;
    c->work.user = &t;
    bool ok = ap_work(&c->work, &count, err);
    wipe(&t);
    if (!ok)
        return (int)err->code;
    err->message[0] = 0; /* each was said */
    return count.failed ? AP_FAILED : AP_OK;
}
