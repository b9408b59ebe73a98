/* SPDX-License-Identifier: GPL-3.0-or-later
 * members.c - a list of models. */
#include "stages/separate/members.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

bool ap_members_is_list(const char *text)
{
    return text && strchr(text, ',') && access(text, F_OK) != 0;
}

int ap_member_find(const ap_member *m, const char *stem)
{
    for (size_t i = 0; i < ap_separator_stems(m->separator); i++)
        if (strcasecmp(ap_separator_stem(m->separator, i), stem) == 0)
            return (int)i;
    return -1;
}

/* Takes the stems off the end of the text. */
static bool split_member(ap_member *m, ap_error *err)
{
    char *colon = strchr(m->text, ':');
    if (colon == m->text || !*m->text)
        return ap_fail(err, AP_USAGE, "a name is missing in the list of models");
    while (colon) {
        *colon++ = 0;
        if (m->chosen_count == AP_MAX_STEMS || *colon == ':' || !*colon)
            return ap_fail(err, AP_USAGE, "the stems of '%s' are no list of names", m->text);
        m->chosen[m->chosen_count++] = colon;
        colon = strchr(colon, ':');
    }
    return true;
}

static bool open_member(ap_member *m, const ap_separate_options *options, ap_error *err)
{
    ap_separate_options o = *options;
    o.model = m->text;
    o.channels = 2;
    o.ensemble = AP_ENSEMBLE_NONE;
    m->separator = ap_separator_open(&o, err);
    for (size_t i = 0; m->separator && i < m->chosen_count; i++)
        if (ap_member_find(m, m->chosen[i]) < 0)
            return ap_fail(err, AP_USAGE, "model '%s' has no stem '%s'", m->text, m->chosen[i]);
    return m->separator != NULL;
}

bool ap_members_open(ap_members *m, const ap_separate_options *options, ap_error *err)
{
    const char *at = options->model;
    *m = (ap_members){0};
    if (options->config)
        return ap_fail(err, AP_USAGE, "one description is for one model, not for '%s': give each its name",
                       options->model);
    for (bool more = true; more;) {
        const size_t length = strcspn(at, ",");
        if (m->count == AP_MAX_MEMBERS)
            return ap_fail(err, AP_USAGE, "at most %d models at a time", AP_MAX_MEMBERS);
        ap_member *to = &m->list[m->count++];
        to->text = strndup(at, length);
        if (!to->text)
            return ap_fail_memory(err);
        if (!split_member(to, err) || !open_member(to, options, err))
            return false;
        more = at[length] == ',';
        at += length + more;
    }
    return true;
}

void ap_members_close(ap_members *m)
{
    for (size_t i = 0; i < m->count; i++) {
        ap_separator_close(&m->list[i].separator);
        free(m->list[i].text);
    }
    *m = (ap_members){0};
}
