/* SPDX-License-Identifier: GPL-3.0-or-later
 * stems.c - the front end of commands that make several stems of one input. */
#include "front/stems.h"
#include "base/error.h"
#include "base/text.h"
#include "front/many.h"
#include "front/naming.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SAVES 64

typedef struct saved_stem {
    char *stem;       /* to be freed */
    const char *path; /* behind it */
} saved_stem;

typedef struct stem_config {
    const char *stem, *path, *pattern;
    saved_stem saves[MAX_SAVES];
    size_t save_count;
    output_config out;
    many_config many;
} stem_config;

/* One stem on its way. */
typedef struct target {
    size_t stem; /* index into the names */
    char *path;
    ap_encode_options encode;
} target;

/* All of a run. */
typedef struct run {
    const stem_filter *filter;
    const stem_config *config;
    char *input;         /* NULL: standard input */
    const char *folder;  /* of the input below the one that was named, NULL: there is one input */
    const char *pattern; /* of all outputs, if there is more than one input */
    unsigned threads;
    const option_group *groups;
    const char *names[MAX_STEMS];
    size_t name_count, in_folder;
    target targets[MAX_SAVES + MAX_STEMS];
    size_t count;
    made_folders made;
    watcher reading; /* what is shown while there are no stems yet */
} run;

/* ---- options */

/* -S STEM=PATH */
static bool add_save(void *cfg, const char *argument, ap_error *err)
{
    stem_config *c = cfg;
    const char *equals = strchr(argument, '=');
    if (!equals || equals == argument || !equals[1])
        return ap_fail(err, AP_USAGE, "'%s' is not STEM=PATH", argument);
    if (c->save_count == MAX_SAVES)
        return ap_fail(err, AP_USAGE, "'%s' is one too many", argument);
    saved_stem *saved = &c->saves[c->save_count];
    saved->stem = strdup(argument);
    if (!saved->stem)
        return ap_fail_memory(err);
    saved->stem[equals - argument] = 0;
    saved->path = saved->stem + (equals - argument) + 1;
    c->save_count++;
    return true;
}

static const option_row stem_rows[] = {
    ROW_TEXT('s', "stem", "STEM", offsetof(stem_config, stem), "write only this stem, to standard output"),
    ROW_TEXT('o', "output", "PATH", offsetof(stem_config, path),
             "write all stems into this folder; with -s, that stem to this file"),
    ROW_TEXT(0, "filename", "PATTERN", offsetof(stem_config, pattern),
             "names in the folder, with {track}, {trackext}, {stem}, {ext} (default {stem}.{ext})"),
    ROW_CALL('S', "save", "STEM=PATH", add_save,
             "write this stem to this file or FIFO, - for standard output (repeatable)"),
    {0},
};

/* ---- paths */

#define STANDARD_OUTPUT "/dev/stdout"

static bool is_dash(const char *path)
{
    return strcmp(path, "-") == 0;
}

/* The file for a stem in the folder, or where the pattern for many inputs says. */
static char *expand(const run *r, const char *stem, ap_error *err)
{
    const stem_config *c = r->config;
    const char *format = c->out.format ? c->out.format : "wav";
    const name_words words = {r->folder, r->input && !is_dash(r->input) ? r->input : "stdin", stem, format};
    if (r->pattern)
        return naming_expand(r->pattern, &words, err);
    char *name = naming_expand(c->pattern ? c->pattern : "{stem}.{ext}", &words, err);
    char *path = name ? naming_below(c->path, name) : NULL;
    if (name && !path)
        ap_fail_memory(err);
    free(name);
    return path;
}

static void free_run(run *r, bool ok)
{
    target_end(&r->made, ok || r->pattern); /* others may work in them */
    for (size_t i = 0; i < r->count; i++)
        free(r->targets[i].path);
    r->count = 0;
}

/* ---- targets */

/* Whether all stems go into one file, which has its own format. */
static bool is_stem_file(const run *r)
{
    static const char end[] = ".stem.mp4";
    const char *path = r->config->path;
    const size_t n = path ? strlen(path) : 0, m = strlen(end);
    return r->filter->build_file && !r->config->stem && n > m && strcmp(path + n - m, end) == 0;
}

