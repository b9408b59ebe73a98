/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-plot - pictures of audio, and peaks for web players. */
#include "base/error.h"
#include "base/path.h"
#include "front/filter.h"
#include "front/folder.h"
#include "front/many.h"
#include "front/naming.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const command plot = {
    "ap-plot", "[INPUT]...",
    "Draws audio as PNG or SVG: waveform, spectrogram, loudness over time; or writes peaks."};

typedef struct config {
    ap_plot_options plot;
    ap_peaks_options peaks;
    const char *output, *type, *stems;
    bool json, dat, peaky; /* peaky: peaks, no picture */
    common_config common;
    many_config many;
} config;

#define AT(field) offsetof(config, field)

/* --size WIDTH[xHEIGHT] */
static bool set_size(void *cfg, const char *argument, ap_error *err)
{
    ap_plot_options *o = &((config *)cfg)->plot;
    char rest;
    int n = sscanf(argument, "%5ux%5u%c", &o->width, &o->height, &rest);
    if (n == 1)
        n = sscanf(argument, "%5u%c", &o->width, &rest) + 1;
    if (n == 2 && *argument >= '0' && *argument <= '9')
        return true;
    return ap_fail(err, AP_USAGE, "'%s' is not WIDTHxHEIGHT in pixels", argument);
}

enum { ALL_PANELS = AP_PLOT_WAVEFORM | AP_PLOT_SPECTROGRAM | AP_PLOT_LOUDNESS };
static const choice kinds[] = {{"waveform", AP_PLOT_WAVEFORM},
                               {"spectrogram", AP_PLOT_SPECTROGRAM},
                               {"loudness", AP_PLOT_LOUDNESS},
                               {"all", ALL_PANELS},
                               {0}};
static const choice colours[] = {
    {"magma", AP_COLOURS_MAGMA}, {"viridis", AP_COLOURS_VIRIDIS}, {"grey", AP_COLOURS_GREY}, {0}};
static const choice bits[] = {{"16", 16}, {"8", 8}, {0}};

static const option_row rows[] = {
    ROW_CHOICE('k', "kind", kinds, AT(plot.panels), "what to draw"),
    ROW_TEXT(0, "stems", "DIR", AT(stems), "all audio files of a folder, on one time axis"),
    ROW_TEXT('o', "output", "FILE", AT(output), "write to FILE; its extension names the format"),
    ROW_TEXT('t', "type", "FORMAT", AT(type), "png, svg, json or dat (default on standard output: png)"),
    ROW_CALL(0, "size", "WIDTHxHEIGHT", set_size, "of the picture, in pixels at scale 1"),
    ROW_NUMBER(0, "scale", "FACTOR", AT(plot.scale), 0.5, 8,
               "pixels of a PNG for each of them: 2 for fine screens"),
    ROW_TEXT(0, "title", "TEXT", AT(plot.title), "instead of the one in the tags, or the file's name"),
    ROW_ON(0, "fit", AT(plot.fit), "waveform: from peak to peak, not to full scale"),
    ROW_CHOICE(0, "colours", colours, AT(plot.colours), "of the spectrogram"),
    ROW_NUMBER(0, "range", "DB", AT(plot.range_db), 10, 200, "of the spectrogram, down from 0 dBFS"),
    ROW_NUMBER(0, "low", "HZ", AT(plot.low_hz), 1, AP_MAX_RATE, "lowest frequency of the spectrogram"),
    ROW_NUMBER(0, "high", "HZ", AT(plot.high_hz), 0, AP_MAX_RATE,
               "highest frequency; 0 = half the sample rate"),
    ROW_ON(0, "json", AT(json), "write peaks as audiowaveform does, in JSON: the same as -t json"),
    ROW_ON(0, "dat", AT(dat), "the same in its binary format"),
    ROW_COUNT('z', "samples-per-pixel", "N", AT(peaks.samples_per_pixel), 2, 1e9,
              "frames for each pair of peaks"),
    ROW_COUNT(0, "pixels-per-second", "N", AT(peaks.pixels_per_second), 1, 100000,
              "pairs of peaks a second, instead", .no_default = true),
    ROW_CHOICE(0, "bits", bits, AT(peaks.bits), "of peaks"),
    ROW_ON(0, "split-channels", AT(peaks.split_channels), "peaks of each channel, not of their mean"),
    {0},
};

static bool is_one_of(const char *type, const char *const types[2])
{
    return strcasecmp(type, types[0]) == 0 || strcasecmp(type, types[1]) == 0;
}

/* Makes the options of the library from those of the command line. */
static bool settle(config *c, ap_error *err)
{
    static const char *const pictures[] = {"png", "svg"}, *const peaks[] = {"json", "dat"};
    if (c->json + c->dat + (c->type != NULL) > 1)
        usage_error(&plot, "one of --type, --json and --dat at a time");
    if (c->json || c->dat)
        c->type = c->json ? "json" : "dat";
    if (!c->type && is_standard(c->output))
        c->type = "png";
    const char *format = c->type ? c->type : ap_extension(c->output);
    c->plot.format = c->peaks.format = c->type;
    c->plot.keep_existing = c->peaks.keep_existing = c->common.no_clobber;
    c->peaky = is_one_of(format, peaks);
    if (c->peaky && c->stems)
        usage_error(&plot, "peaks are of one input, not of --stems");
    return c->peaky || is_one_of(format, pictures) ||
           ap_fail_format(c->type, c->output, "png svg json dat", err);
}

