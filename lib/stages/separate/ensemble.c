/* SPDX-License-Identifier: GPL-3.0-or-later
 * ensemble.c - several models on the same music, and one stem of those of the same name. What "smallest" and
 * "largest" mean, and the window and hop of the spectra, are those of Ultimate Vocal Remover (ensembling in
 * lib_v5/spec_utils.py); on samples those of Music-Source-Separation-Training (ensemble.py). */
#include "base/error.h"
#include "base/memory.h"
#include "stages/separate/park.h"
#include "stages/separate/several.h"
#include "stream/combine.h"
#include "stream/processor.h"
#include "stream/stft.h"
#include "stream/stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WINDOW 6144
#define HOP 1024

struct ap_model {
    ap_several several;
};

/* ---- opening */

static bool is_chosen(const ap_member *m, const char *stem)
{
    for (size_t i = 0; i < m->chosen_count; i++)
        if (strcasecmp(m->chosen[i], stem) == 0)
            return true;
    return m->chosen_count == 0;
}

static ap_source_stem *find_or_add(ap_several *e, const char *name, ap_error *err)
{
    for (size_t i = 0; i < e->count; i++)
        if (strcasecmp(e->stems[i].name, name) == 0)
            return &e->stems[i];
    return ap_several_add(e, "", name, err);
}

static bool set_stems(ap_several *e, ap_error *err)
{
    for (size_t i = 0; i < e->members.count; i++) {
        const ap_member *m = &e->members.list[i];
        for (size_t stem = 0; stem < ap_separator_stems(m->separator); stem++) {
            const char *name = ap_separator_stem(m->separator, stem);
            ap_source_stem *to = is_chosen(m, name) ? find_or_add(e, name, err) : NULL;
            if (is_chosen(m, name) && !to)
                return false;
            if (to)
                to->of[i] = (int)stem;
        }
    }
    e->parts = e->count;
    return true;
}

static ap_model *ensemble_open(const ap_separate_options *options, ap_error *err)
{
    ap_several *e = ap_several_open(options, err);
    if (e && set_stems(e, err)) {
        e->ensemble = options->ensemble;
        e->spectra = options->ensemble_on == AP_ON_SPECTRA ||
                     (options->ensemble_on == AP_ON_USUAL &&
                      (e->ensemble == AP_ENSEMBLE_MIN || e->ensemble == AP_ENSEMBLE_MAX));
        return (ap_model *)e;
    }
    ap_several_close(e);
    return NULL;
}

static void ensemble_close(ap_model *model)
{
    ap_several_close((ap_several *)model);
}

static void ensemble_describe(const ap_model *model, ap_model_info *info)
{
    ap_several_describe(&model->several, info);
}

/* ---- choosing: out of what the members say of one value */

/* Numbers of the channels that each output channel is made of; what comes after the last wanted one is
 * unused. */
typedef struct chooser {
    ap_ensemble ensemble;
    size_t inputs, outputs; /* channels */
    size_t count[2 * AP_MAX_STEMS];
    size_t from[2 * AP_MAX_STEMS][AP_MAX_MEMBERS];
    size_t bins, row; /* of spectra */
} chooser;

/* A value, and what it is sorted by. */
typedef struct candidate {
    float key, re, im;
} candidate;

