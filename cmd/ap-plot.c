/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-plot - pictures of audio, and peaks for web players. */
#include "front/filter.h"
#include "front/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const command plot = {
    "ap-plot", "[INPUT]",
    "Draws audio as PNG or SVG: waveform, spectrogram, loudness over time; or writes peaks."};

typedef struct config {
    ap_plot_options plot;
    ap_peaks_options peaks;
    const char *output, *type, *stems;
    int kind, colours, bits;
    bool json, dat;
    int progress;
    bool quiet;
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
    *err = (ap_error){.code = AP_USAGE};
    snprintf(err->message, sizeof err->message, "'%s' is not WIDTHxHEIGHT in pixels", argument);
    return false;
}

static const option_row rows[] = {
    {'k', "kind", OPTION_CHOICE, NULL, AT(kind), "what to draw", 0, 0, "waveform|spectrogram|loudness|all"},
    {0, "stems", OPTION_TEXT, "DIR", AT(stems), "all audio files of a folder, on one time axis"},
    {'o', "output", OPTION_TEXT, "FILE", AT(output), "write to FILE; its extension names the format"},
    {'t', "type", OPTION_TEXT, "FORMAT", AT(type), "png, svg, json or dat (default on standard output: png)"},
    {0, "size", OPTION_CALL, "WIDTHxHEIGHT", 0, "of the picture, in pixels at scale 1", 0, 0, NULL, set_size},
    {0, "scale", OPTION_NUMBER, "FACTOR", AT(plot.scale),
     "pixels of a PNG for each of them: 2 for fine screens", 0.5, 8},
    {0, "title", OPTION_TEXT, "TEXT", AT(plot.title), "instead of the one in the tags, or the file's name"},
    {0, "fit", OPTION_ON, NULL, AT(plot.fit), "waveform: from peak to peak, not to full scale"},
    {0, "colours", OPTION_CHOICE, NULL, AT(colours), "of the spectrogram", 0, 0, "magma|viridis|grey"},
    {0, "range", OPTION_NUMBER, "DB", AT(plot.range_db), "of the spectrogram, down from 0 dBFS", 10, 200},
    {0, "low", OPTION_NUMBER, "HZ", AT(plot.low_hz), "lowest frequency of the spectrogram", 1, AP_MAX_RATE},
    {0, "high", OPTION_NUMBER, "HZ", AT(plot.high_hz), "highest frequency; 0 = half the sample rate", 0,
     AP_MAX_RATE},
    {0, "json", OPTION_ON, NULL, AT(json), "write peaks as audiowaveform does, in JSON: the same as -t json"},
    {0, "dat", OPTION_ON, NULL, AT(dat), "the same in its binary format"},
    {'z', "samples-per-pixel", OPTION_COUNT, "N", AT(peaks.samples_per_pixel),
     "frames for each pair of peaks", 2, 1e9},
    {0, "pixels-per-second", OPTION_COUNT, "N", AT(peaks.pixels_per_second),
     "pairs of peaks a second, instead", 1, 100000, NULL, NULL, true},
    {0, "bits", OPTION_CHOICE, NULL, AT(bits), "of peaks", 0, 0, "16|8"},
    {0, "split-channels", OPTION_ON, NULL, AT(peaks.split_channels),
     "peaks of each channel, not of their mean"},
    {0, "progress", OPTION_CHOICE, NULL, AT(progress), "how to show progress on stderr", 0, 0,
     "auto|bar|json|none"},
    {'q', "quiet", OPTION_ON, NULL, AT(quiet), "no progress, no warnings"},
    {0},
};

static bool to_stdout(const config *c)
{
    return !c->output || strcmp(c->output, "-") == 0;
}

static bool is_peaks(const char *type)
{
    return type && (strcmp(type, "json") == 0 || strcmp(type, "dat") == 0);
}

/* Makes the options of the library from those of the command line. */
static void settle(config *c)
{
    static const unsigned panels[] = {AP_PLOT_WAVEFORM, AP_PLOT_SPECTROGRAM, AP_PLOT_LOUDNESS,
                                      AP_PLOT_WAVEFORM | AP_PLOT_SPECTROGRAM | AP_PLOT_LOUDNESS};
    const char *dot = to_stdout(c) ? ".png" : strrchr(c->output, '.');
    if (c->json + c->dat + (c->type != NULL) > 1)
        usage_error(&plot, "one of --type, --json and --dat at a time");
    if (c->json || c->dat)
        c->type = c->json ? "json" : "dat";
    if (!c->type)
        c->type = dot ? dot + 1 : "";
    c->plot.panels = panels[c->kind];
    c->plot.colours = (ap_colours)c->colours;
    c->plot.format = c->peaks.format = c->type;
    c->peaks.bits = c->bits ? 8 : 16;
    if (is_peaks(c->type) && c->stems)
        usage_error(&plot, "peaks are of one input, not of --stems");
}

static bool write_peaks(const config *c, ap_stream *s, ap_error *err)
{
    return to_stdout(c) ? ap_peaks_fd(s, STDOUT_FILENO, "standard output", &c->peaks, err)
                        : ap_peaks(s, c->output, &c->peaks, err);
}

static bool draw(const config *c, const audio_folder *list, ap_error *err)
{
    const char *const *names = (const char *const *)list->names;
    if (to_stdout(c))
        return ap_plot_fd(list->streams, names, list->count, STDOUT_FILENO, "standard output", &c->plot, err);
    return ap_plot(list->streams, names, list->count, c->output, &c->plot, err);
}

static bool run_one(const config *c, const char *input, ap_error *err)
{
    watcher w;
    ap_stream *s = filter_watch(&w, &plot, filter_open(input, NULL, err), c->progress, c->quiet, err);
    if (!s)
        return false;
    const audio_folder one = {.streams = &s, .count = 1};
    bool ok = is_peaks(c->type) ? write_peaks(c, s, err) : draw(c, &one, err);
    progress_end(&w.progress, ok);
    return ok;
}

static bool run_stems(config *c, ap_error *err)
{
    audio_folder list;
    bool ok = folder_open(&list, &plot, c->stems, c->quiet, err);
    if (ok && !c->plot.title && !ap_tags_get(ap_stream_tags(list.streams[0]), "TITLE"))
        c->plot.title = list.name;
    ok = ok && draw(c, &list, err);
    folder_close(&list);
    return ok;
}

int main(int argc, char **argv)
{
    config c = {0};
    ap_plot_defaults(&c.plot);
    ap_peaks_defaults(&c.peaks);
    const option_group groups[OPTION_GROUPS] = {{rows, &c}};
    int operand = parse_options(&plot, groups, argc, argv);
    const char *input = operand < argc ? argv[operand] : NULL;
    if (operand + (c.stems ? 0 : 1) < argc)
        usage_error(&plot, "one input at a time: '%s' is one too many", argv[operand + (c.stems ? 0 : 1)]);
    settle(&c);
    filter_start();
    if (!input && !c.stems && isatty(STDIN_FILENO))
        usage_error(&plot, "no input: name a file, or pipe audio in");
    if (to_stdout(&c) && isatty(STDOUT_FILENO))
        usage_error(&plot, "standard output is a terminal: name a file with -o, or use a pipe");
    ap_error err;
    bool ok = c.stems ? run_stems(&c, &err) : run_one(&c, input, &err);
    return ok ? AP_OK : filter_fail(&plot, &err);
}
