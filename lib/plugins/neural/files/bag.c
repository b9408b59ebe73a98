/* SPDX-License-Identifier: GPL-3.0-or-later
 * bag.c - bag files. They are YAML; this reads what the published ones and similar ones use: keys at the
 * left margin, numbers and words, lists in brackets, and lists of "- word" lines. */
#include "plugins/neural/files/bag.h"
#include "base/error.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct parser {
    const char *at;
    const char *name;
    ap_error *err;
} parser;

static bool fail(const parser *p, const char *what)
{
    return ap_fail(p->err, AP_FAILED, "'%s' is not a bag of models: %s", p->name, what);
}

static void skip_space(parser *p)
{
    while (*p->at && (isspace((unsigned char)*p->at) || *p->at == '#')) {
        if (*p->at == '#')
            p->at += strcspn(p->at, "\n");
        else
            p->at++;
    }
}

/* Goes past a character, after white space. */
static bool accept(parser *p, char c)
{
    skip_space(p);
    if (*p->at != c)
        return false;
    p->at++;
    return true;
}

/* A word, in quotes or not. false if there is none, or it is too long. */
static bool word(parser *p, char *out, size_t size)
{
    skip_space(p);
    const char quote = *p->at == '\'' || *p->at == '"' ? *p->at : 0;
    const char ends[] = {quote ? quote : ',', '\n', quote ? 0 : ']', ':', '#', ' ', '\t', '\r', '[', 0};
    const char *start = p->at + (quote ? 1 : 0);
    size_t n = strcspn(start, quote ? (const char[]){quote, '\n', 0} : ends);
    if (n == 0 || n >= size || (quote && start[n] != quote))
        return false;
    memcpy(out, start, n);
    out[n] = 0;
    p->at = start + n + (quote ? 1 : 0);
    return true;
}

static bool number(parser *p, double lo, double hi, double *value)
{
    char text[64], *end;
    if (!word(p, text, sizeof text))
        return fail(p, "a number is missing");
    *value = strtod(text, &end);
    if (*end || !(*value >= lo && *value <= hi))
        return fail(p, "a number makes no sense");
    return true;
}

static bool add_model(parser *p, nn_bag *bag)
{
    if (bag->count == NN_MAX_MODELS)
        return fail(p, "it has too many models");
    char *to = bag->models[bag->count];
    if (!word(p, to, sizeof bag->models[0]) || strchr(to, '/') || *to == '.')
        return fail(p, "the name of a model makes no sense");
    bag->count++;
    return true;
}

static bool parse_models(parser *p, nn_bag *bag)
{
    if (accept(p, '[')) {
        while (!accept(p, ']')) {
            if (!add_model(p, bag))
                return false;
            accept(p, ',');
        }
        return true;
    }
    while (accept(p, '-'))
        if (!add_model(p, bag))
            return false;
    return true;
}

static bool parse_row(parser *p, double *row, size_t *stems)
{
    *stems = 0;
    if (!accept(p, '['))
        return fail(p, "its weights are not lists in brackets");
    while (!accept(p, ']')) {
        if (*stems == NN_MAX_STEMS)
            return fail(p, "it has weights for too many stems");
        if (!number(p, 0, 1e6, &row[(*stems)++]))
            return false;
        accept(p, ',');
    }
    return true;
}

static bool parse_weights(parser *p, nn_bag *bag)
{
    size_t rows = 0, stems;
    if (!accept(p, '['))
        return fail(p, "its weights are not lists in brackets");
    for (; !accept(p, ']'); rows++) {
        if (rows == NN_MAX_MODELS)
            return fail(p, "it has weights for too many models");
        if (!parse_row(p, bag->weights[rows], &stems))
            return false;
        if (rows > 0 && stems != bag->stem_count)
            return fail(p, "its weights have rows of different lengths");
        bag->stem_count = stems;
        accept(p, ',');
    }
    bag->weighted = true;
    return rows == bag->count || fail(p, "it has not as many rows of weights as models");
}

/* Every stem has to come from somewhere. */
static bool check_columns(const parser *p, const nn_bag *bag)
{
    for (size_t stem = 0; stem < bag->stem_count; stem++) {
        double sum = 0;
        for (size_t i = 0; i < bag->count; i++)
            sum += bag->weights[i][stem];
        if (sum <= 0)
            return fail(p, "the weights of a stem are all 0");
    }
    return true;
}

bool nn_bag_parse(nn_bag *bag, const char *text, const char *name, ap_error *err)
{
    parser p = {text, name, err};
    char key[32];
    *bag = (nn_bag){0};
    while (skip_space(&p), *p.at) {
        if (!word(&p, key, sizeof key) || !accept(&p, ':'))
            return fail(&p, "a key with a colon is missing");
        bool ok = strcmp(key, "models") == 0    ? parse_models(&p, bag)
                  : strcmp(key, "weights") == 0 ? parse_weights(&p, bag)
                  : strcmp(key, "segment") == 0
                      ? number(&p, 0.1, 3600, &bag->segment_s)
                      : fail(&p, "it has a key other than models, weights, segment");
        if (!ok)
            return false;
    }
    if (bag->count == 0)
        return fail(&p, "it names no models");
    return check_columns(&p, bag);
}
