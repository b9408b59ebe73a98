/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-separate - music to stems: vocals, drums, bass, other. */
#include "filter.h"
#include "progress.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_OUTPUTS (AP_MAX_CHANNELS / 2)

/* A stem and where it goes. */
typedef struct target {
    char stem[64];
    char *path; /* NULL: standard output */
} target;

typedef struct config {
    ap_separate_options separate;
    double segment_s, shifts;
    const char *stem, *two_stems, *filename;
    int other_method; /* index into "add|minus" */
    bool residual, list;
    target targets[MAX_OUTPUTS];
    size_t count;
} config;

static bool add_target(config *c, const char *stem, size_t size, const char *path, ap_error *err)
{
    const bool to_stdout = !path || strcmp(path, "-") == 0;
    target *t = &c->targets[c->count];
    *err = (ap_error){AP_USAGE, "too many stems"};
    if (c->count == MAX_OUTPUTS)
        return false;
    *err = (ap_error){AP_USAGE, "the name of a stem makes no sense"};
    if (size == 0 || size >= sizeof t->stem)
        return false;
    snprintf(t->stem, sizeof t->stem, "%.*s", (int)size, stem);
    t->path = to_stdout ? NULL : strdup(path);
    *err = (ap_error){AP_TRY_AGAIN, "out of memory"};
    c->count++;
    return to_stdout || t->path;
}

/* -S STEM=PATH */
static bool parse_target(void *cfg, const char *argument, ap_error *err)
{
    const char *path = strchr(argument, '=');
    if (path && path[1])
        return add_target(cfg, argument, (size_t)(path - argument), path + 1, err);
    *err = (ap_error){AP_USAGE, "it is not STEM=PATH"};
    return false;
}

#define AT(field) offsetof(config, field)

static const option_row rows[] = {
    {'n', "model", OPTION_TEXT, "NAME", AT(separate.model), "a model's name, signature or file"},
    {'s', "stem", OPTION_TEXT, "STEM", AT(stem), "write this stem only, to one file or standard output"},
    {'S', "send", OPTION_CALL, "STEM=PATH", 0, "write STEM to PATH; may be repeated", 0, 0, NULL,
     parse_target, false},
    {0, "two-stems", OPTION_TEXT, "STEM", AT(two_stems), "write STEM and no_STEM, all that is not STEM"},
    {0, "other-method", OPTION_CHOICE, NULL, AT(other_method),
     "no_STEM is the sum of the other stems, or the mix without STEM", 0, 0, "add|minus", NULL, false},
    {0, "residual", OPTION_ON, NULL, AT(residual), "add what no stem got to 'other'"},
    {0, "filename", OPTION_TEXT, "TEMPLATE", AT(filename), "names in the folder"},
    {0, "overlap", OPTION_NUMBER, "SHARE", AT(separate.overlap), "overlap of the segments", 0, 0.95},
    {0, "segment", OPTION_NUMBER, "SECONDS", AT(separate.segment_s),
     "length of the segments; 0 = the model's", 0, 600},
    {0, "shifts", OPTION_COUNT, "N", AT(separate.shifts), "average over N random shifts", 0, 100},
    {0, "seed", OPTION_SEED, "N", AT(separate.seed), "seed of the shifts"},
    {0, "device", OPTION_TEXT, "DEVICE", AT(separate.device), "auto, cpu or cuda"},
    {0, "list-models", OPTION_ON, NULL, AT(list), "show the models, and which files they need"},
    {0},
};

typedef struct job {
    const command *command;
    config *config;
    const output_config *out;
    const char *input;
    atomic_bool stop; /* an output failed: so shall the others */
} job;

static bool fail(ap_error *err, ap_status code, const char *format, const char *a, const char *b)
{
    err->code = code;
    snprintf(err->message, sizeof err->message, format, a, b);
    return false;
}

/* ---- which stems */

/* The index of a stem, -1 if the model has none of that name. */
static int find_stem(const ap_separator *p, const char *name)
{
    for (size_t i = 0; i < ap_separator_stems(p); i++)
        if (strcmp(ap_separator_stem(p, i), name) == 0)
            return (int)i;
    return -1;
}

static bool unknown_stem(const ap_separator *p, const char *name, ap_error *err)
{
    char all[256] = "";
    for (size_t i = 0; i < ap_separator_stems(p); i++) {
        size_t n = strlen(all);
        snprintf(all + n, sizeof all - n, "%s%s", i ? " " : "", ap_separator_stem(p, i));
    }
    return fail(err, AP_USAGE, "this model has no stem '%s', it has: %s", name, all);
}

/* no_STEM: all others, or the mix without it. */
static void set_rest(const ap_separator *p, const config *c, int stem, ap_stem_mix *mix)
{
    const bool minus = c->other_method == 1;
    mix->mix = minus;
    for (size_t i = 0; i < ap_separator_stems(p); i++)
        mix->stems[i] = (int)i == stem ? -minus : !minus;
}

