/* SPDX-License-Identifier: GPL-3.0-or-later
 * filter.c - the front end that all filters share. */
#include "front/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const option_row output_rows[] = {
    {'o', "output", OPTION_TEXT, "FILE", offsetof(output_config, path),
     "write to FILE; its extension names the format"},
    {'t', "type", OPTION_TEXT, "FORMAT", offsetof(output_config, format),
     "mp3, flac, wav, aiff, ogg, opus or au (default on standard output: apstream)"},
    {'b', "bitrate", OPTION_NUMBER, "KBPS", offsetof(output_config, bitrate_kbps),
     "bit rate of mp3, ogg, opus in kbit/s", 0, 2048, NULL, NULL, true},
    {0, "bits", OPTION_CHOICE, NULL, offsetof(output_config, bits), "sample format of flac, wav, aiff, au", 0,
     0, "default|16|24|32|float", NULL, true},
    {'j', "threads", OPTION_COUNT, "N", offsetof(output_config, threads),
     "threads for encoding mp3; 0 = all cores", 0, 1024, NULL, NULL, false},
    {0, "progress", OPTION_CHOICE, NULL, offsetof(output_config, progress), "how to show progress on stderr",
     0, 0, "auto|bar|json|none", NULL, false},
    {'q', "quiet", OPTION_ON, NULL, offsetof(output_config, quiet), "no progress, no warnings"},
    {0},
};

static volatile sig_atomic_t caught_signal;

static void on_signal(int number)
{
    caught_signal = number;
}

