/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-normalize - a constant gain that brings audio to a loudness, a peak or an RMS level. */
#include "base/error.h"
#include "base/net.h"
#include "base/path.h"
#include "base/text.h"
#include "front/filter.h"
#include "front/many.h"
#include "front/naming.h"
#include "front/text.h"
#include "normalize/film.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct config {
    double lufs, peak, rms, ceiling; /* NAN: not given */
    bool album, dry_run, video;
    ap_normalize_options normalize;
} config;

#define AT(field) offsetof(config, field)

static const option_row rows[] = {
    ROW_NUMBER('l', "lufs", "LUFS", AT(lufs), -70, 0, "integrated loudness to reach; -14 if nothing is said",
               .no_default = true),
    ROW_NUMBER('p', "peak", "DBTP", AT(peak), -100, 0, "true peak to reach instead", .no_default = true),
    ROW_NUMBER(0, "rms", "DBFS", AT(rms), -100, 0, "RMS level to reach instead", .no_default = true),
    ROW_NUMBER('c', "ceiling", "DBTP", AT(ceiling), -60, 0,
               "no gain lifts the true peak above this; default -1", .no_default = true),
    ROW_ON(0, "limit", AT(normalize.limit), "reach the target all the same, through the limiter"),
    ROW_OFF(0, "no-true-peak", AT(normalize.true_peak), "look at sample values only"),
    ROW_ON(0, "lower-only", AT(normalize.lower_only), "never raise the level"),
    ROW_ON(0, "dual-mono", AT(normalize.dual_mono), "measure mono as the same on two speakers: 3 LU louder"),
    ROW_ON('a', "album", AT(album), "one gain for all inputs; -o is a folder"),
    ROW_ON(0, "video", AT(video),
           "inputs are films: replace their sound, copy the rest; -o is mp4, mov, mkv or webm"),
    ROW_ON('n', "dry-run", AT(dry_run), "say what would be done, write nothing"),
    {0},
};

/* What is asked for, on what. */
typedef struct job {
    const command *command;
    const config *config;
    const output_config *out;
    char **inputs;
    size_t count;
    watcher measured;
    made_folders made;
} job;

static ap_stream *open_input(void *user, size_t index, ap_error *err)
{
    const job *j = user;
    return filter_open(&j->out->common, j->inputs[index], NULL, err);
}

/* The same for the pass that measures, which shows a bar, and leaves the warnings to the one that writes. */
static ap_stream *open_measured(void *user, size_t index, ap_error *err)
{
    job *j = user;
    const common_config *common = &j->out->common;
    j->measured = (watcher){.command = j->command,
                            .doing = "measuring",
                            .style = common->progress,
                            .mute = true,
                            .quiet = common->quiet};
    return filter_watch(&j->measured, open_input(j, index, err), err);
}

static bool make_plan(job *j, ap_normalization *planned, ap_error *err)
{
    bool ok = ap_normalize_plan(open_measured, j, j->count, &j->config->normalize, planned, err);
    progress_hide();
    return ok;
}

