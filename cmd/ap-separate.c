/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-separate - music to stems: vocals, drums, bass, other. */
#include "base/error.h"
#include "front/stems.h"

#include <stdio.h>
#include <string.h>

typedef struct config {
    ap_separate_options separate;
    const char *two_stems;
    enum { REST_ADD, REST_MINUS } other_method;
    bool residual;
    ap_separator *separator;
    char rests[AP_MAX_STEMS][64]; /* no_STEM */
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

#define AT(field) offsetof(config, field)

static const choice other_methods[] = {{"add", REST_ADD}, {"minus", REST_MINUS}, {0}};

static const option_row rows[] = {
    ROW_TEXT('n', "model", "NAME", AT(separate.model), "a model's name, signature or file"),
    ROW_TEXT(0, "two-stems", "STEM", AT(two_stems), "only STEM and no_STEM, which is all that is not STEM"),
    ROW_CHOICE(0, "other-method", other_methods, AT(other_method),
               "no_STEM is the sum of the other stems, or the mix without STEM"),
    ROW_ON(0, "residual", AT(residual), "add what no stem got to 'other'"),
    ROW_COUNT('c', "channels", "N", AT(separate.channels), 0, 2,
              "channels of the stems; 0 = as the model gives them"),
    ROW_FILE(0, "config", "FILE", AT(separate.config),
             "the .yaml file of a .ckpt; default: that of the same name"),
    ROW_NUMBER(0, "overlap", "N", AT(separate.overlap), 0, 100,
               "share of a segment that overlaps with the next, below 1; or how many cover each moment",
               .no_default = true),
    ROW_COUNT(0, "chunk", "FRAMES", AT(separate.chunk_frames), 0, 1e7,
              "length of the segments in frames; 0 = by --segment"),
    ROW_NUMBER(0, "segment", "SECONDS", AT(separate.segment_s), 0, 600,
               "length of the segments; 0 = the model's"),
    ROW_COUNT(0, "shifts", "N", AT(separate.shifts), 0, 100, "average over N random shifts"),
    ROW_SEED(0, "seed", "N", AT(separate.seed), "seed of the shifts"),
    ROW_TEXT(0, "device", "DEVICE", AT(separate.device), "auto, cpu or cuda"),
    ROW_ANSWER(0, "list-models", list_models, "show the models, and which files they need"),
    {0},
};

/* ---- the stems: those of the model, then the rest for each of them; or one and its rest */

/* The number of a stem, or of how many there are if it is none. */
static size_t find_stem(const config *c, const char *name)
{
    size_t i = 0;
    while (i < ap_separator_stems(c->separator) && strcmp(ap_separator_stem(c->separator, i), name) != 0)
        i++;
    return i;
}

static size_t names(void *cfg, const output_config *out, const char *list[MAX_STEMS], size_t *in_folder,
                    ap_error *err)
{
    config *c = cfg;
    c->separate.threads = out->threads;
    c->separator = ap_separator_open(&c->separate, err);
    if (!c->separator)
        return 0;
    const size_t count = ap_separator_stems(c->separator);
    for (size_t i = 0; i < count; i++) {
        list[i] = ap_separator_stem(c->separator, i);
        list[count + i] = c->rests[i];
        snprintf(c->rests[i], sizeof c->rests[i], "no_%s", list[i]);
    }
    *in_folder = count;
    if (c->residual && find_stem(c, "other") == count)
        return ap_fail(err, AP_USAGE, "model '%s' has no stem 'other' for the residual",
                       ap_separator_model(c->separator));
    if (!c->two_stems)
        return 2 * count;
    const size_t stem = find_stem(c, c->two_stems);
    if (stem == count)
        return ap_fail(err, AP_USAGE, "model '%s' has no stem '%s'", ap_separator_model(c->separator),
                       c->two_stems);
    list[0] = list[stem];
    list[1] = c->rests[stem];
    return *in_folder = 2;
}

/* A stem, or all the rest: the sum of these stems, or the mix without the others. The latter has what no stem
 * got, which the residual puts where 'other' is. */
static ap_stem_mix mix_of(const config *c, size_t stem, bool rest)
{
    ap_stem_mix m = {0};
    const bool has_other = (stem == find_stem(c, "other")) != rest;
    const bool from_mix = c->residual ? has_other : rest && c->other_method == REST_MINUS;
    m.mix = from_mix;
    for (size_t i = 0; i < ap_separator_stems(c->separator); i++)
        m.stems[i] = (i == stem) != rest ? !from_mix : -from_mix;
    return m;
}

static ap_stream *build(ap_stream *s, void *cfg, unsigned wanted, ap_error *err)
{
    const config *c = cfg;
    ap_stem_mix mixes[MAX_STEMS];
    const size_t stems = c->two_stems ? 1 : ap_separator_stems(c->separator);
    size_t count = 0;
    for (size_t i = 0; i < 2 * stems; i++)
        if (wanted >> i & 1)
            mixes[count++] = mix_of(c, c->two_stems ? find_stem(c, c->two_stems) : i % stems, i >= stems);
    return ap_separate(s, c->separator, mixes, count, err);
}

int main(int argc, char **argv)
{
    static config c;
    const stem_filter f = {
        .command = {"ap-separate", "[INPUT]",
                    "Separates music into stems: vocals, drums, bass and the rest."},
        .rows = rows,
        .config = &c,
        .names = names,
        .build = build,
    };
    ap_separate_defaults(&c.separate);
    int status = stems_main(&f, argc, argv);
    ap_separator_close(&c.separator);
    return status;
}