static bool find_stem(const run *r, const char *stem, size_t *index, ap_error *err)
{
    for (*index = 0; *index < r->name_count; ++*index)
        if (strcmp(r->names[*index], stem) == 0)
            return true;
    char known[1024] = "";
    for (size_t i = 0; i < r->name_count; i++)
        snprintf(known + strlen(known), sizeof known - strlen(known), " %s", r->names[i]);
    return ap_fail(err, AP_USAGE, "stem '%s' is unknown; known are%s", stem, known);
}

/* A device or a pipe needs no extension: it carries an apstream. */
static const char *format_of(const char *path)
{
    struct stat st;
    bool special = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
    return special || strncmp(path, "/dev/", 5) == 0 ? "au" : NULL;
}

/* Takes path over; NULL: err says why already. */
static bool add_target(run *r, size_t stem, char *path, ap_error *err)
{
    if (!path)
        return false;
    target *t = &r->targets[r->count++];
    *t = (target){.stem = stem, .path = path};
    for (size_t i = 0; i + 1 < r->count; i++)
        if (strcmp(r->targets[i].path, path) == 0)
            return ap_fail(err, AP_USAGE, "'%s' is named twice", path);
    output_encode_options(&r->config->out, &t->encode);
    t->encode.threads = r->threads;
    if (!t->encode.format)
        t->encode.format = format_of(path);
    char *input = r->input;
    return (is_stem_file(r) || ap_encode_check(path, &t->encode, err)) &&
           target_check(path, &(sources){&input, 1, r->groups}, output_rule(&r->config->out), err);
}

static bool add_copy(run *r, size_t stem, const char *path, ap_error *err)
{
    char *copy = strdup(is_dash(path) ? STANDARD_OUTPUT : path);
    return copy ? add_target(r, stem, copy, err) : ap_fail_memory(err);
}

static bool find_targets(run *r, ap_error *err)
{
    const stem_config *c = r->config;
    size_t stem;
    for (size_t i = 0; i < c->save_count; i++)
        if (!find_stem(r, c->saves[i].stem, &stem, err) || !add_copy(r, stem, c->saves[i].path, err))
            return false;
    if (c->stem && r->pattern)
        return find_stem(r, c->stem, &stem, err) && add_target(r, stem, expand(r, c->stem, err), err);
    if (c->stem)
        return find_stem(r, c->stem, &stem, err) && add_copy(r, stem, c->path ? c->path : "-", err);
    if (is_stem_file(r))
        return add_target(r, 0, r->pattern ? expand(r, "", err) : strdup(c->path), err);
    for (stem = 0; c->path && stem < r->in_folder; stem++)
        if (!add_target(r, stem, expand(r, r->names[stem], err), err))
            return false;
    return true;
}

static bool make_all_folders(run *r, ap_error *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < r->count; i++)
        ok = target_make_folders(&r->made, r->targets[i].path, err);
    return ok;
}

/* ---- the run */

/* Of each name; returns how many. */
static size_t wanted_stems(const run *r, bool wanted[MAX_STEMS])
{
    size_t count = 0;
    memset(wanted, 0, MAX_STEMS * sizeof *wanted);
    for (size_t i = 0; i < r->count; i++)
        wanted[r->targets[i].stem] = true;
    for (size_t i = 0; i < MAX_STEMS; i++)
        count += wanted[i];
    return count;
}

static bool write_all(run *r, ap_stream *s, ap_error *err)
{
    ap_split_output outputs[MAX_SAVES + MAX_STEMS];
    bool wanted[MAX_STEMS];
    const uint32_t channels = ap_stream_format(s)->channels / (uint32_t)wanted_stems(r, wanted);
    for (size_t i = 0; i < r->count; i++) {
        const target *t = &r->targets[i];
        uint32_t before = 0;
        for (size_t stem = 0; stem < t->stem; stem++)
            before += wanted[stem];
        outputs[i] = (ap_split_output){t->path, before * channels, channels, 0, &t->encode};
    }
    return filter_write_split(&r->filter->command, s, &r->config->out, outputs, r->count, err);
}

/* One stem to one place is what any filter does. */
static bool write_one(const run *r, ap_stream *s, ap_error *err)
{
    output_config out = r->config->out;
    out.path = r->pattern ? r->targets[0].path : r->config->path;
    out.threads = r->threads;
    return filter_write(&r->filter->command, s, &out, NULL, err);
}

