/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-manifest - the record of a job. */
#include "base/error.h"
#include "base/output.h"
#include "base/path.h"
#include "base/text.h"
#include "front/options.h"
#include "front/verbs.h"
#include "jobs/record/json.h"
#include "jobs/record/manifest.h"
#include "jobs/record/outputs.h"
#include "jobs/record/probe.h"
#include "jobs/run/stage.h"
#include "jobs/show/list.h"
#include "jobs/show/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct config {
    const char *manifest, *output, *name;
    ap_stage_options stage;
    bool measure, nul, stages;
    ap_list_style style;
    double embed_mib;
    char manifest_path[4096];
} config;

static config cfg = {.stage = {.grace_s = 10, .said = STDERR_FILENO}, .embed_mib = 32};

#define AT(field) offsetof(config, field)

static const choice styles[] = {{"table", AP_LIST_TABLE}, {"tsv", AP_LIST_TSV}, {"json", AP_LIST_JSON}, {0}};

static const option_row rows[] = {
    ROW_TEXT('m', "manifest", "FILE", AT(manifest), "the manifest, or its folder"),
    ROW_TEXT('s', "stage", "NAME", AT(stage.name), "exec: the name of the stage"),
    ROW_ON(0, "group", AT(stage.group), "exec: end what the command started, too"),
    ROW_NUMBER(0, "grace", "SECONDS", AT(stage.grace_s), 0, 3600,
               "exec: with --group, from SIGTERM to SIGKILL"),
    ROW_TEXT('n', "name", "NAME", AT(name), "add-output: instead of the file's name"),
    ROW_ON(0, "measure", AT(measure), "add-output: decode it, for duration and loudness"),
    ROW_CHOICE(0, "format", styles, AT(style), "list: how to show jobs"),
    ROW_ON(0, "stages", AT(stages), "list: show the stages of each job, too"),
    ROW_TEXT('o', "output", "FILE", AT(output), "report: write to FILE"),
    ROW_NUMBER(0, "embed", "MIB", AT(embed_mib), 0, 4096,
               "report: how much of sound and video may be in the page"),
    ROW_ON('0', "null", AT(nul), "get: values, or KEY=VALUE, each followed by a NUL"),
    {0},
};

static int result(bool ok, const ap_error *err)
{
    return ok ? AP_OK : (int)err->code;
}

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
        else if (json && !ap_json_check_numbers(equals + 1, strlen(equals + 1), err)) {
            cJSON_Delete(value);
            value = NULL;
            ok = false;
        }
        ok = ok && ap_json_store(document, path, value, err);
        free(path);
        if (!ok)
            return false;
    }
    return true;
}

static int run_new(void *config_, int argc, char **argv, ap_error *err)
{
    (void)config_;
    (void)argc;
    cJSON *document = ap_manifest_document(NULL);
    bool ok = document ? set_members(document, argv, err) : ap_fail_memory(err);
    ok = ok && ap_manifest_create(manifest_of(cfg.manifest), document, err);
    cJSON_Delete(document);
    return result(ok, err);
}

static int run_set(void *config_, int argc, char **argv, ap_error *err)
{
    (void)config_;
    (void)argc;
    return result(ap_manifest_change(manifest_of(cfg.manifest), set_members, argv, true, err), err);
}

