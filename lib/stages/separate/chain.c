/* SPDX-License-Identifier: GPL-3.0-or-later
 * chain.c - models one after the other: each separates one stem of the model before it. Stems that go on to
 * the next model are not among the parts, but may be asked for; a model's stems carry the name of the stem
 * that they come from. */
#include "base/error.h"
#include "stages/separate/park.h"
#include "stages/separate/several.h"
#include "stream/combine.h"

#include <stdio.h>
#include <string.h>

struct ap_model {
    ap_several several;
};

/* The stem that goes on if none is named: the voice, or else what the model was made for. */
#define USUAL_STEM "vocals"

static bool choose_stem(ap_several *c, size_t i, ap_error *err)
{
    const ap_member *m = &c->members.list[i];
    const bool last = i + 1 == c->members.count;
    if (m->chosen_count > (last ? 0 : 1))
        return ap_fail(err, AP_USAGE,
                       last ? "nothing comes behind '%s' that could take its stem '%s'"
                            : "one stem of '%s' goes on to the next model, not '%s' and others",
                       m->text, m->chosen[0]);
    const int usual = ap_member_find(m, USUAL_STEM);
    c->on[i] = m->chosen_count ? ap_member_find(m, m->chosen[0]) : usual >= 0 ? usual : 0;
    return true;
}

/* The stems of a member without the one that goes on; or that one alone. */
static bool add_stems(ap_several *c, size_t i, const char *prefix, bool passed, ap_error *err)
{
    const ap_separator *p = c->members.list[i].separator;
    const bool last = i + 1 == c->members.count;
    for (size_t stem = 0; stem < ap_separator_stems(p); stem++) {
        if ((!last && (int)stem == c->on[i]) != passed)
            continue;
        ap_source_stem *to = ap_several_add(c, prefix, ap_separator_stem(p, stem), err);
        if (!to)
            return false;
        to->of[i] = (int)stem;
    }
    return true;
}

/* The names of what each member is given. */
static void name_inputs(const ap_several *c, char prefixes[AP_MAX_MEMBERS][128])
{
    *prefixes[0] = 0;
    for (size_t i = 0; i + 1 < c->members.count; i++)
        snprintf(prefixes[i + 1], sizeof prefixes[0], "%.60s%s%.60s", prefixes[i], i ? "_" : "",
                 ap_separator_stem(c->members.list[i].separator, (size_t)c->on[i]));
}

static bool set_stems(ap_several *c, ap_error *err)
{
    char prefixes[AP_MAX_MEMBERS][128];
    size_t kept[AP_MAX_MEMBERS] = {0}; /* parts that are there before each member's */
    for (size_t i = 0; i < c->members.count; i++)
        if (!choose_stem(c, i, err))
            return false;
    name_inputs(c, prefixes);
    for (size_t i = 0; i < c->members.count; i++) {
        if (!add_stems(c, i, prefixes[i], false, err))
            return false;
        kept[i] = c->count;
    }
    c->parts = c->count;
    for (size_t i = 0; i + 1 < c->members.count; i++) {
        if (!add_stems(c, i, prefixes[i], true, err))
            return false;
        c->inside[c->count - 1] = kept[i];
    }
    return true;
}

static ap_model *chain_open(const ap_separate_options *options, ap_error *err)
{
    ap_several *c = ap_several_open(options, err);
    if (c && set_stems(c, err))
        return (ap_model *)c;
    ap_several_close(c);
    return NULL;
}

static void chain_close(ap_model *model)
{
    ap_several_close((ap_several *)model);
}

static void chain_describe(const ap_model *model, ap_model_info *info)
{
    ap_several_describe(&model->several, info);
}

/* ---- running */

/* Which of a member's stems are wanted, and after them, if there is a next member, the stem that it takes. */
static size_t stems_of(const ap_several *c, size_t i, bool goes_on, const bool *wanted, size_t *stems)
{
    size_t count = 0;
    for (size_t stem = 0; stem < c->count; stem++)
        if (wanted[stem] && c->stems[stem].of[i] >= 0)
            stems[count++] = (size_t)c->stems[stem].of[i];
    if (goes_on)
        stems[count++] = (size_t)c->on[i];
    return count;
}

static size_t last_needed(const ap_several *c, const bool *wanted)
{
    size_t last = 0;
    for (size_t stem = 0; stem < c->count; stem++)
        for (size_t i = last; wanted[stem] && i < c->members.count; i++)
            if (c->stems[stem].of[i] >= 0)
                last = i;
    return last;
}

/* In the order of the stems, which is not that of the members: those that went on come last. */
static ap_stream *in_order(const ap_several *c, ap_stream *s, const bool *wanted, ap_error *err)
{
    float gains[AP_MAX_STEMS * AP_MAX_STEMS] = {0};
    size_t places[AP_MAX_STEMS], at = 0;
    uint32_t count = 0;
    for (size_t i = 0; i < c->members.count; i++)
        for (size_t stem = 0; stem < c->count; stem++)
            if (wanted[stem] && c->stems[stem].of[i] >= 0)
                places[stem] = at++;
    for (size_t stem = 0; stem < c->count; stem++)
        if (wanted[stem])
            gains[count++ * at + places[stem]] = 1;
    return ap_combine(s, 2, 0, gains, count, err);
}

static ap_stream *chain_separate(ap_model *model, ap_stream *s, const ap_separate_options *options,
                                 const bool wanted[AP_MAX_STEMS], ap_error *err)
{
    const ap_several *c = &model->several;
    const size_t last = last_needed(c, wanted);
    ap_stream *kept[AP_MAX_MEMBERS];
    size_t stems[AP_MAX_STEMS + 1], count = 0;
    for (size_t i = 0; i <= last; i++) {
        const size_t n = stems_of(c, i, i < last, wanted, stems);
        s = ap_several_run(c, i, s, stems, n, options, err);
        if (i == last) {
            kept[count++] = s;
            break;
        }
        ap_parked *parked = ap_park(s, options, err);
        if (n > 1 || !parked)
            kept[count++] = ap_parked_stream(parked, 0, 2 * (uint32_t)(n - 1), err);
        s = ap_parked_stream(parked, 2 * (uint32_t)(n - 1), 2, err);
        ap_parked_free(parked);
    }
    return in_order(c, ap_gather(kept, count, err), wanted, err);
}

const ap_method *ap_chain_method(void)
{
    static const ap_method method = {
        .open = chain_open, .close = chain_close, .describe = chain_describe, .separate = chain_separate};
    return &method;
}
