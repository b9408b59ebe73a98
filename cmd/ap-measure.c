/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-measure - loudness, peaks, levels, silence and length of audio files. */
#include "base/error.h"
#include "front/filter.h"
#include "front/gains.h"
#include "front/text.h"

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
} config;

#define AT(field) offsetof(config, field)

static const option_row rows[] = {
    ROW_ON(0, "tsv", AT(tsv), "one line for each file, with tabs, below a line of names"),
    ROW_ON(0, "json", AT(json), "one JSON object"),
    ROW_ON(0, "replaygain", AT(replaygain), "ReplayGain 2.0 tags, as KEY=VALUE"),
    ROW_ON(0, "write-gain", AT(write_gain), "write the gain into the files as tags; skip what has them"),
    ROW_ON(0, "regain", AT(regain), "the same, also where there are such tags"),
    ROW_ON(0, "keep-time", AT(keep_time), "files that are written to keep their time of modification"),
    ROW_ON('a', "album", AT(album), "measure all files together, too"),
    ROW_NUMBER('s', "silence", "DBFS", AT(meter.silence_dbfs), -200, 0,
               "up to here the ends count as silent"),
    ROW_ON(0, "tee", AT(tee), "pass the audio on; the report goes to standard error"),
    ROW_TEXT('o', "output", "FILE", AT(report), "write the report to FILE"),
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
    else /* the sum makes -0 and what is rounded to it 0 */
        snprintf(text, 64, "%.*f", f->decimals, fabs(value) < 0.5 * pow(10, -f->decimals) ? 0 : value);
}

static void print_text(FILE *out, const char *name, const ap_measurement *m)
{
    char value[64];
    print_tsv(out, name);
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
    print_tsv(out, name);
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
    gain_list gains;                /* to be written */
    int inputs, measured, reported; /* reported: with those that failed */
    int status;
    bool wanted; /* this file has no gain tags yet, or that does not matter */
} run;

static void begin_report(const run *r)
{
    if (r->config->tsv)
        print_tsv_names(r->out);
    if (r->config->json)
        fputs("{\"files\": [", r->out);
}

static void begin_json_file(run *r, const char *name)
{
    fprintf(r->out, "%s\n{\"file\": ", r->reported ? "," : "");
    print_json(r->out, name);
    fputs(", ", r->out);
}

static void report_file(run *r, const char *name)
{
    const config *c = r->config;
    ap_measurement m;
    ap_meter_result(r->meter, &m);
    if (c->write_gain)
        gains_set(&r->gains, &m);
    if (c->tsv) {
        print_tsv_line(r->out, name, &m);
    } else if (c->json) {
        begin_json_file(r, name);
        print_json_fields(r->out, &m);
        fputc('}', r->out);
    } else if (c->replaygain) {
        if (r->inputs > 1) {
            fputs("# ", r->out);
            print_tsv(r->out, name);
            fputc('\n', r->out);
        }
        print_replaygain(r->out, "TRACK", &m);
    } else {
        if (r->reported)
            fputc('\n', r->out);
        print_text(r->out, name, &m);
    }
    r->reported++;
    r->measured++;
}

static void report_failure(run *r, const char *name, const ap_error *err)
{
    int status = filter_fail(r->command, err); /* a signal does not come back */
    r->status = r->status == AP_FAILED ? AP_FAILED : status;
    if (!r->config->json)
        return;
    begin_json_file(r, name);
    fputs("\"error\": ", r->out);
    print_json(r->out, err->message);
    fputc('}', r->out);
    r->reported++;
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
        fputs(r->inputs > 1 ? "# (album)\n" : "", r->out);
        print_replaygain(r->out, "ALBUM", &m);
    } else if (album) {
        fputc('\n', r->out);
        print_text(r->out, "(album)", &m);
    }
}

/* What was reported so far leaves: a reader sees it at once, and a full disk is noticed while its reason is
 * known. */
static bool flush_report(const run *r, ap_error *err)
{
    return (fflush(r->out) == 0 && !ferror(r->out)) ||
           ap_fail_errno(err, errno ? errno : EIO, "cannot write the report");
}

