/* SPDX-License-Identifier: GPL-3.0-or-later
 * asked.c - what can be asked of a separator. */
#include "separate/asked.h"
#include "base/error.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FACTOR 1000

typedef struct maker {
    asked *to;
    const ap_separator *separator;
    const asked_options *options;
    size_t stems, parts;
    ap_error *err;
} maker;

/* The number of a stem, or of how many there are if it is none. */
static size_t find_stem(const maker *m, const char *name)
{
    size_t i = 0;
    while (i < m->stems && strcmp(ap_separator_stem(m->separator, i), name) != 0)
        i++;
    return i;
}

/* ---- stems and rests */

/* A stem, or all the rest: the sum of these parts, or the mix without the others. The latter has what no part
 * has, which the residual puts where 'other' is. */
static ap_stem_mix mix_of(const maker *m, size_t stem, bool rest)
{
    const size_t other = find_stem(m, "other");
    ap_stem_mix outside, mix = {0};
    ap_separator_rest(m->separator, stem, &outside);
    const bool has_other = other < m->parts && (outside.stems[other] == 0) != rest;
    mix.mix = m->options->residual ? has_other : rest && m->options->rest_minus;
    if (stem >= m->parts && !m->options->residual && (!rest || mix.mix != 0)) {
        mix.stems[stem] = rest ? -1 : 1;
        return mix;
    }
    for (size_t i = 0; i < m->parts; i++) {
        const bool inside = (outside.stems[i] == 0) != rest;
        mix.stems[i] = mix.mix != 0 ? -!inside : inside;
    }
    return mix;
}

static void add(maker *m, const char *before, const char *name, const ap_stem_mix *mix)
{
    snprintf(m->to->list[m->to->count].name, sizeof m->to->list[0].name, "%s%s", before, name);
    m->to->list[m->to->count++].mix = *mix;
}

static void add_stem(maker *m, size_t stem, bool rest)
{
    const ap_stem_mix mix = mix_of(m, stem, rest);
    add(m, rest ? "no_" : "", ap_separator_stem(m->separator, stem), &mix);
}

/* ---- mixes: NAME=[FACTOR*]STEM[+-[FACTOR*]STEM]..., where mix is all of the music */

static bool refuse(const maker *m, const char *text, const char *why, const char *at)
{
    return ap_fail(m->err, AP_USAGE, "mix '%.80s' %s '%.80s'", text, why, at);
}

/* The longest name of a stem that text starts with, up to its end or a sign: names may have signs in them. */
static size_t match_stem(const maker *m, const char *text, size_t *length)
{
    size_t found = m->stems;
    *length = 0;
    for (size_t i = 0; i < m->stems; i++) {
        const char *name = ap_separator_stem(m->separator, i);
        const size_t n = strlen(name);
        if (n > *length && strncmp(text, name, n) == 0 && (!text[n] || strchr("+-", text[n]))) {
            found = i;
            *length = n;
        }
    }
    return found;
}

static bool is_all(const char *text)
{
    return strncmp(text, "mix", 3) == 0 && (!text[3] || strchr("+-", text[3]));
}

static void add_scaled(ap_stem_mix *to, const ap_stem_mix *mix, double factor)
{
    to->mix += factor * mix->mix;
    for (size_t i = 0; i < AP_MAX_STEMS; i++)
        to->stems[i] += factor * mix->stems[i];
}

/* Returns where the next term starts; NULL after an error. */
static const char *add_term(const maker *m, const char *text, const char *at, double sign, ap_stem_mix *to)
{
    char *end;
    const double factor = isdigit((unsigned char)*at) || *at == '.' ? strtod(at, &end) : 1;
    if ((isdigit((unsigned char)*at) || *at == '.') && *end == '*') {
        if (!(factor <= MAX_FACTOR))
            return refuse(m, text, "has a factor beyond 1000:", at), NULL;
        return add_term(m, text, end + 1, sign * factor, to);
    }
    size_t length;
    const size_t stem = match_stem(m, at, &length);
    if (stem < m->stems) {
        const ap_stem_mix mix = mix_of(m, stem, false);
        add_scaled(to, &mix, sign);
        return at + length;
    }
    if (!is_all(at))
        return refuse(m, text, "has a stem that is none:", at), NULL;
    to->mix += sign;
    return at + 3;
}

static bool is_taken(const maker *m, const char *name)
{
    for (size_t i = 0; i < m->to->count; i++)
        if (strcmp(m->to->list[i].name, name) == 0)
            return true;
    return false;
}

static bool add_mix(maker *m, const char *text)
{
    const char *equals = strchr(text, '='), *at = equals ? equals + 1 : NULL;
    char name[64];
    ap_stem_mix mix = {0};
    double sign = 1;
    if (!equals || equals == text || (size_t)(equals - text) >= sizeof name || !*at)
        return ap_fail(m->err, AP_USAGE, "mix '%.80s' is not NAME=STEM+STEM...", text);
    snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
    if (strchr(name, '/') || *name == '.' || is_taken(m, name))
        return refuse(
            m, text,
            *name == '.' || strchr(name, '/') ? "cannot be a file:" : "has a name that is taken:", name);
    while (*at) {
        at = add_term(m, text, at, sign, &mix);
        if (!at)
            return false;
        sign = *at == '-' ? -1 : 1;
        if (*at && !*++at)
            return refuse(m, text, "ends with a sign:", equals + 1);
    }
    add(m, "", name, &mix);
    return true;
}

/* ---- the whole */

static bool add_all_mixes(maker *m)
{
    for (size_t i = 0; i < m->options->mix_count; i++)
        if (!add_mix(m, m->options->mixes[i]))
            return false;
    return true;
}

static bool add_two(maker *m)
{
    const size_t stem = find_stem(m, m->options->two_stems);
    if (stem == m->stems)
        return ap_fail(m->err, AP_USAGE, "model '%s' has no stem '%s'", ap_separator_model(m->separator),
                       m->options->two_stems);
    add_stem(m, stem, false);
    add_stem(m, stem, true);
    const bool ok = add_all_mixes(m);
    m->to->in_folder = m->to->count;
    return ok;
}

bool asked_of(asked *a, const ap_separator *separator, const asked_options *options, ap_error *err)
{
    maker m = {a, separator, options, ap_separator_stems(separator), ap_separator_parts(separator), err};
    a->count = a->in_folder = 0;
    if (options->residual && find_stem(&m, "other") >= m.parts)
        return ap_fail(err, AP_USAGE, "model '%s' has no stem 'other' for the residual",
                       ap_separator_model(separator));
    if (options->two_stems)
        return add_two(&m);
    for (size_t i = 0; i < m.parts; i++)
        add_stem(&m, i, false);
    if (!add_all_mixes(&m))
        return false;
    a->in_folder = a->count;
    for (size_t i = m.parts; i < m.stems; i++)
        add_stem(&m, i, false);
    for (size_t i = 0; i < m.stems; i++)
        add_stem(&m, i, true);
    return true;
}
