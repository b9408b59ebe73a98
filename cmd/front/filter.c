/* SPDX-License-Identifier: GPL-3.0-or-later
 * filter.c - the front end that all filters share. */
#include "front/filter.h"
#include "base/error.h"
#include "base/path.h"
#include "front/many.h"
#include "front/naming.h"
#include "stream/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
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

ap_stream *filter_open(const char *path, const ap_decode_options *options, ap_error *err)
{
    bool named = path && strcmp(path, "-") != 0;
    ap_stream *s =
        named ? ap_decode(path, options, err) : ap_decode_fd(STDIN_FILENO, "standard input", options, err);
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

/* To the end of standard output, also of what a network file system stores late. */
static bool close_stdout(ap_error *err)
{
    return close(STDOUT_FILENO) == 0 || ap_fail_errno(err, errno, "cannot write 'standard output'");
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
    for (size_t i = 0; ok && !out->common.quiet && i < count; i++)
        output_report(c, outputs[i].path, rate, &reports[i]);
    free(options);
    free(reports);
    return ok;
}

static bool make_options(const filter *f, const output_config *out, ap_encode_options *options, ap_error *err)
{
    output_encode_options(out, options);
    return !f->encoding || f->encoding(f->config, options, err);
}

static bool run(const filter *f, const char *input, const output_config *out, ap_error *err)
{
    ap_decode_options decode;
    ap_encode_options encode;
    ap_decode_defaults(&decode);
    if (f->decoding)
        f->decoding(f->config, &decode);
    if (!make_options(f, out, &encode, err))
        return false;
    ap_stream *s = filter_open(input, &decode, err);
    if (f->build)
        s = f->build(s, f->config, err);
    return filter_write(&f->command, s, out, &encode, err);
}

static bool prepare(const filter *f, ap_error *err)
{
    return !f->prepare || f->prepare(f->config, err);
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

/* ---- many inputs */

typedef struct many_outputs {
    const filter *filter;
    const output_config *out;
} many_outputs;

static bool check_output(void *user, const char *output, ap_error *err)
{
    const many_outputs *m = user;
    ap_encode_options options;
    return make_options(m->filter, m->out, &options, err) && ap_encode_check(output, &options, err);
}

static work_result work(void *user, const plan_item *item, unsigned threads, FILE *report, ap_error *err)
{
    const many_outputs *m = user;
    char *input = item->input;
    const sources in = {&input, 1, NULL};
    output_config out = *m->out;
    (void)report;
    out.path = item->output;
    out.threads = threads;
    bool ok = target_check(out.path, &in, output_rule(&out), err) && run(m->filter, item->input, &out, err);
    return ok ? WORK_DONE : WORK_FAILED;
}

static int run_many(const filter *f, const output_config *out, const many_config *config,
                    const option_group *groups, char **inputs, int count)
{
    many_outputs user = {f, out};
    const char *output = out->path ? out->path : "-";
    const char *format = out->format ? out->format : f->extension;
    ap_error err;
    const many m = {.command = &f->command,
                    .config = config,
                    .common = &out->common,
                    .operands = inputs,
                    .count = (size_t)count,
                    .output = output,
                    .threads = out->threads,
                    .rules = {.format = format,
                              .fallback = "wav",
                              .rule = output_rule(out),
                              .groups = groups,
                              .check = check_output,
                              .user = &user},
                    .work = work,
                    .user = &user};
    if (format && !*format && naming_has_extension(output))
        usage_error(&f->command, "which format? Name it with -t, or in a pattern such as 'DIR/{name}.mp3'");
    filter_start();
    return prepare(f, &err) ? many_run(&m) : filter_fail(&f->command, &err);
}

/* ---- */

int filter_main(const filter *f, int argc, char **argv)
{
    static char standard_input[] = "-";
    output_config out = {0};
    many_config config = {0};
    const option_group groups[OPTION_GROUPS] = {
        {f->rows, f->config}, {output_rows, &out}, {common_rows, &out.common}, {many_rows, &config}};
    int operand = parse_options(&f->command, groups, argc, argv);
    if (many_wanted(&config, out.path, argc - operand))
        return run_many(f, &out, &config, groups, argv + operand, argc - operand);
    const char *input = filter_input(&f->command, argc, argv, operand);
    output_check_terminal(&f->command, out.path);
    char *name = input ? argv[operand] : standard_input;
    ap_error err;
    made_folders made = {0};
    bool ok = target_check(out.path, &(sources){&name, 1, groups}, output_rule(&out), &err) &&
              target_make_folders(&made, out.path, &err) && prepare(f, &err) && run(f, input, &out, &err);
    target_end(&made, ok);
    return ok ? AP_OK : filter_fail(&f->command, &err);
}
