/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-trim - cuts, silence at the ends, fades; and one stream in pieces. */
#include "base/error.h"
#include "front/many.h"
#include "front/pieces.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A time as it was given: seconds, or frames. */
typedef struct moment {
    double seconds; /* < 0: not given */
    uint64_t frames;
    bool in_frames;
} moment;

typedef struct config {
    moment start, duration;
    bool silence, split;
    const char *cue;
    ap_silence_options options;
    ap_fade_options fade;
} config;

static bool parse_moment(moment *m, const char *text, ap_error *err)
{
    size_t digits = strspn(text, "0123456789");
    errno = 0;
    if (digits && strcmp(text + digits, "f") == 0) {
        *m = (moment){0, strtoull(text, NULL, 10), true};
        if (errno == 0)
            return true;
    } else if (parse_time(text, &m->seconds) && m->seconds <= 1e9) {
        m->in_frames = false;
        return true;
    }
    return ap_fail(err, AP_USAGE, "'%.200s' is no time: seconds, h:m:s, or frames as 44100f", text);
}

static bool set_start(void *user, const char *text, ap_error *err)
{
    return parse_moment(&((config *)user)->start, text, err);
}

static bool set_duration(void *user, const char *text, ap_error *err)
{
    return parse_moment(&((config *)user)->duration, text, err);
}

#define AT(field) offsetof(config, field)

static const choice curves[] = {{"linear", AP_CURVE_LINEAR},     {"quarter", AP_CURVE_QUARTER},
                                {"half", AP_CURVE_HALF},         {"log", AP_CURVE_LOG},
                                {"parabola", AP_CURVE_PARABOLA}, {0}};

static const option_row rows[] = {
    ROW_CALL('s', "start", "TIME", set_start, "start here: seconds, h:m:s, or frames as 44100f"),
    ROW_CALL('d', "duration", "TIME", set_duration, "stop after this much"),
    ROW_ON(0, "silence", AT(silence), "cut silence off at both ends"),
    ROW_OFF(0, "no-start", AT(options.start), "with --silence: leave the beginning as it is"),
    ROW_OFF(0, "no-end", AT(options.end), "with --silence: leave the end as it is"),
    ROW_NUMBER('l', "level", "DBFS", AT(options.level_dbfs), -200, 0,
               "silence is where no sample exceeds this"),
    ROW_NUMBER(0, "min-silence", "SECONDS", AT(options.silence_s), 0, 3600,
               "silence shorter than this stays; with --split 0.5 if nothing is said"),
    ROW_NUMBER(0, "min-sound", "SECONDS", AT(options.sound_s), 0, 3600,
               "sound shorter than this is a click, and counts as silence"),
    ROW_NUMBER(0, "keep", "SECONDS", AT(options.keep_s), 0, 3600,
               "silence to leave before and after the sound"),
    ROW_TIME(0, "fade-in", "TIME", AT(fade.in_s), 0, 3600, "rise from silence"),
    ROW_TIME(0, "fade-out", "TIME", AT(fade.out_s), 0, 3600, "fall to silence at the end"),
    ROW_CHOICE(0, "curve", curves, AT(fade.curve), "shape of the fades"),
    ROW_ON(0, "split", AT(split),
           "each sound between two silences becomes a file in the folder that -o names"),
    ROW_FILE(0, "cue", "FILE", AT(cue),
             "each track of a cue sheet becomes a file in the folder that -o names"),
    {0},
};

static bool is_given(const moment *m)
{
    return m->in_frames || m->seconds >= 0;
}

static uint64_t frames_of(const moment *m, uint32_t rate, uint64_t missing)
{
    if (!is_given(m))
        return missing;
    return m->in_frames ? m->frames : (uint64_t)(m->seconds * rate + 0.5);
}

/* What happens to the whole, before it is taken to pieces. */
static ap_stream *cut(ap_stream *s, const config *c, ap_error *err)
{
    if (s && (is_given(&c->start) || is_given(&c->duration))) {
        uint32_t rate = ap_stream_format(s)->rate;
        s = ap_trim(s, frames_of(&c->start, rate, 0), frames_of(&c->duration, rate, AP_UNKNOWN), err);
    }
    if (c->silence)
        s = ap_trim_silence(s, &c->options, err);
    return s && (c->fade.in_s > 0 || c->fade.out_s > 0) ? ap_fade(s, &c->fade, err) : s;
}

/* The pieces of s, which may be another stream then; NULL on failure. */
static ap_stream *find_pieces(ap_stream *s, const config *c, piece_list *list, ap_error *err)
{
    ap_section *sections = NULL;
    size_t count;
    bool ok = false;
    if (s && c->cue)
        ok = pieces_of_cue(list, c->cue, ap_stream_format(s)->rate, err);
    else if ((s = ap_find_sections(s, &c->options, &sections, &count, err)))
        ok = pieces_of_sections(list, sections, count, err);
    free(sections);
    if (!ok)
        ap_close(&s);
    return s;
}

