/* SPDX-License-Identifier: GPL-3.0-or-later
 * four.c - the four stems of a .stem.mp4 file. */
#include "separate/four.h"
#include "base/error.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *const usual[AP_STEM_FILE_STEMS] = {"drums", "bass", "other", "vocals"};
#define OTHER 2

static void set(four *f, size_t at, const char *name, const ap_stem_mix *mix)
{
    snprintf(f->names[at], sizeof f->names[at], "%.60s", name);
    f->names[at][0] = (char)toupper((unsigned char)f->names[at][0]);
    f->mixes[1 + at] = *mix;
}

static size_t find(const asked *all, size_t count, const char *name)
{
    size_t i = 0;
    while (i < count && strcmp(all->list[i].name, name) != 0)
        i++;
    return i;
}

/* The usual ones, and what the model has besides, in 'other'. */
static bool take_usual(four *f, const asked *all, size_t parts)
{
    bool taken[AP_MAX_STEMS] = {false};
    for (size_t i = 0; i < AP_STEM_FILE_STEMS; i++) {
        const size_t at = find(all, parts, usual[i]);
        if (at == parts)
            return false;
        taken[at] = true;
        set(f, i, usual[i], &all->list[at].mix);
    }
    for (size_t i = 0; i < parts; i++)
        for (size_t stem = 0; !taken[i] && stem < AP_MAX_STEMS; stem++)
            f->mixes[1 + OTHER].stems[stem] += all->list[i].mix.stems[stem];
    return true;
}

bool four_of(four *f, const asked *all, const asked_options *options, const ap_separator *separator,
             ap_error *err)
{
    const size_t mixes = options->mix_count, parts = all->in_folder - mixes;
    *f = (four){.mixes = {{.mix = 1}}};
    if (mixes != AP_STEM_FILE_STEMS && take_usual(f, all, parts))
        return true;
    const size_t from = mixes == AP_STEM_FILE_STEMS ? parts : 0;
    if (mixes != AP_STEM_FILE_STEMS && parts != AP_STEM_FILE_STEMS)
        return ap_fail(err, AP_USAGE,
                       "a .stem.mp4 file has four stems, model '%s' %zu: make four of them by --mix",
                       ap_separator_model(separator), parts);
    for (size_t i = 0; i < AP_STEM_FILE_STEMS; i++)
        set(f, i, all->list[from + i].name, &all->list[from + i].mix);
    return true;
}
