/* SPDX-License-Identifier: GPL-3.0-or-later
 * ap-separate - music to stems: vocals, drums, bass, other. */
#include "front/stems.h"

#include <stdio.h>
#include <string.h>

typedef struct config {
    ap_separate_options separate;
    const char *two_stems;
    int other_method; /* index into "add|minus" */
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

static const option_row rows[] = {
    {'n', "model", OPTION_TEXT, "NAME", AT(separate.model), "a model's name, signature or file"},
    {0, "two-stems", OPTION_TEXT, "STEM", AT(two_stems),
     "only STEM and no_STEM, which is all that is not STEM"},
    {0, "other-method", OPTION_CHOICE, NULL, AT(other_method),
     "no_STEM is the sum of the other stems, or the mix without STEM", 0, 0, "add|minus", NULL, false},
    {0, "residual", OPTION_ON, NULL, AT(residual), "add what no stem got to 'other'"},
    {'c', "channels", OPTION_COUNT, "N", AT(separate.channels),
     "channels of the stems; 0 = as the model gives them", 0, 2},
    {0, "overlap", OPTION_NUMBER, "SHARE", AT(separate.overlap), "overlap of the segments", 0, 0.95},
    {0, "segment", OPTION_NUMBER, "SECONDS", AT(separate.segment_s),
     "length of the segments; 0 = the model's", 0, 600},
    {0, "shifts", OPTION_COUNT, "N", AT(separate.shifts), "average over N random shifts", 0, 100},
    {0, "seed", OPTION_SEED, "N", AT(separate.seed), "seed of the shifts"},
    {0, "device", OPTION_TEXT, "DEVICE", AT(separate.device), "auto, cpu or cuda"},
    {0, "list-models", OPTION_ANSWER, NULL, 0, "show the models, and which files they need", 0, 0, NULL,
     list_models, false},
    {0},
};

/* ---- the stems: those of the model, then the rest for each of them; or one and its rest */

static bool fail(ap_error *err, const config *c, const char *format, const char *stem)
{
    err->code = AP_USAGE;
    snprintf(err->message, sizeof err->message, format, ap_separator_model(c->separator), stem);
    return false;
}

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
        return fail(err, c, "model '%s' has no stem '%s' for the residual", "other");
    if (!c->two_stems)
        return 2 * count;
    const size_t stem = find_stem(c, c->two_stems);
    if (stem == count)
        return fail(err, c, "model '%s' has no stem '%s'", c->two_stems);
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
    const bool from_mix = c->residual ? has_other : rest && c->other_method == 1;
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