static bool split(const command *about, ap_stream *s, const config *c, const output_config *out,
                  const sources *in, ap_error *err)
{
    piece_list list = {.in = in, .input = strcmp(in->names[0], "-") == 0 ? "stdin" : in->names[0]};
    s = find_pieces(s, c, &list, err);
    bool ok = pieces_write(about, s, &list, out, err);
    pieces_free(&list);
    return ok;
}

static bool write_one(const command *about, ap_stream *s, const output_config *out, const sources *in,
                      ap_error *err)
{
    made_folders made = {0};
    bool ok =
        s && target_check(out->path, in, output_rule(out), err) && target_make_folders(&made, out->path, err);
    if (!ok)
        ap_close(&s);
    ok = ok && filter_write(about, s, out, NULL, err);
    target_end(&made, ok);
    return ok;
}

/* ---- many inputs */

typedef struct many_parts {
    const command *about;
    const config *config;
    const output_config *out;
} many_parts;

static work_result work(void *user, const plan_item *item, unsigned threads, FILE *report, ap_error *err)
{
    const many_parts *m = user;
    char *input = item->input;
    output_config out = *m->out;
    (void)report;
    out.path = item->output;
    out.threads = threads;
    ap_stream *s = cut(filter_open(&out.common, input, NULL, err), m->config, err);
    return write_one(m->about, s, &out, &(sources){&input, 1, NULL}, err) ? WORK_DONE : WORK_FAILED;
}

static bool check_output(void *user, const char *output, ap_error *err)
{
    ap_encode_options encode;
    output_encode_options(((const many_parts *)user)->out, &encode);
    return ap_encode_check(output, &encode, err);
}

static int run_many(many_parts *user, const many_config *files, const option_group *groups, char **inputs,
                    int count)
{
    const output_config *out = user->out;
    const many m = {.command = user->about,
                    .config = files,
                    .common = &out->common,
                    .operands = inputs,
                    .count = (size_t)count,
                    .output = out->path ? out->path : "-",
                    .threads = out->threads,
                    .rules = {.format = out->format,
                              .fallback = "wav",
                              .rule = output_rule(out),
                              .groups = groups,
                              .check = check_output,
                              .user = user},
                    .work = work,
                    .user = user};
    filter_start();
    return many_run(&m);
}

/* ---- the command */

static void check_config(const command *about, config *c, const output_config *out)
{
    bool pieces = c->split || c->cue;
    if (c->split && c->cue)
        usage_error(about, "--split and --cue exclude each other");
    if (!c->options.start && !c->options.end)
        usage_error(about, "--no-start and --no-end leave nothing for --silence");
    if (pieces && is_standard(out->path))
        usage_error(about, "pieces need a folder: name one with -o");
    if (c->split && c->options.silence_s == 0)
        c->options.silence_s = 0.5;
    if (!pieces)
        output_check_terminal(about, out->path);
}

int main(int argc, char **argv)
{
    static const command about = {"ap-trim", "[INPUT]...",
                                  "Cuts a part out, silence off, fades; or takes a long file to pieces."};
    static char standard_input[] = "-";
    config c = {.start.seconds = -1, .duration.seconds = -1};
    ap_silence_defaults(&c.options);
    ap_fade_defaults(&c.fade);
    output_config out = {0};
    many_config files = {0};
    const option_group groups[OPTION_GROUPS] = {{rows, &c},
                                                {output_rows, &out},
                                                {common_rows, &out.common},
                                                {input_rows, &out.common},
                                                {many_rows, &files}};
    int operand = parse_options(&about, groups, argc, argv);
    const bool pieces = c.split || c.cue;
    if (pieces && (files.recursive || files.list || files.skip_existing || files.dry_run))
        usage_error(&about, "pieces are of one input");
    if (!pieces && many_wanted(&files, out.path, argc - operand)) {
        check_config(&about, &c, &out);
        return run_many(&(many_parts){&about, &c, &out}, &files, groups, argv + operand, argc - operand);
    }
    const char *input = filter_input(&about, argc, argv, operand);
    char *name = input ? argv[operand] : standard_input;
    const sources in = {&name, 1, groups};
    check_config(&about, &c, &out);
    ap_error err;
    ap_stream *s = cut(filter_open(&out.common, input, NULL, &err), &c, &err);
    bool ok =
        c.split || c.cue ? split(&about, s, &c, &out, &in, &err) : write_one(&about, s, &out, &in, &err);
    return ok ? AP_OK : filter_fail(&about, &err);
}
