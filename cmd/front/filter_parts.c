/* SPDX-License-Identifier: GPL-3.0-or-later
 * filter_parts.c - signals, the input, what watches a stream, writing it. */
#include "front/filter_parts.h"
#include "base/error.h"
#include "base/path.h"
#include "stream/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
        return ap_fail(err, AP_FAILED, "interrupted");
    return true;
}

static bool go_on(void *user, ap_stream *s, const float *frames, size_t count, ap_error *err)
{
    (void)user;
    (void)s;
    (void)frames;
    (void)count;
    return filter_go_on(err);
}

/* --verbose */
static void remark_input(const ap_stream *s)
{
    const ap_details *d = ap_stream_details(s);
    const ap_format *f = ap_stream_format(s);
    const uint32_t mask = f->mask ? f->mask : ap_default_mask(f->channels);
    char text[64];
    const char *layout =
        mask && mask != AP_DISCRETE ? ap_layout_name(mask, text, sizeof text) : "no positions";
    remark("'%s': %s, %s, %u Hz, %u channels (%s)", ap_stream_name(s), d ? d->format : "raw",
           d ? d->codec : "pcm", f->rate, f->channels, layout);
    if (f->frames != AP_UNKNOWN)
        remark("'%s': %llu frames, %.3f s", ap_stream_name(s), (unsigned long long)f->frames,
               (double)f->frames / f->rate);
}

ap_stream *filter_open(const common_config *common, const char *path, const ap_decode_options *options,
                       ap_error *err)
{
    bool named = path && strcmp(path, "-") != 0;
    ap_decode_options o;
    ap_decode_defaults(&o);
    if (options)
        o = *options;
    o.raw = common ? common->raw : NULL;
    ap_stream *s = named ? ap_decode(path, &o, err) : ap_decode_fd(STDIN_FILENO, "standard input", &o, err);
    if (s)
        remark_input(s);
    return ap_tap(s, go_on, NULL, err);
}

/* ---- writing and reading */

static void print_warnings(const watcher *w, ap_stream *s)
{
    const char *warning;
    while (!w->quiet && !w->mute && (warning = ap_stream_warning(s)))
        complain(w->command, "warning: %s", warning);
}

static bool watch(void *user, ap_stream *s, const float *frames, size_t count, ap_error *err)
{
    watcher *w = user;
    if (!go_on(NULL, s, frames, count, err))
        return false;
    if (count) {
        progress_add(&w->progress, count);
        return true;
    }
    progress_hide();
    print_warnings(w, s);
    return true;
}

ap_stream *filter_watch(watcher *w, ap_stream *s, ap_error *err)
{
    if (!s)
        return NULL;
    progress_start(&w->progress, w->command->name, w->doing, ap_leaf(ap_stream_name(s)), ap_stream_format(s),
                   w->quiet ? PROGRESS_NONE : w->style);
    if (w->mute && w->progress.style != PROGRESS_BAR)
        w->progress.style = PROGRESS_NONE; /* for programs there is one pass */
    if (ap_stream_format(s)->frames == 0)
        print_warnings(w, s); /* nobody reads a stream without frames to its end */
    return ap_tap(s, watch, w, err);
}

bool filter_drain(const command *c, ap_stream *s, const common_config *common, ap_error *err)
{
    enum { BLOCK = 4096 };
    if (!s)
        return false;
    watcher w = {.command = c, .doing = "measuring", .style = common->progress, .quiet = common->quiet};
    float *block = malloc(BLOCK * ap_stream_format(s)->channels * sizeof *block);
    s = filter_watch(&w, s, err);
    ptrdiff_t n = s && (block || ap_fail_memory(err)) ? 1 : -1;
    while (n > 0)
        n = ap_read(s, block, BLOCK, err);
    progress_end(&w.progress, n == 0);
    ap_close(&s);
    free(block);
    return n == 0;
}

/* Closes standard output: a network file system may report only then that there was no room. */
static bool close_stdout(ap_error *err)
{
    return close(STDOUT_FILENO) == 0 || ap_fail_errno(err, errno, "cannot write 'standard output'");
}

/* --verbose */
static void remark_output(const char *name, const ap_encode_report *r)
{
    remark("'%s': %llu frames at %u Hz, peak %.2f dBFS, %llu clipped", name, (unsigned long long)r->frames,
           r->rate, 20 * log10(r->peak), (unsigned long long)r->clipped);
}

bool filter_write(const command *c, ap_stream *s, const output_config *out, const ap_encode_options *encode,
                  ap_error *err)
{
    if (!s)
        return false;
    const bool to_stdout = is_standard(out->path);
    ap_encode_report report = {0};
    ap_encode_options options;
    output_encode_options(out, &options);
    if (encode)
        options = *encode;
    if (to_stdout && !options.format)
        options.format = "au"; /* an apstream */
    options.report = &report;
    watcher w = {.command = c, .style = out->common.progress, .quiet = out->common.quiet};
    uint32_t rate = ap_stream_format(s)->rate;
    s = filter_watch(&w, s, err);
    bool ok = to_stdout ? ap_encode_fd(s, STDOUT_FILENO, "standard output", &options, err)
                        : ap_encode(s, out->path, &options, err);
    progress_end(&w.progress, ok);
    if (ok && to_stdout)
        ok = close_stdout(err);
    if (ok)
        remark_output(to_stdout ? "standard output" : out->path, &report);
    if (ok && !out->common.quiet)
        output_report(c, NULL, rate, &report);
    return ok;
}

bool filter_write_split(const command *c, ap_stream *s, const output_config *out, ap_split_output *outputs,
                        size_t count, ap_error *err)
{
    ap_encode_options *options = calloc(count, sizeof *options);
    ap_encode_report *reports = calloc(count, sizeof *reports);
    bool ok = !s || (options && reports) || ap_fail_memory(err);
    uint32_t rate = s ? ap_stream_format(s)->rate : 0;
    for (size_t i = 0; ok && s && i < count; i++) {
        options[i] = *outputs[i].options;
        options[i].report = &reports[i];
        outputs[i].options = &options[i];
    }
    if (ok && s) {
        watcher w = {.command = c, .style = out->common.progress, .quiet = out->common.quiet};
        s = filter_watch(&w, s, err);
        ok = ap_encode_split(s, outputs, count, err);
        progress_end(&w.progress, ok);
    } else {
        ap_close(&s);
        ok = false;
    }
    for (size_t i = 0; ok && i < count; i++) {
        remark_output(outputs[i].path, &reports[i]);
        if (!out->common.quiet)
            output_report(c, outputs[i].path, rate, &reports[i]);
    }
    free(options);
    free(reports);
    return ok;
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