void filter_start(void)
{
    /* A closed standard descriptor would be given to the first file that is opened. /dev/null opened the
     * wrong way round fails on use, as a closed one does. */
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
    /* No SA_RESTART: a read that waits is interrupted. The second signal of a kind kills. */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

int filter_fail(const command *c, const ap_error *err)
{
    if (caught_signal) {
        signal(caught_signal, SIG_DFL);
        raise(caught_signal);
    }
    complain(c, "%s", err->message);
    return err->code;
}

bool filter_go_on(ap_error *err)
{
    if (caught_signal)
        *err = (ap_error){AP_FAILED, "interrupted"};
    return !caught_signal;
}

static bool go_on(void *user, ap_stream *s, const float *frames, size_t count, ap_error *err)
{
    (void)user;
    (void)s;
    (void)frames;
    (void)count;
    return filter_go_on(err);
}

ap_stream *filter_open(const char *path, const ap_decode_options *options, ap_error *err)
{
    bool named = path && strcmp(path, "-") != 0;
    ap_stream *s =
        named ? ap_decode(path, options, err) : ap_decode_fd(STDIN_FILENO, "standard input", options, err);
    return ap_tap(s, go_on, NULL, err);
}

static bool to_stdout(const output_config *out)
{
    return !out->path || strcmp(out->path, "-") == 0;
}

void filter_check_output(const command *c, const output_config *out)
{
    if (to_stdout(out) && isatty(STDOUT_FILENO))
        usage_error(c, "standard output is a terminal: name a file with -o, or use a pipe");
}

void filter_encode_options(const output_config *out, ap_encode_options *options)
{
    static const ap_bits bits[] = {AP_BITS_DEFAULT, AP_BITS_16, AP_BITS_24, AP_BITS_32, AP_BITS_FLOAT};
    ap_encode_defaults(options);
    options->format = out->format;
    options->bits = bits[out->bits];
    options->bitrate_kbps = out->bitrate_kbps;
    options->threads = out->threads;
}

static void print_warnings(const watcher *w, ap_stream *s)
{
    const char *warning;
    while (!w->quiet && (warning = ap_stream_warning(s)))
        complain(w->command, "warning: %s", warning);
}

static bool watch(void *user, ap_stream *s, const float *frames, size_t count, ap_error *err)
{
    watcher *w = user;
    if (!go_on(NULL, s, frames, count, err))
        return false;
    if (count)
        progress_add(&w->progress, count);
    else
        print_warnings(w, s);
    return true;
}

ap_stream *filter_watch(watcher *w, const command *c, ap_stream *s, int style, bool quiet, ap_error *err)
{
    if (!s)
        return NULL;
    *w = (watcher){.command = c, .quiet = quiet};
    progress_start(&w->progress, c->name, ap_stream_format(s), quiet ? PROGRESS_NONE : style);
    return ap_tap(s, watch, w, err);
}

bool filter_drain(const command *c, ap_stream *s, const output_config *out, ap_error *err)
{
    enum { BLOCK = 4096 };
    if (!s)
        return false;
    watcher w;
    float *block = malloc(BLOCK * ap_stream_format(s)->channels * sizeof *block);
    s = filter_watch(&w, c, s, out->progress, out->quiet, err);
    if (s && !block)
        *err = (ap_error){AP_TRY_AGAIN, "out of memory"};
    ptrdiff_t n = s && block ? 1 : -1;
    while (n > 0)
        n = ap_read(s, block, BLOCK, err);
    progress_end(&w.progress, n == 0);
    ap_close(&s);
    free(block);
    return n == 0;
}

/* What became of a stream of this rate on its way into the file. */
static void print_report(const command *c, const char *path, uint32_t rate, const ap_encode_report *report)
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

bool filter_write(const command *c, ap_stream *s, const output_config *out, const ap_encode_options *encode,
                  ap_error *err)
{
    if (!s)
        return false;
    ap_encode_report report = {0};
    ap_encode_options options;
    filter_encode_options(out, &options);
    if (encode)
        options = *encode;
    if (to_stdout(out) && !options.format)
        options.format = "au"; /* an apstream */
    options.report = &report;
    watcher w;
    uint32_t rate = ap_stream_format(s)->rate;
    s = filter_watch(&w, c, s, out->progress, out->quiet, err);
    bool ok = to_stdout(out) ? ap_encode_fd(s, STDOUT_FILENO, "standard output", &options, err)
                             : ap_encode(s, out->path, &options, err);
    progress_end(&w.progress, ok);
    if (ok && to_stdout(out) && close(STDOUT_FILENO) != 0) { /* a network file system may fail late */
        err->code = AP_FAILED;
        snprintf(err->message, sizeof err->message, "cannot write 'standard output': %s", strerror(errno));
        return false;
    }
    if (ok && !out->quiet)
        print_report(c, NULL, rate, &report);
    return ok;
}

bool filter_write_split(const command *c, ap_stream *s, const output_config *out, ap_split_output *outputs,
                        size_t count, ap_error *err)
{
    ap_encode_options *options = calloc(count, sizeof *options);
    ap_encode_report *reports = calloc(count, sizeof *reports);
    bool ok = options && reports;
    uint32_t rate = s ? ap_stream_format(s)->rate : 0;
    if (!ok && s)
        *err = (ap_error){AP_TRY_AGAIN, "out of memory"};
    for (size_t i = 0; ok && i < count; i++) {
        options[i] = *outputs[i].options;
        options[i].report = &reports[i];
        outputs[i].options = &options[i];
    }
    if (ok && s) {
        watcher w;
        s = filter_watch(&w, c, s, out->progress, out->quiet, err);
        ok = ap_encode_split(s, outputs, count, err);
        progress_end(&w.progress, ok);
    } else {
        ap_close(&s);
        ok = false;
    }
    for (size_t i = 0; ok && !out->quiet && i < count; i++)
        print_report(c, outputs[i].path, rate, &reports[i]);
    free(options);
    free(reports);
    return ok;
}

static bool run(const filter *f, const char *input, const output_config *out, ap_error *err)
{
    ap_decode_options decode;
    ap_encode_options encode;
    ap_decode_defaults(&decode);
    filter_encode_options(out, &encode);
    if (f->decoding)
        f->decoding(f->config, &decode);
    if (f->encoding && !f->encoding(f->config, &encode, err))
        return false;
    if (f->prepare && !f->prepare(f->config, err))
        return false;
    ap_stream *s = filter_open(input, &decode, err);
    if (f->build)
        s = f->build(s, f->config, err);
    return filter_write(&f->command, s, out, &encode, err);
}

const char *filter_input(const command *c, int argc, char **argv, int operand)
{
    if (operand + 1 < argc)
        usage_error(c, "one input at a time: '%s' is one too many", argv[operand + 1]);
    const char *input = operand < argc ? argv[operand] : NULL;
    filter_start();
    if (!input && isatty(STDIN_FILENO))
        usage_error(c, "no input: name a file, or pipe audio in");
    return input;
}

int filter_main(const filter *f, int argc, char **argv)
{
    output_config out = OUTPUT_DEFAULTS;
    const option_group groups[OPTION_GROUPS] = {{f->rows, f->config}, {output_rows, &out}};
    int operand = parse_options(&f->command, groups, argc, argv);
    const char *input = filter_input(&f->command, argc, argv, operand);
    filter_check_output(&f->command, &out);
    ap_error err;
    return run(f, input, &out, &err) ? AP_OK : filter_fail(&f->command, &err);
}