static bool set_mix(const ap_separator *p, const config *c, const char *name, ap_stem_mix *mix, ap_error *err)
{
    const int stem = find_stem(p, name), rest = strncmp(name, "no_", 3) == 0 ? find_stem(p, name + 3) : -1;
    *mix = (ap_stem_mix){0};
    if (stem < 0 && rest < 0)
        return unknown_stem(p, name, err);
    if (stem < 0)
        set_rest(p, c, rest, mix);
    else if (c->residual && strcmp(name, "other") == 0) {
        mix->mix = 1;
        for (size_t i = 0; i < ap_separator_stems(p); i++)
            mix->stems[i] = (int)i == stem ? 0 : -1;
    } else
        mix->stems[stem] = 1;
    return true;
}

/* ---- where to */

/* The name of the input without folder and extension, or its extension. */
static void track_part(const job *j, bool extension, char *out, size_t size)
{
    const char *slash = strrchr(j->input ? j->input : "", '/');
    const char *name = slash ? slash + 1 : j->input && strcmp(j->input, "-") != 0 ? j->input : "stdin";
    const char *dot = strrchr(name, '.');
    if (extension)
        snprintf(out, size, "%s", dot && dot != name ? dot + 1 : "");
    else
        snprintf(out, size, "%.*s", dot && dot != name ? (int)(dot - name) : (int)strlen(name), name);
}

/* Replaces {track}, {trackext}, {stem} and {ext}. false: another word in braces. */
static bool fill_template(const job *j, const char *stem, char *out, size_t size)
{
    const char *ext = j->out->format ? j->out->format : "wav";
    char track[256], trackext[256];
    const char *const words[][2] = {
        {"{track}", track}, {"{trackext}", trackext}, {"{stem}", stem}, {"{ext}", ext}};
    track_part(j, false, track, sizeof track);
    track_part(j, true, trackext, sizeof trackext);
    size_t n = (size_t)snprintf(out, size, "%s/", j->out->path);
    for (const char *p = j->config->filename; *p && n + 256 < size;) {
        const char *value = NULL;
        for (size_t i = 0; *p == '{' && !value && i < sizeof words / sizeof *words; i++)
            if (strncmp(p, words[i][0], strlen(words[i][0])) == 0) {
                value = words[i][1];
                p += strlen(words[i][0]);
            }
        if (!value && *p == '{')
            return false;
        n += value ? (size_t)snprintf(out + n, size - n, "%s", value) : 1;
        if (!value)
            out[n - 1] = *p++;
    }
    out[n] = 0;
    return n + 256 < size;
}

/* Makes the folders of a path, as mkdir -p. */
static bool make_folders(char *path, ap_error *err)
{
    for (char *p = path + 1; (p = strchr(p, '/')); p++) {
        *p = 0;
        bool ok = mkdir(path, 0777) == 0 || errno == EEXIST;
        if (!ok)
            fail(err, AP_FAILED, "cannot create '%.400s': %s", path, strerror(errno));
        *p = '/';
        if (!ok)
            return false;
    }
    return true;
}

static bool add_file(const job *j, const char *stem, ap_error *err)
{
    char path[4096];
    if (!fill_template(j, stem, path, sizeof path))
        return fail(err, AP_USAGE, "file name '%s' is too long or has something else in braces than %s",
                    j->config->filename, "track, trackext, stem, ext");
    return make_folders(path, err) && add_target(j->config, stem, strlen(stem), path, err);
}

/* Turns -s, --two-stems and -o into targets. */
static bool choose_targets(const job *j, const ap_separator *p, ap_error *err)
{
    config *c = j->config;
    char rest[64];
    if (c->count)
        return true;
    if (c->stem)
        return add_target(c, c->stem, strlen(c->stem), j->out->path, err);
    if (c->two_stems) {
        snprintf(rest, sizeof rest, "no_%s", c->two_stems);
        return add_file(j, c->two_stems, err) && add_file(j, rest, err);
    }
    for (size_t i = 0; i < ap_separator_stems(p); i++)
        if (!add_file(j, ap_separator_stem(p, i), err))
            return false;
    return true;
}

/* Before any work: that everything can be written. */
static bool check_targets(const job *j, ap_error *err)
{
    size_t to_stdout = 0;
    for (size_t i = 0; i < j->config->count; i++) {
        ap_encode_options encode;
        const char *path = j->config->targets[i].path;
        filter_encode_options(j->out, &encode);
        if (path && !ap_encode_check(path, &encode, err))
            return false;
        to_stdout += !path;
    }
    return to_stdout <= 1 || fail(err, AP_USAGE, "only one stem can go to standard output%s%s", "", "");
}

/* ---- writing */

typedef struct writer {
    job *job;
    ap_stream *stream;
    output_config out;
    ap_error err;
    bool ok, started;
    pthread_t thread;
} writer;

static void *write_stem(void *user)
{
    writer *w = user;
    w->ok = filter_write(w->job->command, w->stream, &w->out, NULL, &w->err);
    if (!w->ok)
        w->job->stop = true;
    return NULL;
}

static bool go_on(void *user, ap_stream *s, const float *frames, size_t count, ap_error *err)
{
    (void)s;
    (void)frames;
    (void)count;
    const job *j = user;
    return !j->stop || fail(err, AP_FAILED, "another stem failed%s%s", "", "");
}

