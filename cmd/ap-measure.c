/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-measure - loudness, peaks, levels, silence and length of audio files. */
#include "base/error.h"
#include "base/output.h"
#include "front/filter.h"
#include "front/gains.h"
#include "front/many.h"
#include "front/naming.h"
#include "front/text.h"
#include "stages/measure.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct config {
    bool tsv, json, replaygain, album, tee, write_gain, regain, keep_time;
    const char *report; /* NULL: standard output, or standard error with tee */
    ap_meter_options meter;
    common_config common;
    many_config many;
} config;

#define AT(field) offsetof(config, field)

static const option_row rows[] = {
    ROW_ON(0, "tsv", AT(tsv), "one line for each file, with tabs, below a line of names"),
    ROW_ON(0, "json", AT(json), "one JSON object"),
    ROW_ON(0, "replaygain", AT(replaygain), "ReplayGain 2.0 tags, as KEY=VALUE"),
    ROW_ON(0, "write-gain", AT(write_gain), "write the gain into the files as tags; skip what has them"),
    ROW_ON(0, "regain", AT(regain), "the same, also where there are such tags"),
    ROW_ON(0, "keep-time", AT(keep_time), "files that are written to keep their time of modification"),
    ROW_ON(0, "dual-mono", AT(meter.dual_mono), "measure mono as the same on two speakers: 3 LU louder"),
    ROW_ON('a', "album", AT(album), "measure all files together, too"),
    ROW_NUMBER('s', "silence", "DBFS", AT(meter.silence_dbfs), -200, 0,
               "up to this level the ends count as silent"),
    ROW_ON(0, "tee", AT(tee), "pass the audio on; the report goes to standard error"),
    ROW_TEXT('o', "output", "FILE", AT(report),
             "write the report to FILE; a folder or a pattern: one of each input"),
    {0},
};

/* ---- reports */

/* One thing that is measured: its name for programs and for people, where it is, decimals. */
typedef struct field {
    const char *key, *label, *unit;
    size_t offset;
    enum { REAL, SMALL, COUNT } kind; /* double, uint32_t, uint64_t */
    int decimals;
} field;

#define IN(member) offsetof(ap_measurement, member)

static const field fields[] = {
    {"duration_s", "Duration", "s", IN(duration_s), REAL, 3},
    {"rate", "Sample rate", "Hz", IN(rate), SMALL, 0},
    {"channels", "Channels", "", IN(channels), SMALL, 0},
    {"integrated_lufs", "Integrated", "LUFS", IN(integrated_lufs), REAL, 2},
    {"range_lu", "Loudness range", "LU", IN(range_lu), REAL, 2},
    {"shortterm_max_lufs", "Short-term max", "LUFS", IN(shortterm_max_lufs), REAL, 2},
    {"momentary_max_lufs", "Momentary max", "LUFS", IN(momentary_max_lufs), REAL, 2},
    {"true_peak_dbtp", "True peak", "dBTP", IN(true_peak_dbtp), REAL, 2},
    {"sample_peak_dbfs", "Sample peak", "dBFS", IN(sample_peak_dbfs), REAL, 2},
    {"rms_dbfs", "RMS", "dBFS", IN(rms_dbfs), REAL, 2},
    {"dc_offset", "DC offset", "", IN(dc_offset), REAL, 6},
    {"clipped_samples", "Clipped samples", "", IN(clipped), COUNT, 0},
    {"silence_start_s", "Silence at start", "s", IN(silence_start_s), REAL, 3},
    {"silence_end_s", "Silence at end", "s", IN(silence_end_s), REAL, 3},
};

#define FIELDS (sizeof fields / sizeof *fields)

