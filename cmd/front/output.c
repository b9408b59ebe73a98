/* SPDX-License-Identifier: GPL-3.0-or-later
 * output.c - where a command's result goes, and in which format. */
#include "front/output.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

static const choice bits[] = {{"default", AP_BITS_DEFAULT}, {"16", AP_BITS_16},       {"24", AP_BITS_24},
                              {"32", AP_BITS_32},           {"float", AP_BITS_FLOAT}, {0}};

const option_row common_rows[] = {
    ROW_ON(0, "no-clobber", offsetof(common_config, no_clobber), "fail if the output exists"),
    ROW_CHOICE(0, "progress", progress_styles, offsetof(common_config, progress),
               "how to show progress on stderr"),
    ROW_ON('q', "quiet", offsetof(common_config, quiet), "no progress, no warnings"),
    {0},
};

static bool set_raw(void *config, const char *text, ap_error *err)
{
    ((common_config *)config)->raw = text;
    return ap_raw_check(text, err);
}

const option_row input_rows[] = {
    ROW_CALL(0, "raw", "FORMAT,RATE,CHANNELS", set_raw, "what inputs without a header are: s16le,48000,2"),
    {0},
};

const option_row output_rows[] = {
    ROW_TEXT('o', "output", "FILE", offsetof(output_config, path),
             "write to FILE; its extension names the format"),
    ROW_TEXT('t', "type", "FORMAT", offsetof(output_config, format),
             "mp3, flac, wav, aiff, ogg, opus, m4a, alac, au, raw, s16le or f32le (default on standard "
             "output: apstream)"),
    ROW_NUMBER('b', "bitrate", "KBPS", offsetof(output_config, bitrate_kbps), 0, 2048,
               "bit rate of mp3, ogg, opus, m4a in kbit/s", .no_default = true, .kilo = 1),
    ROW_CHOICE(0, "bits", bits, offsetof(output_config, bits),
               "sample format of flac, alac, wav, aiff, au, raw", .no_default = true),
    ROW_COUNT('j', "threads", "N", offsetof(output_config, threads), 0, 1024,
              "files at a time, or threads that encode one mp3; 0 = all cores"),
    ROW_ON(0, "force", offsetof(output_config, force), "the output may replace the input"),
    {0},
};

bool is_standard(const char *path)
{
    return !path || strcmp(path, "-") == 0;
}

void output_encode_options(const output_config *out, ap_encode_options *options)
{
    ap_encode_defaults(options);
    options->format = out->format;
    options->bits = out->bits;
    options->bitrate_kbps = out->bitrate_kbps;
    options->threads = out->threads;
    options->keep_existing = out->common.no_clobber;
}

void output_check_terminal(const command *c, const char *path)
{
    if (is_standard(path) && isatty(STDOUT_FILENO))
        usage_error(c, "standard output is a terminal: name a file with -o, or use a pipe");
}

target_rule output_rule(const output_config *out)
{
    return out->common.no_clobber ? TARGET_NEW : out->force ? TARGET_ANY : TARGET_NOT_FORCED;
}

target_rule report_rule(const common_config *common)
{
    return common->no_clobber ? TARGET_NEW : TARGET_NO_INPUT;
}

void output_report(const command *c, const char *path, uint32_t rate, const ap_encode_report *report)
{
    const char *in = path ? " in " : "";
    path = path ? path : "";
    if (report->gain_db != 0)
        complain(c, "warning: scaled by %.2f dB to stay within full scale%s%s", report->gain_db, in, path);
    else if (report->clipped)
        complain(c, "warning: %llu samples clipped, peak %+.2f dBFS%s%s", (unsigned long long)report->clipped,
                 20 * log10(report->peak), in, path);
    if (report->rate && report->rate != rate)
        complain(c, "note: resampled from %u to %u Hz%s%s", rate, report->rate, in, path);
}