/* All stems to one file. */
static bool write_file(const run *r, ap_stream *s, const ap_stem_file_options *options, ap_error *err)
{
    const command *c = &r->filter->command;
    const common_config *common = &r->config->out.common;
    ap_stem_file_report report = {0};
    ap_encode_report said = {0};
    watcher w = {.command = c, .style = common->progress, .quiet = common->quiet};
    ap_stem_file_options o = *options;
    o.report = &report;
    o.keep_existing = common->no_clobber;
    s = filter_watch(&w, s, err);
    const bool ok = ap_encode_stem_file(s, r->targets[0].path, &o, err);
    progress_end(&w.progress, ok);
    said.clipped = report.clipped;
    said.peak = report.peak;
    if (ok && !common->quiet)
        output_report(c, NULL, 0, &said);
    return ok;
}

static bool find_names(run *r, ap_error *err)
{
    const stem_filter *f = r->filter;
    r->name_count = f->names(f->config, &r->config->out, r->names, &r->in_folder, err);
    return r->name_count;
}

static bool run_stems(run *r, ap_error *err)
{
    const stem_filter *f = r->filter;
    const common_config *common = &r->config->out.common;
    bool wanted[MAX_STEMS];
    r->reading = (watcher){.command = &f->command,
                           .doing = "reading",
                           .style = common->progress,
                           .quiet = common->quiet,
                           .mute = true};
    ap_stream *s = filter_open(common, r->input, NULL, err);
    if (!s)
        return false;
    if (!find_names(r, err) || !find_targets(r, err) || !make_all_folders(r, err) ||
        (f->begin && !f->begin(f->config, r->targets[0].path, err))) {
        ap_close(&s);
        return false;
    }
    ap_stem_file_options o;
    ap_stem_file_defaults(&o);
    wanted_stems(r, wanted);
    if (f->reads_first && f->reads_first(f->config))
        s = filter_watch(&r->reading, s, err);
    s = is_stem_file(r) ? f->build_file(s, f->config, &o, err) : f->build(s, f->config, wanted, err);
    if (!s)
        return false;
    const bool ok = is_stem_file(r)                    ? write_file(r, s, &o, err)
                    : r->config->stem && r->count == 1 ? write_one(r, s, err)
                                                       : write_all(r, s, err);
    if (ok && f->finish)
        f->finish(f->config);
    return ok;
}

/* ---- many inputs */

static run run_of(const run *all, const plan_item *item, unsigned threads)
{
    run r = *all;
    r.input = item->input;
    r.folder = item->folder;
    r.threads = threads;
    return r;
}

/* Before the first file: a stem, or a model, that does not exist is no fault of the files. */
static bool start(void *user, ap_error *err)
{
    run *all = user;
    size_t stem;
    return find_names(all, err) && (!all->config->stem || find_stem(all, all->config->stem, &stem, err));
}

static work_result work(void *user, const plan_item *item, unsigned threads, FILE *report, ap_error *err)
{
    run r = run_of(user, item, threads);
    (void)report;
    bool ok = run_stems(&r, err);
    free_run(&r, ok);
    return ok ? WORK_DONE : WORK_FAILED;
}

static bool is_made(void *user, const plan_item *item)
{
    run r = run_of(user, item, 0);
    ap_error err;
    bool ok = find_names(&r, &err) && find_targets(&r, &err) && r.count;
    for (size_t i = 0; ok && i < r.count; i++)
        ok = many_is_made(item->input, r.targets[i].path, NULL);
    free_run(&r, true);
    return ok;
}

/* It was ended after its outputs were there and before what was kept for --resume was gone. */
static void skip(void *user, const plan_item *item)
{
    run r = run_of(user, item, 0);
    const stem_filter *f = r.filter;
    ap_error err;
    if (f->begin && f->finish && find_names(&r, &err) && find_targets(&r, &err) && r.count &&
        f->begin(f->config, r.targets[0].path, &err))
        f->finish(f->config);
    free_run(&r, true);
}

