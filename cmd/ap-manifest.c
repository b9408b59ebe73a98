/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-manifest - the record of a job, and what ap-job needs that a shell cannot do safely. */
#include "base/error.h"
#include "base/text.h"
#include "front/options.h"
#include "front/stems.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"
#include "jobs/record/outputs.h"
#include "jobs/record/probe.h"
#include "jobs/run/recipe.h"
#include "jobs/run/stage.h"
#include "jobs/run/worker.h"
#include "jobs/show/list.h"
#include "jobs/show/report.h"
#include "jobs/spool/clean.h"
#include "jobs/spool/intake.h"
#include "jobs/spool/settle.h"
#include "jobs/spool/watch.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SETTINGS 1024
#define MANY INT_MAX

typedef struct config {
    const char *manifest, *output, *name;
    ap_stage_options stage;
    ap_intake_options intake;
    ap_work_options work;
    bool measure, nul, once, stages;
    ap_list_style style;
    double older_s, settle_s, embed_mib, max_mib, min_free_mib;
    const char *reason;
    char *settings[MAX_SETTINGS + 1];
    char manifest_path[4096];
} config;

static config cfg = {
    .stage = {.grace_s = 10},
    .intake = {.recipe = "8d", .max_seconds = INFINITY},
    .work = {.jobs = 1, .grace_s = 10, .retry = {.attempts = 5, .backoff_s = 30}},
    .older_s = 7 * 86400,
    .settle_s = 5,
    .embed_mib = 32,
    .max_mib = 4096,
    .min_free_mib = 64,
};

static bool add_setting(void *config_, const char *argument, ap_error *err)
{
    config *c = config_;
    size_t n = 0;
    while (c->settings[n])
        n++;
    if (n == MAX_SETTINGS || !strchr(argument, '=') || *argument == '=')
        return ap_fail(err, AP_USAGE, "'%s' is not KEY=VALUE", argument);
    c->settings[n] = (char *)argument;
    return true;
}