static void format_value(char text[64], const field *f, const ap_measurement *m, const char *silence)
{
    const char *at = (const char *)m + f->offset;
    double value = 0;
    uint64_t count = 0;
    uint32_t small = 0;
    if (f->kind == REAL)
        memcpy(&value, at, sizeof value);
    else if (f->kind == COUNT)
        memcpy(&count, at, sizeof count);
    else
        memcpy(&small, at, sizeof small);
    if (f->kind != REAL)
        snprintf(text, 64, "%llu", (unsigned long long)count + small);
    else if (!isfinite(value))
        snprintf(text, 64, "%s", silence);
    else /* no -0, and none that comes of rounding */
        snprintf(text, 64, "%.*f", f->decimals, fabs(value) < 0.5 * pow(10, -f->decimals) ? 0 : value);
}

static void print_text(FILE *out, const char *name, const ap_measurement *m)
{
    char value[64];
    print_name(out, name);
    fputc('\n', out);
    for (size_t i = 0; i < FIELDS; i++) {
        format_value(value, &fields[i], m, "-inf");
        fprintf(out, "  %-16s %12s%s%s\n", fields[i].label, value, *fields[i].unit ? " " : "",
                fields[i].unit);
    }
}

static void print_tsv_line(FILE *out, const char *name, const ap_measurement *m)
{
    char value[64];
    print_name(out, name);
    for (size_t i = 0; i < FIELDS; i++) {
        format_value(value, &fields[i], m, "-inf");
        fprintf(out, "\t%s", value);
    }
    fputc('\n', out);
}

static void print_tsv_names(FILE *out)
{
    fputs("file", out);
    for (size_t i = 0; i < FIELDS; i++)
        fprintf(out, "\t%s", fields[i].key);
    fputc('\n', out);
}

static void print_json_fields(FILE *out, const ap_measurement *m)
{
    char value[64];
    for (size_t i = 0; i < FIELDS; i++) {
        format_value(value, &fields[i], m, "null");
        fprintf(out, "%s\"%s\": %s", i ? ", " : "", fields[i].key, value);
    }
}

static void print_replaygain(FILE *out, const char *what, const ap_measurement *m)
{
    fprintf(out, "REPLAYGAIN_%s_GAIN=%.2f dB\n", what, replaygain_db(m));
    fprintf(out, "REPLAYGAIN_%s_PEAK=%.6f\n", what, pow(10, m->true_peak_dbtp / 20));
    fprintf(out, "REPLAYGAIN_%s_RANGE=%.2f dB\n", what, m->range_lu);
}

/* ---- the run */

typedef struct run {
    const command *command;
    const config *config;
    FILE *out;
    ap_meter *meter;
    gain_list gains;             /* to be written */
    bool wanted;                 /* this file has no gain tags yet, or that does not matter */
    bool several;                /* inputs, measured by other processes */
    bool broken;                 /* the report cannot be written */
    uint64_t measured, reported; /* reported: with those that failed */
} run;

static void begin_report(const run *r)
{
    if (r->config->tsv)
        print_tsv_names(r->out);
    if (r->config->json)
        fputs("{\"files\": [", r->out);
}

/* The text before the report of a file: the start of the list, or a separator. */
static void begin_file(run *r)
{
    const config *c = r->config;
    if (!r->reported)
        begin_report(r);
    if (c->json)
        fputs(r->reported ? ",\n" : "\n", r->out);
    else if (r->reported && !c->tsv && !c->replaygain)
        fputc('\n', r->out);
    r->reported++;
}

static void print_file(FILE *out, const config *c, const char *name, const ap_measurement *m, bool alone)
{
    if (c->tsv) {
        print_tsv_line(out, name, m);
    } else if (c->json) {
        fputs("{\"file\": ", out);
        print_json_name(out, name);
        fputs(", ", out);
        print_json_fields(out, m);
        fputc('}', out);
    } else if (c->replaygain) {
        if (!alone) {
            fputs("# ", out);
            print_name(out, name);
            fputc('\n', out);
        }
        print_replaygain(out, "TRACK", m);
    } else {
        print_text(out, name, m);
    }
}

/* For programs: a file that cannot be measured has an entry, too. */
static void print_failure(run *r, const char *name, const ap_error *why)
{
    if (!r->config->json)
        return;
    begin_file(r);
    fputs("{\"file\": ", r->out);
    print_json_name(r->out, name);
    fputs(", \"error\": ", r->out);
    print_json(r->out, why->message);
    fputc('}', r->out);
}

