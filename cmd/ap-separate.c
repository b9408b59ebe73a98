/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-separate - music to stems: vocals, drums, bass, other. */
#include "base/cores.h"
#include "base/error.h"
#include "front/filter.h"
#include "front/stems.h"
#include "separate/asked.h"
#include "separate/four.h"

#include <stdio.h>
#include <string.h>

typedef struct config {
    ap_separate_options separate;
    enum { REST_ADD, REST_MINUS } other_method;
    asked_options asked;
    unsigned jobs;
    bool resume;
    char state[4096]; /* "": nothing is kept */
    const char *stem_codec;
    ap_separator *separator;
    asked all;
    four four;
} config;

static void print_model(void *user, const char *name, const char *description, const char *missing)
{
    (void)user;
    printf("%s\t%s\t%s\n", name, *missing ? "missing" : "ready", description);
    if (*missing)
        printf("\t\tneeds %s: ap-fetch-model %s\n", missing, name);
}

static bool list_models(void *cfg, const char *argument, ap_error *err)
{
    (void)cfg;
    (void)argument;
    return ap_models_list(print_model, NULL, err);
}

static bool add_mix(void *cfg, const char *argument, ap_error *err)
{
    asked_options *o = &((config *)cfg)->asked;
    if (o->mix_count == MAX_MIXES)
        return ap_fail(err, AP_USAGE, "'%s' is one too many", argument);
    o->mixes[o->mix_count++] = argument;
    return true;
}

#define AT(field) offsetof(config, field)

static const choice other_methods[] = {{"add", REST_ADD}, {"minus", REST_MINUS}, {0}};
static const choice ensembles[] = {{"mean", AP_ENSEMBLE_MEAN},   {"median", AP_ENSEMBLE_MEDIAN},
                                   {"min", AP_ENSEMBLE_MIN},     {"max", AP_ENSEMBLE_MAX},
                                   {"first", AP_ENSEMBLE_FIRST}, {0}};
static const choice ensembles_on[] = {{"samples", AP_ON_SAMPLES}, {"spectra", AP_ON_SPECTRA}, {0}};

static const option_row rows[] = {
    ROW_TEXT('n', "model", "NAME", AT(separate.model),
             "a model's name, signature or file; several with commas between them"),
    ROW_CHOICE(0, "ensemble", ensembles, AT(separate.ensemble),
               "several models on the same music, not each on a stem of the one before", .no_default = true),
    ROW_CHOICE(0, "ensemble-on", ensembles_on, AT(separate.ensemble_on),
               "of samples or of spectra; by default spectra for min and max", .no_default = true),
    ROW_TEXT(0, "two-stems", "STEM", AT(asked.two_stems),
             "only STEM and no_STEM, which is all that is not STEM"),
    ROW_CHOICE(0, "other-method", other_methods, AT(other_method),
               "no_STEM is the sum of the other stems, or the mix without STEM"),
    ROW_ON(0, "residual", AT(asked.residual), "add what no stem got to 'other'"),
    ROW_CALL(0, "mix", "NAME=STEM+...", add_mix,
             "one more stem: a sum or difference of stems, and of 'mix', all of it (repeatable)"),
    ROW_COUNT('c', "channels", "N", AT(separate.channels), 0, 2,
              "channels of the stems; 0 = as the model gives them"),
    ROW_FILE(0, "config", "FILE", AT(separate.config), "the .yaml file of a .ckpt; without .yaml: settings"),
    ROW_NUMBER(0, "overlap", "N", AT(separate.overlap), 0, 100,
               "share of a segment that overlaps with the next, below 1; or how many cover each moment",
               .no_default = true),
    ROW_COUNT(0, "chunk", "FRAMES", AT(separate.chunk_frames), 0, 1e7,
              "length of the segments in frames; 0 = by --segment"),
    ROW_NUMBER(0, "segment", "SECONDS", AT(separate.segment_s), 0, 600,
               "length of the segments; 0 = the model's"),
    ROW_COUNT(0, "shifts", "N", AT(separate.shifts), 0, 100, "average over N random shifts"),
    ROW_SEED(0, "seed", "N", AT(separate.seed), "seed of the shifts"),
    ROW_TEXT(0, "stem-codec", "CODEC", AT(stem_codec), "of a .stem.mp4 file: aac or alac"),
    ROW_COUNT(0, "jobs", "N", AT(jobs), 1, 64,
              "songs at a time, each with its own model and its share of the threads"),
    ROW_ON(0, "resume", AT(resume),
           "keep what is done beside the output, and go on from there the next time"),
    ROW_TEXT(0, "device", "DEVICE", AT(separate.device), "auto, cpu or cuda"),
    ROW_ANSWER(0, "list-models", list_models, "show the models, and which files they need"),
    {0},
};