static int compare(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

static candidate choose(ap_ensemble how, candidate *c, size_t count)
{
    qsort(c, count, sizeof *c, compare);
    const candidate low = c[(count - 1) / 2], high = c[count / 2];
    if (how == AP_ENSEMBLE_MIN)
        return c[0];
    if (how == AP_ENSEMBLE_MAX)
        return c[count - 1];
    return (candidate){0, (low.re + high.re) / 2, (low.im + high.im) / 2};
}

static void choose_samples(void *state, const float *in, float *out, size_t frames)
{
    const chooser *e = state;
    candidate c[AP_MAX_MEMBERS];
    for (size_t i = 0; i < frames; i++, in += e->inputs, out += e->outputs)
        for (size_t to = 0; to < e->outputs; to++) {
            for (size_t k = 0; k < e->count[to]; k++) {
                const float x = in[e->from[to][k]];
                c[k] = (candidate){e->ensemble == AP_ENSEMBLE_MEDIAN ? x : fabsf(x), x, 0};
            }
            out[to] = choose(e->ensemble, c, e->count[to]).re;
        }
}

static void choose_bins(void *state, uint64_t t, uint64_t slots, const float *spectra, float *made)
{
    const chooser *e = state;
    candidate c[AP_MAX_MEMBERS];
    (void)t, (void)slots;
    for (size_t to = 0; to < e->outputs; to++, made += e->row)
        for (size_t b = 0; b < e->bins; b++) {
            for (size_t k = 0; k < e->count[to]; k++) {
                const float *z = spectra + e->from[to][k] * e->row + 2 * b;
                c[k] = (candidate){z[0] * z[0] + z[1] * z[1], z[0], z[1]};
            }
            const candidate chosen = choose(e->ensemble, c, e->count[to]);
            made[2 * b] = chosen.re;
            made[2 * b + 1] = chosen.im;
        }
}

static void look_at_nothing(void *state, uint64_t t, const float *spectra)
{
    (void)state, (void)t, (void)spectra;
}

/* The wanted stems as one of several; those of a member lie side by side, member by member. */
static void set_sources(chooser *e, const ap_several *several, const bool *wanted)
{
    for (size_t i = 0; i < several->members.count; i++) {
        size_t output = 0;
        for (size_t stem = 0; stem < several->count; stem++) {
            if (!wanted[stem])
                continue;
            for (size_t channel = 0; several->stems[stem].of[i] >= 0 && channel < 2; channel++) {
                const size_t to = output + channel;
                e->from[to][e->count[to]++] = e->inputs++;
            }
            output += 2;
        }
        e->outputs = output;
    }
}

static ap_stream *on_samples(ap_stream *s, chooser *e, ap_error *err)
{
    const ap_processor processor = {.process = choose_samples, .free = free};
    const size_t outputs = e->outputs;
    return ap_processor_stream(s, (uint32_t)outputs, 0, &processor, e, err);
}

static ap_stream *on_spectra(ap_stream *s, chooser *e, ap_error *err)
{
    const uint32_t outputs = (uint32_t)e->outputs;
    const float made_only[2] = {1, 0}; /* not what it leaves of the first member's */
    const ap_spectral spectral = {.window = WINDOW,
                                  .hop = HOP,
                                  .channels = outputs,
                                  .groups = 1,
                                  .take = look_at_nothing,
                                  .give = choose_bins,
                                  .free = free};
    e->bins = WINDOW / 2 + 1;
    e->row = ap_stft_row(WINDOW);
    return ap_combine(ap_stft_stream(s, &spectral, e, err), outputs, 0, made_only, 1, err);
}

/* Means, and the first member that has a stem, are sums. */
static ap_stream *as_sums(ap_stream *s, const chooser *e, ap_error *err)
{
    const size_t from = e->inputs / 2;
    float gains[AP_MAX_CHANNELS / 2 * AP_MAX_STEMS] = {0};
    for (size_t to = 0; to < e->outputs / 2; to++) {
        const size_t count = e->ensemble == AP_ENSEMBLE_FIRST ? 1 : e->count[2 * to];
        for (size_t k = 0; k < count; k++)
            gains[to * from + e->from[2 * to][k] / 2] = 1 / (float)count;
    }
    return ap_combine(s, 2, 0, gains, (uint32_t)e->outputs / 2, err);
}

static ap_stream *combine_all(const ap_several *several, ap_stream *s, const bool *wanted, ap_error *err)
{
    chooser *e = s ? ap_allocate(1, sizeof *e, err) : NULL;
    if (!e) {
        ap_close(&s);
        return NULL;
    }
    e->ensemble = several->ensemble;
    set_sources(e, several, wanted);
    if (e->ensemble == AP_ENSEMBLE_MEAN || e->ensemble == AP_ENSEMBLE_FIRST) {
        s = as_sums(s, e, err);
        free(e);
        return s;
    }
    return several->spectra ? on_spectra(s, e, err) : on_samples(s, e, err);
}

/* ---- running */

/* The wanted stems of a member; only the first one that has a stem, if that is the rule. */
static size_t stems_of(const ap_several *e, size_t i, const bool *wanted, size_t *stems)
{
    size_t count = 0;
    for (size_t stem = 0; stem < e->count; stem++)
        if (wanted[stem] && e->stems[stem].of[i] >= 0)
            stems[count++] = (size_t)e->stems[stem].of[i];
    return count;
}

/* Where each stem comes from, without those of members after the first that has it. */
static void drop_later(ap_several *e)
{
    for (size_t stem = 0; stem < e->count; stem++) {
        bool found = false;
        for (size_t i = 0; i < e->members.count; i++) {
            if (found)
                e->stems[stem].of[i] = -1;
            found = found || e->stems[stem].of[i] >= 0;
        }
    }
}

static ap_stream *ensemble_separate(ap_model *model, ap_stream *s, const ap_separate_options *options,
                                    const bool wanted[AP_MAX_STEMS], ap_error *err)
{
    ap_several *e = &model->several;
    ap_stream *members[AP_MAX_MEMBERS];
    size_t stems[AP_MAX_STEMS], count = 0, all = 0;
    if (e->ensemble == AP_ENSEMBLE_FIRST)
        drop_later(e);
    ap_parked *parked = ap_park(s, options, err);
    for (size_t i = 0; i < e->members.count; i++) {
        const size_t n = stems_of(e, i, wanted, stems);
        all += n;
        if (n == 0)
            continue;
        members[count] = ap_parked_stream(parked, 0, 2, err);
        members[count] = ap_several_run(e, i, members[count], stems, n, options, err);
        if (!members[count++])
            break;
    }
    ap_parked_free(parked);
    if (2 * all > AP_MAX_CHANNELS) {
        ap_fail(err, AP_USAGE, "%zu stems of all models at a time are too many (1 to %d)", all,
                AP_MAX_CHANNELS / 2);
        while (count)
            ap_close(&members[--count]);
    }
    return combine_all(e, ap_gather(members, count, err), wanted, err);
}

const ap_method *ap_ensemble_method(void)
{
    static const ap_method method = {.open = ensemble_open,
                                     .close = ensemble_close,
                                     .describe = ensemble_describe,
                                     .separate = ensemble_separate};
    return &method;
}