static void end_report(const run *r)
{
    const config *c = r->config;
    ap_measurement m;
    ap_meter_total(r->meter, &m);
    bool album = c->album && r->measured;
    if (c->json) {
        fputs("\n]", r->out);
        if (album) {
            fputs(",\n\"album\": {", r->out);
            print_json_fields(r->out, &m);
            fputc('}', r->out);
        }
        fputs("}\n", r->out);
    } else if (album && c->tsv) {
        print_tsv_line(r->out, "(album)", &m);
    } else if (album && c->replaygain) {
        fputs(r->several ? "# (album)\n" : "", r->out);
        print_replaygain(r->out, "ALBUM", &m);
    } else if (album) {
        fputc('\n', r->out);
        print_text(r->out, "(album)", &m);
    }
}

/* Flushes the report so far: a reader sees it at once, and a full disk is noticed while its reason is known.
 */
static bool flush_report(const run *r, ap_error *err)
{
    return (fflush(r->out) == 0 && !ferror(r->out)) ||
           ap_fail_errno(err, errno ? errno : EIO, "cannot write the report");
}

static bool measure(run *r, const char *path, ap_measurement *result, ap_error *err)
{
    const config *c = r->config;
    const output_config to_stdout = {.common = c->common};
    ap_stream *s = filter_open(&c->common, path, NULL, err);
    if (s && c->write_gain && !gains_take(&r->gains, path, s, &r->wanted, err))
        ap_close(&s);
    if (s && !r->wanted) {
        ap_close(&s);
        return true;
    }
    s = ap_measure(s, r->meter, err);
    bool ok = c->tee ? filter_write(r->command, s, &to_stdout, NULL, err)
                     : filter_drain(r->command, s, &c->common, err);
    if (ok)
        ap_meter_result(r->meter, result);
    if (ok && c->write_gain)
        gains_set(&r->gains, result);
    if (!ok && c->write_gain)
        gains_drop(&r->gains);
    return ok;
}

static int measure_one(run *r, const char *path, bool alone, ap_error *err)
{
    ap_measurement m;
    int status = AP_OK;
    if (!measure(r, path, &m, err)) {
        status = filter_fail(r->command, err); /* a signal ends the process */
        print_failure(r, path, err);
    } else if (r->wanted) {
        begin_file(r);
        print_file(r->out, r->config, path, &m, alone);
        r->measured++;
    }
    r->broken = !flush_report(r, err);
    return r->broken ? filter_fail(r->command, err) : status;
}

/* One after the other, in this process. */
static int measure_few(run *r, char *const *inputs, int count, ap_error *err)
{
    int status = AP_OK;
    for (int i = 0; i < count && !r->broken; i++) {
        int one = measure_one(r, inputs[i], count == 1, err);
        status = status == AP_FAILED || one == AP_OK ? status : one;
    }
    return status;
}

/* ---- many files: each is measured in another process, which prints it; for an album its meter comes, too */

static work_result work(void *user, const plan_item *item, unsigned threads, FILE *report, ap_error *err)
{
    run *r = user;
    ap_measurement m;
    size_t size = 0;
    (void)threads;
    bool ok = measure(r, item->input, &m, err) &&
              (!r->gains.count || gains_write(&r->gains, 0, NULL, r->config->keep_time, err));
    gains_free(&r->gains);
    r->gains.entries = NULL;
    r->gains.count = 0;
    if (!ok || !r->wanted)
        return ok ? WORK_SKIPPED : WORK_FAILED;
    unsigned char *meter = r->config->album ? ap_meter_pack(r->meter, &size) : NULL;
    if (r->config->album && !meter) {
        ap_fail_memory(err);
        return WORK_FAILED;
    }
    fwrite(&size, sizeof size, 1, report);
    if (meter)
        fwrite(meter, 1, size, report);
    print_file(report, r->config, item->input, &m, false);
    free(meter);
    return WORK_DONE;
}