/* While a network computes. */
static bool go_on(void *user, ap_error *err)
{
    (void)user;
    return filter_go_on(err);
}

/* While a chain works on what its last model will get. */
static bool see_progress(void *user, uint64_t frames, uint64_t total, ap_error *err)
{
    (void)user, (void)frames, (void)total;
    return filter_go_on(err);
}

static ap_separator *open_model(const ap_separate_options *o, ap_error *err)
{
    ap_separator *separator = ap_separator_open(o, err);
    const char *engine = separator ? ap_separator_engine(separator) : NULL;
    if (separator)
        remark("model '%s'%s%s", ap_separator_model(separator), engine ? ": " : "", engine ? engine : "");
    return separator;
}

static size_t names(void *cfg, const output_config *out, const char *list[MAX_STEMS], size_t *in_folder,
                    ap_error *err)
{
    config *c = cfg;
    const unsigned threads = out->threads ? out->threads : ap_cores();
    c->separate.threads = threads > c->jobs ? threads / c->jobs : 1;
    c->separate.progress = see_progress;
    c->separate.go_on = go_on;
    c->asked.rest_minus = c->other_method == REST_MINUS;
    if (!c->separator)
        c->separator = open_model(&c->separate, err);
    if (!c->separator || !asked_of(&c->all, c->separator, &c->asked, err))
        return 0;
    for (size_t i = 0; i < c->all.count; i++)
        list[i] = c->all.list[i].name;
    *in_folder = c->all.in_folder;
    return c->all.count;
}

static ap_stream *build(ap_stream *s, void *cfg, const bool *wanted, ap_error *err)
{
    const config *c = cfg;
    ap_stem_mix mixes[MAX_STEMS];
    size_t count = 0;
    for (size_t i = 0; i < c->all.count; i++)
        if (wanted[i])
            mixes[count++] = c->all.list[i].mix;
    return ap_separate_resumable(s, c->separator, mixes, count, *c->state ? c->state : NULL, err);
}

static ap_stream *build_file(ap_stream *s, void *cfg, ap_stem_file_options *o, ap_error *err)
{
    config *c = cfg;
    o->codec = c->stem_codec;
    bool ok = four_of(&c->four, &c->all, &c->asked, c->separator, err);
    for (size_t i = 0; i < AP_STEM_FILE_STEMS; i++)
        o->names[i] = c->four.names[i];
    if (c->separate.channels == 1)
        ok = ap_fail(err, AP_USAGE, "a .stem.mp4 file has two channels for each stem");
    if (!ok)
        ap_close(&s);
    return ap_separate_resumable(s, c->separator, c->four.mixes, 1 + AP_STEM_FILE_STEMS,
                                 *c->state ? c->state : NULL, err);
}

/* All networks want the mean of the whole, or more. */
static bool reads_first(const void *cfg)
{
    const config *c = cfg;
    return strcmp(ap_separator_model(c->separator), "dsp") != 0;
}

static bool begin(void *cfg, const char *output, ap_error *err)
{
    config *c = cfg;
    *c->state = 0;
    if (!c->resume)
        return true;
    if (strncmp(output, "/dev/", 5) == 0 || strstr(output, "://"))
        return ap_fail(err, AP_USAGE,
                       "--resume keeps what is done beside the output: name a file or a folder");
    return snprintf(c->state, sizeof c->state, "%s.resume", output) < (int)sizeof c->state ||
           ap_fail(err, AP_USAGE, "the name of '%.80s...' is too long", output);
}

static void finish(void *cfg)
{
    const config *c = cfg;
    if (*c->state)
        ap_separate_forget(c->state);
}

int main(int argc, char **argv)
{
    static config c;
    const stem_filter f = {
        .command = {"ap-separate", "[INPUT]...",
                    "Separates music into stems: vocals, drums, bass and the rest."},
        .rows = rows,
        .config = &c,
        .names = names,
        .build = build,
        .build_file = build_file,
        .reads_first = reads_first,
        .begin = begin,
        .finish = finish,
        .jobs = &c.jobs,
    };
    ap_separate_defaults(&c.separate);
    c.stem_codec = "aac";
    c.jobs = 1; /* the memory of a network */
    int status = stems_main(&f, argc, argv);
    ap_separator_close(&c.separator);
    return status;
}
