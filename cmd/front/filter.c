/* SPDX-License-Identifier: GPL-3.0-or-later
 * filter.c - the front end that all filters share: one input, or many. */
#include "front/filter.h"
#include "front/many.h"
#include "front/naming.h"

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
    ap_stream *s = filter_open(&out->common, input, &decode, err);
    if (f->build)
        s = f->build(s, f->config, err);
    return filter_write(&f->command, s, out, &encode, err);
}

static bool prepare(const filter *f, ap_error *err)
{
    return !f->prepare || f->prepare(f->config, err);
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

/* ---- the command */

int filter_main(const filter *f, int argc, char **argv)
{
    static char standard_input[] = "-";
    output_config out = {0};
    many_config config = {0};
    const option_group groups[OPTION_GROUPS] = {{f->rows, f->config},
                                                {output_rows, &out},
                                                {common_rows, &out.common},
                                                {input_rows, &out.common},
                                                {many_rows, &config}};
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
