/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-normalize - a constant gain that brings audio to a loudness, a peak or an RMS level. */
#include "front/filter.h"
#include "front/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct config {
    double lufs, peak, rms, ceiling; /* NAN: not given */
    bool album, dry_run;
    ap_normalize_options normalize;
} config;

#define AT(field) offsetof(config, field)

static const option_row rows[] = {
    {'l', "lufs", OPTION_NUMBER, "LUFS", AT(lufs), "integrated loudness to reach; -14 if nothing is said",
     -70, 0, NULL, NULL, true},
    {'p', "peak", OPTION_NUMBER, "DBTP", AT(peak), "true peak to reach instead", -100, 0, NULL, NULL, true},
    {0, "rms", OPTION_NUMBER, "DBFS", AT(rms), "RMS level to reach instead", -100, 0, NULL, NULL, true},
    {'c', "ceiling", OPTION_NUMBER, "DBTP", AT(ceiling), "no gain lifts the true peak above this; default -1",
     -60, 0, NULL, NULL, true},
    {0, "limit", OPTION_ON, NULL, AT(normalize.limit), "reach the target all the same, through the limiter"},
    {0, "no-true-peak", OPTION_OFF, NULL, AT(normalize.true_peak), "look at sample values only"},
    {0, "lower-only", OPTION_ON, NULL, AT(normalize.lower_only), "never raise the level"},
    {'a', "album", OPTION_ON, NULL, AT(album), "one gain for all inputs; -o is a folder"},
    {'n', "dry-run", OPTION_ON, NULL, AT(dry_run), "say what would be done, write nothing"},
    {0},
};

/* What is asked for, on what. */
typedef struct job {
    const command *command;
    const config *config;
    const output_config *out;
    char **inputs;
    size_t count;
} job;

static ap_stream *open_input(void *user, size_t index, ap_error *err)
{
    const job *j = user;
    return filter_open(j->inputs[index], NULL, err);
}