static bool write_peaks(const config *c, ap_stream *s, ap_error *err)
{
    return is_standard(c->output) ? ap_peaks_fd(s, STDOUT_FILENO, "standard output", &c->peaks, err)
                                  : ap_peaks(s, c->output, &c->peaks, err);
}

static bool draw(const config *c, const audio_folder *list, ap_error *err)
{
    const char *const *names = (const char *const *)list->names;
    if (is_standard(c->output))
        return ap_plot_fd(list->streams, names, list->count, STDOUT_FILENO, "standard output", &c->plot, err);
    return ap_plot(list->streams, names, list->count, c->output, &c->plot, err);
}

static bool run_one(const config *c, const char *input, ap_error *err)
{
    watcher w = {.command = &plot, .style = c->common.progress, .quiet = c->common.quiet};
    ap_stream *s = filter_watch(&w, filter_open(&c->common, input, NULL, err), err);
    if (!s)
        return false;
    const audio_folder one = {.streams = &s, .count = 1};
    bool ok = c->peaky ? write_peaks(c, s, err) : draw(c, &one, err);
    progress_end(&w.progress, ok);
    if (ok)
        remark("'%s': %s", is_standard(c->output) ? "standard output" : c->output,
               c->peaky ? "peaks" : "a picture");
    return ok;
}

static bool run_stems(config *c, ap_error *err)
{
    audio_folder list;
    bool ok = folder_open(&list, &plot, c->stems, &c->common, err);
    if (ok && !c->plot.title && !ap_tags_get(ap_stream_tags(list.streams[0]), "TITLE"))
        c->plot.title = list.name;
    ok = ok && draw(c, &list, err);
    folder_close(&list);
    return ok;
}

/* ---- many inputs */

static work_result work(void *user, const plan_item *item, unsigned threads, FILE *report, ap_error *err)
{
    const config *all = user;
    config c = *all;
    char *input = item->input;
    (void)threads;
    (void)report;
    c.output = item->output;
    bool ok = target_check(c.output, &(sources){&input, 1, NULL}, report_rule(&c.common), err) &&
              settle(&c, err) && run_one(&c, item->input, err);
    return ok ? WORK_DONE : WORK_FAILED;
}

static bool check_output(void *user, const char *output, ap_error *err)
{
    config c = *(const config *)user;
    c.output = output;
    return settle(&c, err);
}

/* By its end, where the format has one. */
static bool is_whole(const char *output)
{
    static const char *const ends[][2] = {{"png", "IEND\xae\x42\x60\x82"}, {"svg", "</svg>\n"}};
    char tail[8] = "";
    FILE *file = fopen(output, "re");
    bool read =
        file && fseek(file, -(long)sizeof tail, SEEK_END) == 0 && fread(tail, sizeof tail, 1, file) == 1;
    if (file)
        fclose(file);
    for (size_t i = 0; read && i < sizeof ends / sizeof *ends; i++)
        if (strcasecmp(ap_extension(output), ends[i][0]) == 0)
            return memcmp(tail + sizeof tail - strlen(ends[i][1]), ends[i][1], strlen(ends[i][1])) == 0;
    return read;
}

static int run_many(config *c, const option_group *groups, char **inputs, int count)
{
    if (c->stems)
        usage_error(&plot, "--stems is one picture of one folder");
    if (!c->type && !c->json && !c->dat && naming_has_extension(c->output ? c->output : ""))
        c->type = "png";
    const many m = {.command = &plot,
                    .config = &c->many,
                    .common = &c->common,
                    .operands = inputs,
                    .count = (size_t)count,
                    .output = c->output ? c->output : "-",
                    .threads = c->many.threads,
                    .rules = {.format = c->json  ? "json"
                                        : c->dat ? "dat"
                                                 : c->type,
                              .fallback = "png",
                              .rule = report_rule(&c->common),
                              .groups = groups,
                              .check = check_output,
                              .user = c},
                    .work = work,
                    .is_whole = is_whole,
                    .user = c};
    filter_start();
    return many_run(&m);
}

/* ---- the command */

static void check_operands(const config *c, char *const *inputs, int count)
{
    const int most = c->stems ? 0 : 1;
    if (count > most)
        usage_error(&plot, "one input at a time: '%s' is one too many", inputs[most]);
    if (count == 0 && !c->stems && isatty(STDIN_FILENO))
        usage_error(&plot, "no input: name a file, or pipe audio in");
}

int main(int argc, char **argv)
{
    config c = {0};
    ap_plot_defaults(&c.plot);
    ap_peaks_defaults(&c.peaks);
    c.plot.panels = AP_PLOT_WAVEFORM;
    const option_group groups[OPTION_GROUPS] = {
        {rows, &c}, {common_rows, &c.common}, {input_rows, &c.common}, {many_rows, &c.many}};
    int operand = parse_options(&plot, groups, argc, argv);
    if (many_wanted(&c.many, c.output, argc - operand))
        return run_many(&c, groups, argv + operand, argc - operand);
    check_operands(&c, argv + operand, argc - operand);
    filter_start();
    ap_error err;
    made_folders made = {0};
    sources in = {argv + operand, (size_t)(argc - operand), groups};
    bool ok = settle(&c, &err);
    output_check_terminal(&plot, c.output);
    ok = ok && target_check(c.output, &in, report_rule(&c.common), &err) &&
         target_make_folders(&made, c.output, &err) &&
         (c.stems ? run_stems(&c, &err) : run_one(&c, argv[operand], &err));
    target_end(&made, ok);
    return ok ? AP_OK : filter_fail(&plot, &err);
}
