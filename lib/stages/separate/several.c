/* SPDX-License-Identifier: GPL-3.0-or-later
 * several.c - what chains and ensembles of models share. */
#include "stages/separate/several.h"
#include "base/error.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

ap_several *ap_several_open(const ap_separate_options *options, ap_error *err)
{
    ap_several *s = ap_allocate(1, sizeof *s, err);
    if (s && ap_members_open(&s->members, options, err))
        return s;
    ap_several_close(s);
    return NULL;
}

void ap_several_close(ap_several *s)
{
    if (s)
        ap_members_close(&s->members);
    free(s);
}

ap_source_stem *ap_several_add(ap_several *s, const char *prefix, const char *name, ap_error *err)
{
    ap_source_stem *to = &s->stems[s->count];
    if (s->count == AP_MAX_STEMS) {
        ap_fail(err, AP_USAGE, "the models have more than %d stems", AP_MAX_STEMS);
        return NULL;
    }
    const int n = snprintf(to->name, sizeof to->name, "%s%s%s", prefix, *prefix ? "_" : "", name);
    if (n >= (int)sizeof to->name) {
        ap_fail(err, AP_USAGE, "the name of the stem '%.64s' is too long", name);
        return NULL;
    }
    for (size_t i = 0; i < AP_MAX_MEMBERS; i++)
        to->of[i] = -1;
    s->count++;
    return to;
}

void ap_several_describe(const ap_several *s, ap_model_info *info)
{
    *info = (ap_model_info){.stem_count = s->count, .parts = s->parts, .channels = 2};
    for (size_t i = 0; i < s->members.count && !info->engine; i++)
        info->engine = ap_separator_engine(s->members.list[i].separator);
    for (size_t i = 0; i < s->count; i++) {
        info->stems[i] = s->stems[i].name;
        info->inside[i] = s->inside[i];
    }
}

bool ap_several_state(const char *state, size_t member, char *path, size_t size)
{
    return snprintf(path, size, "%s.%zu", state, member + 1) < (int)size;
}

void ap_separate_forget(const char *state)
{
    char path[4200];
    unlink(state);
    for (size_t i = 0; i < AP_MAX_MEMBERS; i++)
        if (ap_several_state(state, i, path, sizeof path))
            unlink(path);
}

ap_stream *ap_several_run(const ap_several *several, size_t member, ap_stream *s, const size_t *stems,
                          size_t count, const ap_separate_options *options, ap_error *err)
{
    ap_stem_mix mixes[AP_MAX_STEMS] = {0};
    char state[4200];
    for (size_t i = 0; i < count; i++)
        mixes[i].stems[stems[i]] = 1;
    if (options->state && !ap_several_state(options->state, member, state, sizeof state)) {
        ap_fail(err, AP_USAGE, "the name of '%.80s...' is too long", options->state);
        ap_close(&s);
        return NULL;
    }
    return ap_separate_resumable(s, several->members.list[member].separator, mixes, count,
                                 options->state ? state : NULL, err);
}