/* Returns false if it is of no use to go on. */
static bool measure_file(run *r, const char *path)
{
    const config *c = r->config;
    const output_config to_stdout = {.common = c->common};
    ap_error err;
    ap_stream *s = filter_open(path, NULL, &err);
    if (s && c->write_gain && !gains_take(&r->gains, path, s, &r->wanted, &err))
        ap_close(&s);
    if (s && !r->wanted) {
        ap_close(&s);
        return true;
    }
    s = ap_measure(s, r->meter, &err);
    bool ok = c->tee ? filter_write(r->command, s, &to_stdout, NULL, &err)
                     : filter_drain(r->command, s, &c->common, &err);
    if (ok)
        report_file(r, path);
    else
        report_failure(r, path, &err);
    if (c->write_gain && !ok)
        gains_drop(&r->gains);
    ok = flush_report(r, &err);
    if (!ok)
        r->status = filter_fail(r->command, &err);
    return ok;
}

/* Closes the report and puts it where it belongs. */
static bool finish(const run *r, char *const *text, const size_t *size, ap_error *err)
{
    if (r->config->report) {
        bool ok = flush_report(r, err) && ((fclose(r->out) == 0 && *text) || ap_fail_memory(err));
        return ok && ap_save(r->config->report, *text, *size, err);
    }
    return r->out == stdout ? finish_stdout(err) : flush_report(r, err);
}

/* Each file by itself: one that cannot be written is no reason to leave the others. */
static void write_gains(run *r)
{
    const config *c = r->config;
    ap_measurement album;
    ap_error err;
    ap_meter_total(r->meter, &album);
    for (size_t i = 0; i < r->gains.count; i++)
        if (!gains_write(&r->gains, i, c->album ? &album : NULL, c->keep_time, &err)) {
            int status = filter_fail(r->command, &err);
            r->status = r->status == AP_FAILED ? AP_FAILED : status;
        }
}

static int measure_all(run *r, char *const *inputs)
{
    char *text = NULL;
    size_t size = 0;
    ap_error err;
    bool go_on = true;
    if (r->config->report)
        r->out = open_memstream(&text, &size);
    r->meter = ap_meter_new(&r->config->meter, &err);
    if (!r->meter || (!r->out && !ap_fail_memory(&err)))
        return filter_fail(r->command, &err);
    begin_report(r);
    for (int i = 0; go_on && i < r->inputs; i++)
        go_on = measure_file(r, inputs[i]);
    if (go_on)
        end_report(r);
    if (go_on && r->config->write_gain)
        write_gains(r);
    bool any = r->reported || !r->config->tee;
    if (go_on && any && !finish(r, &text, &size, &err))
        r->status = filter_fail(r->command, &err);
    ap_meter_free(&r->meter);
    gains_free(&r->gains);
    free(text);
    return r->status;
}

static void check_usage(const command *about, const config *c, char *const *inputs, int count)
{
    if (c->tsv + c->json + c->replaygain > 1)
        usage_error(about, "--tsv, --json and --replaygain exclude each other");
    if (c->tee && count > 1)
        usage_error(about, "--tee passes one input on: '%s' is one too many", inputs[1]);
    if (count == 0 && isatty(STDIN_FILENO))
        usage_error(about, "no input: name files, or pipe audio in");
    if (c->write_gain && c->tee)
        usage_error(about, "--write-gain and --tee exclude each other");
    for (int i = 0; c->write_gain && i < (count ? count : 1); i++)
        if (count == 0 || is_standard(inputs[i]))
            usage_error(about, "--write-gain needs files: standard input cannot be changed");
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
    const option_group groups[OPTION_GROUPS] = {{rows, &c}, {common_rows, &c.common}};
    int operand = parse_options(&about, groups, argc, argv);
    filter_start();
    c.write_gain = c.write_gain || c.regain;
    check_usage(&about, &c, argv + operand, argc - operand);
    run r = {.command = &about, .config = &c, .out = c.tee ? stderr : stdout};
    r.wanted = true;
    r.gains = (gain_list){
        .album = c.album, .again = c.regain, .files = argv + operand, .file_count = argc - operand};
    r.inputs = operand == argc ? 1 : argc - operand;
    char **inputs = operand == argc ? only : argv + operand;
    ap_error err;
    made_folders made = {0};
    if (!target_check(c.report, &(sources){inputs, (size_t)r.inputs, groups}, report_rule(&c.common), &err) ||
        !target_make_folders(&made, c.report, &err))
        r.status = filter_fail(&about, &err);
    else
        r.status = measure_all(&r, inputs);
    target_end(&made, r.status == AP_OK || r.measured);
    return r.status;
}