/* Writes all streams at once. The first one shows the progress, and takes standard output. */
static bool write_all(job *j, ap_stream **streams, ap_error *err)
{
    writer writers[MAX_OUTPUTS] = {0};
    const size_t count = j->config->count;
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        writers[i] = (writer){.job = j, .stream = streams[i], .out = *j->out, .err = {0}};
        writers[i].out.path = j->config->targets[i].path;
        if (i > 0)
            writers[i].out.progress = PROGRESS_NONE;
    }
    for (size_t i = 1; i < count; i++) {
        writers[i].started = pthread_create(&writers[i].thread, NULL, write_stem, &writers[i]) == 0;
        if (!writers[i].started) {
            ap_close(&writers[i].stream);
            j->stop = true;
            writers[i].err = (ap_error){AP_TRY_AGAIN, "cannot start a thread"};
        }
    }
    write_stem(&writers[0]);
    for (size_t i = 0; i < count; i++) {
        if (writers[i].started)
            pthread_join(writers[i].thread, NULL);
        const bool cause = !writers[i].ok && !strstr(writers[i].err.message, "another stem failed");
        if (!writers[i].ok && (ok || cause))
            *err = writers[i].err;
        ok = ok && writers[i].ok;
    }
    return ok;
}

static bool separate(job *j, ap_separator *p, ap_error *err)
{
    ap_stem_mix mixes[MAX_OUTPUTS];
    ap_stream *streams[MAX_OUTPUTS];
    config *c = j->config;
    for (size_t i = 0; i < c->count; i++) {
        if (!set_mix(p, c, c->targets[i].stem, &mixes[i], err))
            return false;
        if (!c->targets[i].path && i > 0) { /* standard output is the first writer's */
            target t = c->targets[0];
            ap_stem_mix m = mixes[0];
            c->targets[0] = c->targets[i];
            c->targets[i] = t;
            mixes[0] = mixes[i];
            mixes[i] = m;
        }
    }
    ap_stream *s = ap_separate(filter_open(j->input, NULL, err), p, mixes, c->count, err);
    s = ap_tap(s, go_on, j, err);
    return ap_fan_out(s, streams, c->count, err) && write_all(j, streams, err);
}

static bool run(job *j, ap_error *err)
{
    j->config->separate.threads = j->out->threads;
    ap_separator *p = ap_separator_open(&j->config->separate, err);
    bool ok = p && choose_targets(j, p, err) && check_targets(j, err) && separate(j, p, err);
    ap_separator_close(&p);
    for (size_t i = 0; i < j->config->count; i++)
        free(j->config->targets[i].path);
    return ok;
}

/* ---- */

static void print_model(void *user, const char *name, const char *description, const char *missing)
{
    (void)user;
    printf("%s\t%s\t%s%s\n", name, *missing ? "missing" : "ready", description, "");
    if (*missing)
        printf("\t\tneeds %s: ap-fetch-model %s\n", missing, name);
}

static int list_models(const command *c)
{
    ap_error err;
    if (!ap_models_list(print_model, NULL, &err))
        return filter_fail(c, &err);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return AP_OK;
    complain(c, "cannot write the list");
    return AP_FAILED;
}

static void check_usage(const command *c, const config *cfg, const output_config *out)
{
    const bool folder = out->path && strcmp(out->path, "-") != 0;
    if ((cfg->stem != NULL) + (cfg->two_stems != NULL) + (cfg->count > 0) > 1)
        usage_error(c, "--stem, --two-stems and --send exclude each other");
    if (cfg->count && out->path)
        usage_error(c, "with --send there is no --output");
    if (!cfg->stem && !cfg->count && !folder)
        usage_error(c, "name a folder with -o, one stem with -s, or stems and files with -S");
    if (cfg->stem)
        filter_check_output(c, out);
    for (size_t i = 0; i < cfg->count; i++)
        if (!cfg->targets[i].path)
            filter_check_output(c, out);
}

int main(int argc, char **argv)
{
    static const command about = {"ap-separate", "[INPUT]",
                                  "Separates music into stems: vocals, drums, bass and the rest."};
    static config c = {.filename = "{stem}.{ext}"};
    output_config out = OUTPUT_DEFAULTS;
    const option_group groups[OPTION_GROUPS] = {{rows, &c}, {output_rows, &out}};
    ap_separate_defaults(&c.separate);
    int operand = parse_options(&about, groups, argc, argv);
    if (c.list)
        return list_models(&about);
    if (operand + 1 < argc)
        usage_error(&about, "one input at a time: '%s' is one too many", argv[operand + 1]);
    check_usage(&about, &c, &out);
    job j = {.command = &about, .config = &c, .out = &out, .input = operand < argc ? argv[operand] : NULL};
    filter_start(&about);
    if (!j.input && isatty(STDIN_FILENO))
        usage_error(&about, "no input: name a file, or pipe audio in");
    ap_error err;
    return run(&j, &err) ? AP_OK : filter_fail(&about, &err);
}