static bool set_age(void *config_, const char *argument, ap_error *err)
{
    static const struct {
        char unit;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    char *end;
    double number = strtod(argument, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (*argument >= '0' && *argument <= '9' && end[0] == units[i].unit && !end[1]) {
            ((config *)config_)->older_s = number * units[i].seconds;
            return true;
        }
    return ap_fail(err, AP_USAGE, "'%s' is not a number and s, m, h, d or w", argument);
}

#define AT(field) offsetof(config, field)

static const choice styles[] = {{"table", AP_LIST_TABLE}, {"tsv", AP_LIST_TSV}, {"json", AP_LIST_JSON}, {0}};

static const option_row rows[] = {
    {'m', "manifest", OPTION_TEXT, "FILE", AT(manifest), "the manifest, or its folder"},
    {'s', "stage", OPTION_TEXT, "NAME", AT(stage.name), "exec: the name of the stage"},
    {0, "group", OPTION_ON, NULL, AT(stage.group), "exec: end what the command started, too"},
    {0, "grace", OPTION_NUMBER, "SECONDS", AT(stage.grace_s), "exec: with --group, from SIGTERM to SIGKILL",
     0, 3600},
    {'n', "name", OPTION_TEXT, "NAME", AT(name), "add-output, submit: instead of the file's name"},
    {0, "measure", OPTION_ON, NULL, AT(measure), "add-output: decode it, for duration and loudness"},
    ROW_CHOICE(0, "format", styles, AT(style), "list: how to show jobs"),
    {0, "stages", OPTION_ON, NULL, AT(stages), "list: show the stages of each job, too"},
    {'o', "output", OPTION_TEXT, "FILE", AT(output), "report: write to FILE"},
    {0, "embed", OPTION_NUMBER, "MIB", AT(embed_mib),
     "report: how much of sound and video may be in the page", 0, 4096},
    {'0', "null", OPTION_ON, NULL, AT(nul), "get: values, or KEY=VALUE, each followed by a NUL"},
    {0, "spool", OPTION_TEXT, "DIR", AT(work.spool), "submit, work, settle, clean: the spool folder"},
    {0, "recipe", OPTION_TEXT, "NAME", AT(intake.recipe), "submit: the recipe; 8d if none is named"},
    {0, "owner", OPTION_TEXT, "NAME", AT(intake.owner), "submit: whose job it is"},
    {0, "set", OPTION_CALL, "KEY=VALUE", 0, "submit: an option of the recipe (repeatable)", 0, 0, NULL,
     add_setting, false},
    {0, "max-size", OPTION_NUMBER, "MIB", AT(max_mib), "submit: larger files are refused", 0, 1e9},
    {0, "max-duration", OPTION_TIME, "SECONDS", AT(intake.max_seconds), "submit: longer audio is refused", 0,
     1e9, NULL, NULL, true},
    {0, "min-free", OPTION_NUMBER, "MIB", AT(min_free_mib), "submit: room to leave on the disk", 0, 1e9},
    {0, "force", OPTION_ON, NULL, AT(intake.force), "submit: also what was submitted before"},
    {0, "link", OPTION_ON, NULL, AT(intake.link), "submit: hard links instead of copies"},
    {'j', "jobs", OPTION_COUNT, "N", AT(work.jobs), "work: so many at a time", 1, 1024},
    {0, "watch", OPTION_ON, NULL, AT(work.watch), "work: wait for more jobs"},
    {0, "max-seconds", OPTION_TIME, "SECONDS", AT(work.max_s), "work: take no job after this; 0 = no limit",
     0, 1e9},
    {0, "job-seconds", OPTION_TIME, "SECONDS", AT(work.job_s),
     "work: end a job that takes longer; 0 = no limit", 0, 1e9},
    {0, "attempts", OPTION_COUNT, "N", AT(work.retry.attempts), "work: tries before a job has failed", 1,
     1000},
    {0, "backoff", OPTION_NUMBER, "SECONDS", AT(work.retry.backoff_s),
     "work: pause before the second try, doubled each time", 0, 3600},
    {'r', "reason", OPTION_TEXT, "TEXT", AT(reason), "settle: why"},
    {0, "settle", OPTION_NUMBER, "SECONDS", AT(settle_s), "watch: a file unchanged for this long is complete",
     0, 86400},
    {0, "once", OPTION_ON, NULL, AT(once), "watch, work: end when nothing is left to do"},
    {0, "older-than", OPTION_CALL, "AGE", 0, "clean: 90s, 30m, 12h, 7d, 4w (default 7d)", 0, 0, NULL, set_age,
     false},
    {0},
};

static int result(bool ok, const ap_error *err)
{
    return ok ? AP_OK : (int)err->code;
}

/* Whoever calls this command for its own user has its name in the messages. */
static command self = {.name = "ap-manifest"};

/* ---- manifests */

/* The path of the manifest meant by path, which may be its folder. */
static const char *manifest_of(const char *path)
{
    struct stat st;
    if (!path)
        path = getenv("AUDIOPIPE_MANIFEST");
    if (!path)
        path = ".";
    bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    if (!folder)
        return path;
    snprintf(cfg.manifest_path, sizeof cfg.manifest_path, "%s/" AP_MANIFEST_NAME, path);
    return cfg.manifest_path;
}

/* .path=text or .path:=json */
static bool set_members(cJSON *document, void *user, ap_error *err)
{
    for (char **a = user; *a; a++) {
        char *equals = strchr(*a, '=');
        if (!equals)
            return ap_fail(err, AP_USAGE, "'%s' is not .PATH=TEXT or .PATH:=JSON", *a);
        bool json = equals > *a && equals[-1] == ':';
        char *path = ap_print("%.*s", (int)(equals - *a) - json, *a);
        cJSON *value = json ? cJSON_ParseWithOpts(equals + 1, NULL, true) : ap_json_text(equals + 1);
        bool ok = path != NULL;
        if (json && !value)
            ok = ap_fail(err, AP_USAGE, "'%s' is not JSON", equals + 1);
        ok = ok && ap_json_store(document, path, value, err);
        free(path);
        if (!ok)
            return false;
    }
    return true;
}

static int run_new(int argc, char **argv, ap_error *err)
{
    (void)argc;
    cJSON *document = ap_manifest_document(NULL);
    bool ok = document ? set_members(document, argv, err) : ap_fail_memory(err);
    ok = ok && ap_manifest_create(manifest_of(cfg.manifest), document, err);
    cJSON_Delete(document);
    return result(ok, err);
}

static int run_set(int argc, char **argv, ap_error *err)
{
    (void)argc;
    return result(ap_manifest_change(manifest_of(cfg.manifest), set_members, argv, true, err), err);
}

/* Text as it is, everything else as JSON. */
static void print_item(const cJSON *item)
{
    char *text = cJSON_IsString(item) ? NULL : cJSON_Print(item);
    fputs(text ? text : cJSON_IsString(item) ? item->valuestring : "", stdout);
    free(text);
}

/* Each value and a NUL; those of an object as KEY=VALUE. */
static void print_nul(const cJSON *item)
{
    const cJSON *member;
    if (!cJSON_IsObject(item) && !cJSON_IsArray(item)) {
        print_item(item);
        putchar(0);
        return;
    }
    cJSON_ArrayForEach(member, item)
    {
        if (member->string)
            printf("%s=", member->string);
        print_item(member);
        putchar(0);
    }
}

static int run_get(int argc, char **argv, ap_error *err)
{
    cJSON *document = ap_manifest_load(manifest_of(cfg.manifest), err);
    bool ok = document != NULL;
    for (int i = 0; ok && i < (argc ? argc : 1); i++) {
        const cJSON *item = ap_json_find(document, argc ? argv[i] : ".", err);
        ok = item != NULL;
        if (ok && cfg.nul)
            print_nul(item);
        else if (ok) {
            print_item(item);
            putchar('\n');
        }
    }
    cJSON_Delete(document);
    if (ok && fflush(stdout) != 0)
        ok = ap_fail_errno(err, errno, "cannot write 'standard output'");
    return result(ok, err);
}

static int run_add_output(int argc, char **argv, ap_error *err)
{
    const char *manifest = manifest_of(cfg.manifest);
    ap_outputs found = {0};
    bool ok = ap_outputs_look(&found, manifest, argv, argc, cfg.name, cfg.measure, err) &&
              ap_manifest_change(manifest, ap_outputs_put, &found, true, err);
    ap_outputs_free(&found);
    return result(ok, err);
}

static int run_verify(int argc, char **argv, ap_error *err)
{
    for (int i = 0; i < (argc ? argc : 1); i++)
        if (!ap_outputs_verify(manifest_of(argc ? argv[i] : cfg.manifest), err))
            return result(false, err);
    return AP_OK;
}

static int run_list(int argc, char **argv, ap_error *err)
{
    static char here[] = ".";
    char *only[] = {here};
    return result(ap_list(argc ? argv : only, argc ? argc : 1, cfg.style, cfg.stages, err), err);
}

static int run_report(int argc, char **argv, ap_error *err)
{
    (void)argc;
    const char *manifest = manifest_of(*argv ? *argv : cfg.manifest);
    return result(ap_report(manifest, cfg.output, cfg.embed_mib * 0x1p20, err), err);
}

static int run_exec(int argc, char **argv, ap_error *err)
{
    ap_stage_result result;
    (void)argc;
    cfg.stage.manifest = manifest_of(cfg.manifest);
    if (!cfg.stage.name)
        cfg.stage.name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    return ap_stage_run(&cfg.stage, argv, &result, err) ? result.exit_code : (int)err->code;
}

static int run_probe(int argc, char **argv, ap_error *err)
{
    for (int i = 0; i < argc; i++) {
        ap_probe probe;
        if (!ap_probe_file(argv[i], AP_PROBE_TYPE, &probe, err))
            return result(false, err);
        printf("%s\t%s\n", *probe.class_ ? probe.class_ : "unknown", probe.type);
    }
    return AP_OK;
}

/* ---- jobs */

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

static int run_recipes(int argc, char **argv, ap_error *err)
{
    (void)argc;
    (void)argv;
    return result(ap_recipe_list(err), err);
}

/* A job of these files; what becomes of it is said here. */
static int submit(char **files, int count)
{
    char id[64];
    bool duplicate;
    ap_error err;
    if (!ap_job_submit(&cfg.intake, files, count, id, &duplicate, &err)) {
        complain(&self, "%s", err.message);
        return (int)err.code;
    }
    if (duplicate)
        complain(&self, "'%s' was submitted before, as %s (--force makes a new job)", files[0], id);
    printf("%s\n", id);
    return fflush(stdout) == 0 ? AP_OK : AP_FAILED;
}

/* Files that are refused do not keep the others back. */
static int run_submit(int argc, char **argv, ap_error *err)
{
    ap_recipe recipe;
    int status = AP_OK;
    bool ok = ap_recipe_find(&recipe, cfg.intake.recipe, err) && set_options(&recipe, cfg.settings, err);
    cfg.intake.spool = cfg.work.spool;
    cfg.intake.recipe_file = recipe.file;
    cfg.intake.accept = recipe.accept;
    cfg.intake.together = recipe.together;
    cfg.intake.name = cfg.name;
    cfg.intake.settings = cfg.settings;
    cfg.intake.max_bytes = cfg.max_mib * 0x1p20;
    cfg.intake.min_free_bytes = cfg.min_free_mib * 0x1p20;
    int step = recipe.together ? argc : 1;
    for (int i = 0; ok && i < argc; i += step) {
        int refused = submit(argv + i, step);
        status = refused ? refused : status;
    }
    ap_recipe_free(&recipe);
    if (!ok)
        return result(false, err);
    err->message[0] = 0; /* all is said */
    return status;
}

static int run_work(int argc, char **argv, ap_error *err)
{
    (void)argc;
    return result(ap_work(&cfg.work, argv[0], err), err);
}

/* settle failed|restart ID */
static int run_settle(int argc, char **argv, ap_error *err)
{
    bool restart = strcmp(argv[0], "restart") == 0;
    (void)argc;
    if (!restart && strcmp(argv[0], "failed") != 0)
        return ap_fail(err, AP_USAGE, "settle needs failed or restart, and an ID"), AP_USAGE;
    const ap_ending ending = {restart ? AP_OUTCOME_RESTART : AP_OUTCOME_FAILED, cfg.reason};
    return result(ap_job_end(cfg.work.spool, argv[1], &ending, err), err);
}

static int run_clean(int argc, char **argv, ap_error *err)
{
    (void)argc;
    (void)argv;
    return result(ap_spool_clean(cfg.work.spool, cfg.older_s, err), err);
}

static int run_watch(int argc, char **argv, ap_error *err)
{
    (void)argc;
    return result(ap_watch(argv[0], cfg.settle_s, cfg.once, err), err);
}

/* ---- verbs */

typedef struct verb {
    const char *name, *arguments, *summary;
    const char *options; /* their names */
    int least, most;     /* operands */
    int (*run)(int argc, char **argv, ap_error *err);
} verb;

static const verb verbs[] = {
    {"new", "[.PATH=TEXT|.PATH:=JSON]...", "Makes a manifest.", "manifest", 0, MANY, run_new},
    {"set", ".PATH=TEXT|.PATH:=JSON...", "Changes members of a manifest.", "manifest", 1, MANY, run_set},
    {"get", "[.PATH]...", "Prints a manifest, or members of it.", "manifest null", 0, MANY, run_get},
    {"add-output", "FILE...", "Adds files to the outputs.", "manifest name measure", 1, MANY, run_add_output},
    {"verify", "[MANIFEST]...", "Hashes the outputs again.", "manifest", 0, MANY, run_verify},
    {"list", "[MANIFEST|DIR]...", "Shows many jobs.", "format stages", 0, MANY, run_list},
    {"report", "[MANIFEST]", "Writes an HTML page about a job.", "manifest output embed", 0, 1, run_report},
    {"exec", "-- COMMAND [ARGUMENT]...", "Runs a command as a stage of a job.", "manifest stage group grace",
     1, MANY, run_exec},
    {"probe", "FILE...", "Prints what files are, by their content.", "", 1, MANY, run_probe},
    {"submit", "FILE...", "Makes jobs of files.",
     "spool recipe owner set name max-size max-duration min-free force link", 1, MANY, run_submit},
    {"work", "SCRIPT", "Claims jobs and runs bash SCRIPT RECIPE KEY=VALUE... for each.",
     "spool jobs once watch max-seconds job-seconds grace attempts backoff", 1, 1, run_work},
    {"settle", "failed|restart ID", "Ends a job, or queues it again.", "spool reason", 2, 2, run_settle},
    {"watch", "DIR", "Prints the names of complete files in a folder, each followed by a NUL.", "settle once",
     1, 1, run_watch},
    {"clean", "", "Removes jobs that ended long ago.", "spool older-than", 0, 0, run_clean},
    {"recipes", "", "Lists the recipes and their options.", "", 0, 0, run_recipes},
};

static const verb *find_verb(const char *name)
{
    for (size_t i = 0; name && i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

/* The rows of a verb's options; those of all without one. */
static void pick_rows(const verb *v, option_row *picked)
{
    for (const option_row *o = rows; o->type != OPTION_END; o++) {
        size_t n = strlen(o->name);
        const char *list = v ? v->options : "";
        while (v && *list && !(strncmp(list, o->name, n) == 0 && (list[n] == ' ' || list[n] == 0)))
            list += strcspn(list, " "), list += *list == ' ';
        if (!v || *list)
            *picked++ = *o;
    }
    *picked = (option_row){0};
}

/* Who we are: the caller, or the verb. */
static void introduce(const verb *v)
{
    static char name[64];
    const char *caller = getenv("AUDIOPIPE_CALLER");
    snprintf(name, sizeof name, "ap-manifest%s%s", v ? " " : "", v ? v->name : "");
    self =
        (command){caller && v ? caller : name,
                  v ? v->arguments : "new|set|get|add-output|verify|list|report|exec|probe|... ARGUMENT...",
                  v ? v->summary : "Keeps the record of a job. Each verb has its own --help."};
}

int main(int argc, char **argv)
{
    const verb *v = find_verb(argc > 1 ? argv[1] : NULL);
    option_row picked[sizeof rows / sizeof *rows];
    introduce(v);
    pick_rows(v, picked);
    const option_group groups[OPTION_GROUPS] = {{picked, &cfg}};
    int operand = parse_options(&self, groups, argc, argv) + (v != NULL);
    if (!v)
        usage_error(&self, argc > 1 ? "unknown verb '%s'" : "which verb?", argc > 1 ? argv[1] : "");
    /* usage_error does not return */
    /* cppcheck-suppress nullPointerRedundantCheck */
    if (argc - operand < v->least)
        usage_error(&self, "missing argument: %s", v->arguments);
    if (argc - operand > v->most)
        usage_error(&self, "'%s' is one too many", argv[operand + v->most]);
    cfg.work.grace_s = cfg.stage.grace_s;
    if (strstr(v->options, "spool") && !cfg.work.spool && !(cfg.work.spool = getenv("AUDIOPIPE_SPOOL")))
        usage_error(&self, "no spool: name it with --spool, or in AUDIOPIPE_SPOOL");
    ap_error err = {AP_FAILED, ""};
    int status = v->run(argc - operand, argv + operand, &err);
    if (status != AP_OK && *err.message)
        complain(&self, "%s", err.message);
    return status;
}