static void check_many(const command *c, const stem_config *config, bool in_one)
{
    if (config->save_count)
        usage_error(c, "--save is for one input: name many files by -o and --filename");
    if (!config->path)
        usage_error(c, "several inputs: name a folder, -o DIR/, or a pattern, -o 'DIR/{name}-{stem}.{ext}'");
    if (config->pattern && (config->stem || naming_is_pattern(config->path)))
        usage_error(c, "--filename names the files in the folder of -o");
    if (naming_is_pattern(config->path) && !config->stem && !in_one && !strstr(config->path, "{stem}"))
        usage_error(c, "all stems would have one name: '%s' lacks {stem}", config->path);
}

static int run_many(run *all, char **inputs, int count)
{
    const stem_config *c = all->config;
    const command *about = &all->filter->command;
    const bool one = count == 1 && !c->many.recursive && !c->many.list;
    check_many(about, c, is_stem_file(all));
    const char *leaf = c->stem      ? "{name}.{ext}"
                       : c->pattern ? c->pattern
                       : one        ? "{stem}.{ext}"
                                    : "{track}/{stem}.{ext}";
    char *folder =
        naming_is_for_many(c->path) || (one && c->stem) ? strdup(c->path) : ap_print("%s/", c->path);
    char *pattern = folder ? naming_pattern(folder, leaf) : NULL;
    all->pattern = pattern;
    const many m = {.command = about,
                    .config = &c->many,
                    .common = &c->out.common,
                    .operands = inputs,
                    .count = (size_t)count,
                    .output = pattern,
                    .threads = c->out.threads,
                    .at_a_time = all->filter->jobs ? *all->filter->jobs : 0,
                    .rules = {.stem = "{stem}",
                              .format = c->out.format ? c->out.format : "wav",
                              .rule = output_rule(&c->out),
                              .groups = all->groups},
                    .start = start,
                    .work = work,
                    .is_made = is_made,
                    .skip = skip,
                    .user = all};
    ap_error err;
    filter_start();
    int status = pattern || ap_fail_memory(&err) ? many_run(&m) : filter_fail(about, &err);
    free(folder);
    free(pattern);
    return status;
}

/* Whether there are several inputs: a folder is where the stems of a single one go. */
static bool are_many(const stem_config *c, int operands)
{
    return many_wanted(&c->many, c->stem || (c->path && naming_is_pattern(c->path)) ? c->path : NULL,
                       operands);
}

/* ---- one */

/* Refuses audio on a terminal. */
static void check_standard_output(const command *c, const stem_config *config)
{
    if (config->stem)
        output_check_terminal(c, config->path);
    for (size_t i = 0; i < config->save_count; i++)
        if (is_dash(config->saves[i].path))
            output_check_terminal(c, NULL);
}

static void check_usage(const command *c, const stem_config *config)
{
    if (!config->stem && !config->path && !config->save_count)
        usage_error(c, "where to? Name a folder with -o, a stem with -s, or both with -S");
    if (config->pattern && (config->stem || !config->path))
        usage_error(c, "--filename names the files in the folder of -o");
    if (config->path && !config->stem && is_dash(config->path))
        usage_error(c, "standard output takes one stem: name it with -s");
    check_standard_output(c, config);
}

int stems_main(const stem_filter *f, int argc, char **argv)
{
    stem_config config = {0};
    const option_group groups[OPTION_GROUPS] = {{f->rows, f->config},
                                                {stem_rows, &config},
                                                {OUTPUT_ROWS_WITHOUT_PATH, &config.out},
                                                {common_rows, &config.out.common},
                                                {input_rows, &config.out.common},
                                                {many_rows, &config.many}};
    int operand = parse_options(&f->command, groups, argc, argv);
    run r = {.filter = f, .config = &config, .groups = groups};
    if (are_many(&config, argc - operand))
        return run_many(&r, argv + operand, argc - operand);
    r.threads = config.out.threads;
    if (filter_input(&f->command, argc, argv, operand))
        r.input = argv[operand];
    check_usage(&f->command, &config);
    ap_error err;
    bool ok = run_stems(&r, &err);
    free_run(&r, ok);
    for (size_t i = 0; i < config.save_count; i++)
        free(config.saves[i].stem);
    return ok ? AP_OK : filter_fail(&f->command, &err);
}