/* In order. false if the run cannot go on. */
static bool take_report(void *user, const char *input, const ap_error *why, const char *report, size_t size,
                        ap_error *err)
{
    run *r = user;
    size_t meter = 0;
    if (why) {
        print_failure(r, input, why);
    } else if (size) { /* or it is one that has gains already */
        memcpy(&meter, report, sizeof meter);
        report += sizeof meter;
        size -= sizeof meter;
        if (meter && !ap_meter_unpack(r->meter, (const unsigned char *)report, meter))
            return ap_fail(err, AP_FAILED, "a process has sent nonsense");
        begin_file(r);
        fwrite(report + meter, 1, size - meter, r->out);
        r->measured++;
    }
    r->broken = !flush_report(r, err);
    return !r->broken;
}

static int measure_many(run *r, char *const *inputs, int count)
{
    const many m = {.command = r->command,
                    .config = &r->config->many,
                    .common = &r->config->common,
                    .operands = inputs,
                    .count = (size_t)count,
                    .threads = r->config->many.threads,
                    .work = work,
                    .report = take_report,
                    .user = r};
    return many_run(&m);
}

/* ---- a report of each file, by itself */

static work_result report_one(void *user, const plan_item *item, unsigned threads, FILE *report,
                              ap_error *err)
{
    run r = *(run *)user;
    char *text = NULL;
    size_t size = 0;
    ap_measurement m;
    (void)threads;
    (void)report;
    bool ok = (r.out = open_memstream(&text, &size)) || ap_fail_memory(err);
    if (ok && (ok = measure(&r, item->input, &m, err))) {
        begin_file(&r);
        print_file(r.out, r.config, item->input, &m, true);
        end_report(&r);
    }
    ok = (!r.out || fclose(r.out) == 0) && ok;
    ok = ok && (text || ap_fail_memory(err)) &&
         ap_output_save(item->output, text, size, r.config->common.no_clobber, err);
    free(text);
    return ok ? WORK_DONE : WORK_FAILED;
}

/* Reports appear when they are complete. */
static bool is_whole(const char *output)
{
    (void)output;
    return true;
}

static int report_each(run *r, const option_group *groups, char *const *inputs, int count)
{
    const config *c = r->config;
    ap_error err;
    const many m = {.command = r->command,
                    .config = &c->many,
                    .common = &c->common,
                    .operands = inputs,
                    .count = (size_t)count,
                    .output = c->report,
                    .threads = c->many.threads,
                    .rules = {.format = c->json  ? "json"
                                        : c->tsv ? "tsv"
                                                 : "txt",
                              .fallback = "txt",
                              .rule = report_rule(&c->common),
                              .groups = groups},
                    .work = report_one,
                    .is_whole = is_whole,
                    .user = r};
    r->meter = ap_meter_new(&c->meter, &err);
    const int status = r->meter ? many_run(&m) : filter_fail(r->command, &err);
    ap_meter_free(&r->meter);
    return status;
}

/* ---- all of it */

/* Closes the report and puts it where it belongs. */
static bool finish(const run *r, char *const *text, const size_t *size, ap_error *err)
{
    if (r->config->report) {
        bool ok = flush_report(r, err) && ((fclose(r->out) == 0 && *text) || ap_fail_memory(err));
        return ok && ap_output_save(r->config->report, *text, *size, r->config->common.no_clobber, err);
    }
    return r->out == stdout ? finish_stdout(err) : flush_report(r, err);
}

/* Each file by itself: one that cannot be written is no reason to leave the others. */
static int write_gains(run *r, int status)
{
    const config *c = r->config;
    ap_measurement album;
    ap_error err;
    ap_meter_total(r->meter, &album);
    for (size_t i = 0; i < r->gains.count; i++)
        if (!gains_write(&r->gains, i, c->album ? &album : NULL, c->keep_time, &err)) {
            int failure = filter_fail(r->command, &err);
            status = status == AP_FAILED ? AP_FAILED : failure;
        }
    return status;
}