/* Text as it is, everything else as JSON. */
static void print_item(const cJSON *item)
{
    char *text = cJSON_IsString(item) ? NULL : ap_json_print(item, true);
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

static int run_get(void *config_, int argc, char **argv, ap_error *err)
{
    (void)config_;
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
    return result(ok && finish_stdout(err), err);
}

static int run_add_output(void *config_, int argc, char **argv, ap_error *err)
{
    (void)config_;
    const char *manifest = manifest_of(cfg.manifest);
    ap_outputs found = {0};
    bool ok = ap_outputs_look(&found, manifest, argv, argc, cfg.name, cfg.measure, err) &&
              ap_manifest_change(manifest, ap_outputs_put, &found, true, err);
    ap_outputs_free(&found);
    return result(ok, err);
}

static int run_verify(void *config_, int argc, char **argv, ap_error *err)
{
    (void)config_;
    for (int i = 0; i < (argc ? argc : 1); i++)
        if (!ap_outputs_verify(manifest_of(argc ? argv[i] : cfg.manifest), err))
            return result(false, err);
    return AP_OK;
}

static int run_list(void *config_, int argc, char **argv, ap_error *err)
{
    (void)config_;
    static char here[] = ".";
    char *only[] = {here};
    bool ok = ap_list(stdout, argc ? argv : only, argc ? argc : 1, cfg.style, cfg.stages, err);
    return result(ok && finish_stdout(err), err);
}

static int run_report(void *config_, int argc, char **argv, ap_error *err)
{
    (void)config_;
    (void)argc;
    const char *manifest = manifest_of(*argv ? *argv : cfg.manifest);
    ap_output *out = cfg.output ? ap_output_create(cfg.output, false, err)
                                : ap_output_fd(STDOUT_FILENO, "standard output", false, err);
    const ap_report_options options = {.path = cfg.output, .embed_bytes = cfg.embed_mib * 0x1p20};
    return result(out && ap_report(manifest, out, &options, err), err);
}

static int run_exec(void *config_, int argc, char **argv, ap_error *err)
{
    (void)config_;
    ap_stage_result result;
    (void)argc;
    cfg.stage.manifest = manifest_of(cfg.manifest);
    if (!cfg.stage.name)
        cfg.stage.name = ap_leaf(argv[0]);
    return ap_stage_run(&cfg.stage, argv, &result, err) ? result.exit_code : (int)err->code;
}

static int run_probe(void *config_, int argc, char **argv, ap_error *err)
{
    (void)config_;
    for (int i = 0; i < argc; i++) {
        ap_probe probe;
        if (!ap_probe_file(argv[i], AP_PROBE_TYPE, &probe, err))
            return result(false, err);
        printf("%s\t%s\n", *probe.class_ ? probe.class_ : "unknown", probe.type);
    }
    return result(finish_stdout(err), err);
}

/* ---- verbs */

static const verb verbs[] = {
    {"new", "[.PATH=TEXT|.PATH:=JSON]...", "Makes a manifest.", "manifest", 0, VERB_MANY, run_new},
    {"set", ".PATH=TEXT|.PATH:=JSON...", "Changes members of a manifest.", "manifest", 1, VERB_MANY, run_set},
    {"get", "[.PATH]...", "Prints a manifest, or members of it.", "manifest null", 0, VERB_MANY, run_get},
    {"add-output", "FILE...", "Adds files to the outputs.", "manifest name measure", 1, VERB_MANY,
     run_add_output},
    {"verify", "[MANIFEST]...", "Hashes the outputs again.", "manifest", 0, VERB_MANY, run_verify},
    {"list", "[MANIFEST|DIR]...", "Shows many jobs.", "format stages", 0, VERB_MANY, run_list},
    {"report", "[MANIFEST]", "Writes an HTML page about a job.", "manifest output embed", 0, 1, run_report},
    {"exec", "-- COMMAND [ARGUMENT]...", "Runs a command as a stage of a job.", "manifest stage group grace",
     1, VERB_MANY, run_exec},
    {"probe", "FILE...", "Prints what files are, by their content.", "", 1, VERB_MANY, run_probe},
    {0},
};

int main(int argc, char **argv)
{
    const verb *v = find_verb(verbs, argc > 1 ? argv[1] : NULL);
    const command self = {"ap-manifest", "new|set|get|add-output|verify|list|report|exec|probe ARGUMENT...",
                          "Keeps the record of a job. Each verb has its own --help."};
    if (v)
        return run_verb(&self, v, rows, &cfg, argc - 1, argv + 1, NULL);
    const option_group groups[OPTION_GROUPS] = {{rows, &cfg}};
    parse_options(&self, groups, argc, argv); /* --help and --version do not return */
    report_no_verb(&self, verbs, argc > 1 ? argv[1] : NULL);
}