static bool is_file(const char *path)
{
    struct stat st;
    return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static void print_plan_names(FILE *out)
{
    fprintf(out, "file\tgain_db\tbefore\tafter\tunit\ttrue_peak_dbtp\tnote\n");
}

static void print_plan(FILE *out, const char *name, const ap_normalization *planned)
{
    static const char *const units[] = {"LUFS", "dBTP", "dBFS"};
    const char *note = planned->silent    ? "silent"
                       : planned->held    ? "ceiling"
                       : planned->limited ? "limiter"
                                          : "";
    print_name(out, name);
    fprintf(out, "\t%.2f\t%.2f\t%.2f\t%s\t%.2f\t%s\n", planned->gain_db, planned->before, planned->after,
            units[planned->options.unit], planned->measured.true_peak_dbtp, note);
}

/* ---- one input */

/* A file is read once for every pass, anything else goes through a temporary file. */
static ap_stream *normalize(job *j, ap_normalization *planned, ap_error *err)
{
    const ap_normalize_options *o = &j->config->normalize;
    if (is_file(j->inputs[0]))
        return make_plan(j, planned, err) ? ap_normalize_apply(open_input(j, 0, err), planned, err) : NULL;
    ap_stream *s = ap_normalize(open_measured(j, 0, err), o, planned, err);
    progress_hide();
    return s;
}

static film_work film_of(const job *j)
{
    return (film_work){.command = j->command, .normalize = &j->config->normalize, .out = j->out};
}

static bool run_film(job *j, ap_error *err)
{
    const film_work w = film_of(j);
    const sources in = {j->inputs, j->count, NULL};
    return film_check(&w, j->out->path, err) && target_check(j->out->path, &in, output_rule(j->out), err) &&
           target_make_folders(&j->made, j->out->path, err) && film_normalize(&w, j->inputs[0], err);
}

static bool run_one(job *j, ap_error *err)
{
    ap_normalization planned;
    ap_encode_options encode;
    output_encode_options(j->out, &encode);
    const sources in = {j->inputs, j->count, NULL};
    if (!j->config->dry_run &&
        ((!is_standard(j->out->path) && !ap_encode_check(j->out->path, &encode, err)) ||
         !target_check(j->out->path, &in, output_rule(j->out), err) ||
         !target_make_folders(&j->made, j->out->path, err)))
        return false;
    ap_stream *s = normalize(j, &planned, err);
    if (!s || !j->config->dry_run)
        return filter_write(j->command, s, j->out, NULL, err);
    ap_close(&s);
    print_plan_names(stdout);
    print_plan(stdout, j->inputs[0], &planned);
    return finish_stdout(err);
}

/* ---- many inputs, each by its own gain */

static work_result work(void *user, const plan_item *item, unsigned threads, FILE *report, ap_error *err)
{
    job j = *(const job *)user;
    char *input = item->input;
    output_config out = *j.out;
    ap_normalization planned;
    const sources in = {&input, 1, NULL};
    out.path = item->output;
    out.threads = threads;
    j.out = &out;
    j.inputs = &input;
    j.count = 1;
    if (!report && !target_check(out.path, &in, output_rule(&out), err))
        return WORK_FAILED;
    if (j.config->video) {
        const film_work w = film_of(&j);
        return film_normalize(&w, input, err) ? WORK_DONE : WORK_FAILED;
    }
    ap_stream *s = normalize(&j, &planned, err);
    bool ok = s && (report || filter_write(j.command, s, &out, NULL, err));
    if (ok && report) {
        ap_close(&s);
        print_plan(report, input, &planned);
    }
    return ok ? WORK_DONE : WORK_FAILED;
}

static bool check_format(void *user, const char *output, ap_error *err)
{
    const job *j = user;
    ap_encode_options encode;
    output_encode_options(j->out, &encode);
    const film_work w = film_of(j);
    if (j->config->video)
        return film_check(&w, output, err);
    return ap_encode_check(output, &encode, err);
}

static bool take_report(void *user, const char *input, const ap_error *why, const char *report, size_t size,
                        ap_error *err)
{
    (void)user, (void)input, (void)why;
    fwrite(report, 1, size, stdout);
    return flush_stdout(err);
}

static int run_many(job *j, const many_config *files, const option_group *groups)
{
    const bool dry = j->config->dry_run;
    const char *output = j->out->path ? j->out->path : "-";
    const many m = {.command = j->command,
                    .config = files,
                    .common = &j->out->common,
                    .operands = j->inputs,
                    .count = j->count,
                    .output = dry ? NULL : output,
                    .threads = j->out->threads,
                    .films = j->config->video,
                    .rules = {.format = j->out->format,
                              .fallback = j->config->video ? NULL : "wav",
                              .rule = output_rule(j->out),
                              .groups = groups,
                              .check = check_format,
                              .user = j},
                    .work = work,
                    .report = dry ? take_report : NULL,
                    .user = j};
    if (dry)
        print_plan_names(stdout);
    return many_run(&m);
}

/* ---- an album */

/* DIR/NAME.EXT for an input, malloc'ed: the extension is the format's, or the input's. */
static char *output_name(const output_config *out, const char *input)
{
    char *leaf = ap_net_leaf(input), *name = leaf;
    if (leaf && out->format)
        name = ap_print("%.*s.%s", ap_stem_length(leaf), leaf, out->format);
    char *path = name ? naming_below(out->path, name) : NULL;
    if (name != leaf)
        free(name);
    free(leaf);
    return path;
}

/* Checks, before any work, that the output can be written, and replaces no input and no other output. */
static bool check_output(const job *j, char **outputs, size_t i, ap_error *err)
{
    ap_encode_options encode;
    output_encode_options(j->out, &encode);
    if (!ap_encode_check(outputs[i], &encode, err))
        return false;
    for (size_t k = 0; k < i; k++)
        if (strcmp(outputs[i], outputs[k]) == 0)
            return ap_fail(err, AP_USAGE, "two inputs would become '%s'", outputs[i]);
    /* Not with --force either: after a failure, a second run on the album would find half of it done. */
    return target_check(outputs[i], &(sources){j->inputs, j->count, NULL}, report_rule(&j->out->common), err);
}

static bool name_outputs(const job *j, char **outputs, ap_error *err)
{
    for (size_t i = 0; i < j->count; i++) {
        outputs[i] = output_name(j->out, j->inputs[i]);
        if (!outputs[i])
            return ap_fail_memory(err);
        if (!check_output(j, outputs, i, err))
            return false;
    }
    return true;
}

static bool write_album(job *j, char **outputs, const ap_normalization *planned, ap_error *err)
{
    for (size_t i = 0; i < j->count; i++) {
        output_config out = *j->out;
        out.path = outputs[i];
        ap_stream *s = ap_normalize_apply(open_input(j, i, err), planned, err);
        if (!filter_write(j->command, s, &out, NULL, err))
            return false;
    }
    return true;
}

static bool check_album(const job *j, ap_error *err)
{
    for (size_t i = 0; i < j->count; i++)
        if (!is_file(j->inputs[i]) && access(j->inputs[i], F_OK) == 0)
            return ap_fail(err, AP_USAGE, "'%s' is not a file: an album is read more than once",
                           j->inputs[i]);
    return true;
}

static bool run_named_album(job *j, char **outputs, ap_error *err)
{
    ap_normalization planned;
    bool dry = j->config->dry_run;
    bool ok = check_album(j, err) && (dry || name_outputs(j, outputs, err)) &&
              (dry || target_make_folders(&j->made, outputs[0], err)) && make_plan(j, &planned, err);
    if (ok && dry) {
        print_plan_names(stdout);
        print_plan(stdout, "(album)", &planned);
        return finish_stdout(err);
    }
    if (ok && planned.warning[0] && !j->out->common.quiet)
        complain(j->command, "warning: the album is %s", planned.warning);
    return ok && write_album(j, outputs, &planned, err);
}

static bool run_album(job *j, ap_error *err)
{
    char **outputs = calloc(j->count, sizeof *outputs);
    bool ok = outputs ? run_named_album(j, outputs, err) : ap_fail_memory(err);
    for (size_t i = 0; outputs && i < j->count; i++)
        free(outputs[i]);
    free(outputs);
    return ok;
}

/* ---- the command */

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

static void check_video(const command *c, const job *j)
{
    const config *cfg = j->config;
    if (cfg->album || cfg->dry_run)
        usage_error(c, "--video and --%s exclude each other", cfg->album ? "album" : "dry-run");
    if (j->out->bits || j->out->common.raw)
        usage_error(c, "--%s is of sound alone, not of --video", j->out->bits ? "bits" : "raw");
}

static void check_operands(const command *c, const job *j)
{
    if (j->config->album && j->count == 0)
        usage_error(c, "no input: name the files of the album");
    if (j->config->album && !j->config->dry_run && is_standard(j->out->path))
        usage_error(c, "--album needs a folder: name one with -o");
    if (j->count == 0 && isatty(STDIN_FILENO))
        usage_error(c, "no input: name a file, or pipe audio in");
    if (!j->config->album && !j->config->dry_run)
        output_check_terminal(c, j->out->path);
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
    output_config out = {0};
    many_config many_files = {0};
    const option_group groups[OPTION_GROUPS] = {{rows, &c},
                                                {output_rows, &out},
                                                {common_rows, &out.common},
                                                {input_rows, &out.common},
                                                {many_rows, &many_files}};
    int operand = parse_options(&about, groups, argc, argv);
    job j = {.command = &about,
             .config = &c,
             .out = &out,
             .inputs = argv + operand,
             .count = (size_t)(argc - operand)};
    choose_target(&about, &c);
    filter_start();
    if (c.album && (many_files.recursive || many_files.list || many_files.skip_existing))
        usage_error(&about, "--album takes all of its files by name, and makes all of them");
    if (c.video)
        check_video(&about, &j);
    if (!c.album && many_wanted(&many_files, c.dry_run ? NULL : out.path, (int)j.count))
        return run_many(&j, &many_files, groups);
    if (c.video && (j.count == 0 || is_standard(j.inputs[0]) || is_standard(out.path)))
        usage_error(&about, "films are files: name one, and another one with -o");
    check_operands(&about, &j);
    if (j.count == 0) {
        j.inputs = only;
        j.count = 1;
    }
    ap_error err;
    bool ok = c.video ? run_film(&j, &err) : c.album ? run_album(&j, &err) : run_one(&j, &err);
    target_end(&j.made, ok);
    return ok ? AP_OK : filter_fail(&about, &err);
}