static int measure_all(run *r, char *const *inputs, int count)
{
    char *text = NULL;
    size_t size = 0;
    ap_error err;
    int status;
    if (r->config->report)
        r->out = open_memstream(&text, &size);
    r->meter = ap_meter_new(&r->config->meter, &err);
    if (!r->meter || (!r->out && !ap_fail_memory(&err)))
        return filter_fail(r->command, &err);
    if (r->several)
        status = measure_many(r, inputs, count);
    else
        status = measure_few(r, inputs, count ? count : 1, &err);
    const bool whole = !r->broken && status != AP_USAGE && (r->reported || !r->config->tee);
    if (whole && !r->reported)
        begin_report(r);
    if (whole)
        end_report(r);
    if (r->config->write_gain && !r->broken)
        status = write_gains(r, status);
    if (whole && !finish(r, &text, &size, &err))
        status = filter_fail(r->command, &err);
    ap_meter_free(&r->meter);
    gains_free(&r->gains);
    free(text);
    return status;
}

static void check_usage(const command *about, const config *c, char *const *inputs, int count)
{
    if (c->tsv + c->json + c->replaygain > 1)
        usage_error(about, "--tsv, --json and --replaygain exclude each other");
    if (c->tee && count > 1)
        usage_error(about, "--tee passes one input on: '%s' is one too many", inputs[1]);
    if (c->tee && many_wanted(&c->many, NULL, count))
        usage_error(about, "--tee passes one input on, not those of --recursive or --list");
    if (count == 0 && !many_wanted(&c->many, NULL, count) && isatty(STDIN_FILENO))
        usage_error(about, "no input: name files, or pipe audio in");
    if (c->write_gain && c->tee)
        usage_error(about, "--write-gain and --tee exclude each other");
    const bool named = c->many.recursive || c->many.list;
    if (c->write_gain && c->album && named)
        usage_error(about,
                    "--write-gain --album takes the files of an album by name, not --recursive or --list");
    for (int i = 0; c->write_gain && i < (count || named ? count : 1); i++)
        if (count == 0 || is_standard(inputs[i]))
            usage_error(about, "--write-gain needs files: standard input cannot be changed");
    const bool each = c->report && naming_is_for_many(c->report);
    if (each && (c->album || c->write_gain || c->tee))
        usage_error(about, "with a report of each input there is no --album, --write-gain or --tee");
    if (!each && (c->many.skip_existing || c->many.dry_run))
        usage_error(about, "--skip-existing and --dry-run are for reports of each input: -o DIR/");
    if (c->tee)
        output_check_terminal(about, NULL);
}

int main(int argc, char **argv)
{
    static const command about = {"ap-measure", "[INPUT]...",
                                  "Measures loudness, peaks, levels, silence and length."};
    static char standard_input[] = "-";
    char *only[] = {standard_input};
    config c = {.report = NULL};
    ap_meter_defaults(&c.meter);
    const option_group groups[OPTION_GROUPS] = {
        {rows, &c}, {common_rows, &c.common}, {input_rows, &c.common}, {many_rows, &c.many}};
    int operand = parse_options(&about, groups, argc, argv);
    int count = argc - operand;
    c.write_gain = c.write_gain || c.regain;
    run r = {.command = &about, .config = &c, .out = c.tee ? stderr : stdout, .wanted = true};
    r.gains = (gain_list){.album = c.album, .again = c.regain, .files = argv + operand, .file_count = count};
    r.several = many_wanted(&c.many, NULL, count) && !(c.write_gain && c.album);
    filter_start();
    check_usage(&about, &c, argv + operand, count);
    if (c.report && naming_is_for_many(c.report))
        return report_each(&r, groups, argv + operand, count);
    char **inputs = count || r.several ? argv + operand : only;
    ap_error err;
    made_folders made = {0};
    int status;
    if (!target_check(c.report, &(sources){inputs, count || r.several ? (size_t)count : 1, groups},
                      report_rule(&c.common), &err) ||
        !target_make_folders(&made, c.report, &err))
        status = filter_fail(&about, &err);
    else
        status = measure_all(&r, inputs, count);
    target_end(&made, status == AP_OK || r.measured);
    return status;
}