static bool is_file(const char *path)
{
    struct stat st;
    return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool fail(ap_error *err, ap_status code, const char *format, const char *a, const char *b)
{
    err->code = code;
    snprintf(err->message, sizeof err->message, format, a, b);
    return false;
}

static void print_plan(const char *name, const ap_normalization *plan)
{
    static const char *const units[] = {"LUFS", "dBTP", "dBFS"};
    const char *note = plan->silent ? "silent" : plan->held ? "ceiling" : plan->limited ? "limiter" : "";
    printf("file\tgain_db\tbefore\tafter\tunit\ttrue_peak_dbtp\tnote\n");
    print_tsv(stdout, name);
    printf("\t%.2f\t%.2f\t%.2f\t%s\t%.2f\t%s\n", plan->gain_db, plan->before, plan->after,
           units[plan->options.unit], plan->measured.true_peak_dbtp, note);
}

static bool flush_plan(ap_error *err)
{
    return (fflush(stdout) == 0 && !ferror(stdout)) ||
           fail(err, AP_FAILED, "cannot write the report", "", "");
}

/* ---- one input */

/* A file is read once for every pass, anything else goes through a temporary file. */
static ap_stream *normalize(job *j, ap_normalization *plan, ap_error *err)
{
    const ap_normalize_options *o = &j->config->normalize;
    if (!is_file(j->inputs[0]))
        return ap_normalize(open_input(j, 0, err), o, plan, err);
    if (!ap_normalize_plan(open_input, j, 1, o, plan, err))
        return NULL;
    return ap_normalize_apply(open_input(j, 0, err), plan, err);
}

static bool run_one(job *j, ap_error *err)
{
    ap_normalization plan;
    ap_encode_options encode;
    filter_encode_options(j->out, &encode);
    bool named = j->out->path && strcmp(j->out->path, "-") != 0;
    if (!j->config->dry_run && named && !ap_encode_check(j->out->path, &encode, err))
        return false;
    ap_stream *s = normalize(j, &plan, err);
    if (!s || !j->config->dry_run)
        return filter_write(j->command, s, j->out, NULL, err);
    ap_close(&s);
    print_plan(j->inputs[0], &plan);
    return flush_plan(err);
}

/* ---- an album */

/* DIR/NAME.EXT for an input, malloc'ed: the extension is the format's, or the input's. */
static char *output_name(const output_config *out, const char *input)
{
    const char *slash = strrchr(input, '/'), *name = slash ? slash + 1 : input, *dot = strrchr(name, '.');
    int stem = dot && dot != name && out->format ? (int)(dot - name) : (int)strlen(name);
    char *path = NULL;
    if (asprintf(&path, "%s/%.*s%s%s", out->path, stem, name, out->format ? "." : "",
                 out->format ? out->format : "") < 0)
        return NULL;
    return path;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat one, other;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

/* Before any work: that the output can be written, and replaces no input and no other output. */
static bool check_output(const job *j, char **outputs, size_t i, ap_error *err)
{
    ap_encode_options encode;
    filter_encode_options(j->out, &encode);
    if (!ap_encode_check(outputs[i], &encode, err))
        return false;
    for (size_t k = 0; k < j->count; k++) {
        if (k < i && strcmp(outputs[i], outputs[k]) == 0)
            return fail(err, AP_USAGE, "two inputs would become '%s'%s", outputs[i], "");
        if (is_same_file(outputs[i], j->inputs[k]))
            return fail(err, AP_USAGE, "'%s' would replace the input '%s'", outputs[i], j->inputs[k]);
    }
    return true;
}

static bool name_outputs(const job *j, char **outputs, ap_error *err)
{
    for (size_t i = 0; i < j->count; i++) {
        outputs[i] = output_name(j->out, j->inputs[i]);
        if (!outputs[i])
            return fail(err, AP_TRY_AGAIN, "out of memory%s%s", "", "");
        if (!check_output(j, outputs, i, err))
            return false;
    }
    return true;
}

static bool write_album(job *j, char **outputs, const ap_normalization *plan, ap_error *err)
{
    if (mkdir(j->out->path, 0777) != 0 && errno != EEXIST)
        return fail(err, AP_FAILED, "cannot create '%s': %s", j->out->path, strerror(errno));
    for (size_t i = 0; i < j->count; i++) {
        output_config out = *j->out;
        out.path = outputs[i];
        ap_stream *s = ap_normalize_apply(open_input(j, i, err), plan, err);
        if (!filter_write(j->command, s, &out, NULL, err))
            return false;
    }
    return true;
}

static bool run_album(job *j, ap_error *err)
{
    ap_normalization plan;
    char **outputs = calloc(j->count, sizeof *outputs);
    bool ok = outputs || fail(err, AP_TRY_AGAIN, "out of memory%s%s", "", "");
    for (size_t i = 0; ok && i < j->count; i++)
        if (!is_file(j->inputs[i]) && access(j->inputs[i], F_OK) == 0)
            ok = fail(err, AP_USAGE, "'%s' is not a file: an album is read more than once%s", j->inputs[i],
                      "");
    ok = ok && (j->config->dry_run || name_outputs(j, outputs, err)) &&
         ap_normalize_plan(open_input, j, j->count, &j->config->normalize, &plan, err);
    if (ok && j->config->dry_run) {
        print_plan("(album)", &plan);
        ok = flush_plan(err);
    } else if (ok) {
        if (plan.warning[0] && !j->out->quiet)
            complain(j->command, "warning: the album is %s", plan.warning);
        ok = write_album(j, outputs, &plan, err);
    }
    for (size_t i = 0; outputs && i < j->count; i++)
        free(outputs[i]);
    free(outputs);
    return ok;
}

/* ---- */

static void choose_target(const command *c, config *cfg)
{
    ap_normalize_options *o = &cfg->normalize;
    bool peak = !isnan(cfg->peak), rms = !isnan(cfg->rms);
    if (peak + rms + !isnan(cfg->lufs) > 1)
        usage_error(c, "--lufs, --peak and --rms exclude each other");
    if (peak && (!isnan(cfg->ceiling) || o->limit))
        usage_error(c, "with --peak there is no %s", o->limit ? "--limit" : "--ceiling");
    if (!isnan(cfg->lufs))
        o->target = cfg->lufs;
    if (!isnan(cfg->ceiling))
        o->ceiling_dbtp = cfg->ceiling;
    if (peak || rms) {
        o->unit = peak ? AP_NORMALIZE_PEAK : AP_NORMALIZE_RMS;
        o->target = peak ? cfg->peak : cfg->rms;
    }
}

static void check_operands(const command *c, const job *j)
{
    bool to_stdout = !j->out->path || strcmp(j->out->path, "-") == 0;
    if (!j->config->album && j->count > 1)
        usage_error(c, "one input at a time, or --album: '%s' is one too many", j->inputs[1]);
    if (j->config->album && j->count == 0)
        usage_error(c, "no input: name the files of the album");
    if (j->config->album && !j->config->dry_run && to_stdout)
        usage_error(c, "--album needs a folder: name one with -o");
    if (j->count == 0 && isatty(STDIN_FILENO))
        usage_error(c, "no input: name a file, or pipe audio in");
    if (!j->config->album && !j->config->dry_run)
        filter_check_output(c, j->out);
}

int main(int argc, char **argv)
{
    static const command about = {
        "ap-normalize", "[INPUT]...",
        "Brings audio to a loudness, a peak or an RMS level, by one gain from beginning to end."};
    static char standard_input[] = "-";
    char *only[] = {standard_input};
    config c = {.lufs = NAN, .peak = NAN, .rms = NAN, .ceiling = NAN};
    ap_normalize_defaults(&c.normalize);
    output_config out = OUTPUT_DEFAULTS;
    const option_group groups[OPTION_GROUPS] = {{rows, &c}, {output_rows, &out}};
    int operand = parse_options(&about, groups, argc, argv);
    job j = {&about, &c, &out, argv + operand, (size_t)(argc - operand)};
    choose_target(&about, &c);
    filter_start();
    check_operands(&about, &j);
    if (j.count == 0) {
        j.inputs = only;
        j.count = 1;
    }
    ap_error err;
    return (c.album ? run_album(&j, &err) : run_one(&j, &err)) ? AP_OK : filter_fail(&about, &err);
}
