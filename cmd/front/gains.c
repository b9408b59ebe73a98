/* SPDX-License-Identifier: GPL-3.0-or-later
 * gains.c - gains to be written into files. */
#include "front/gains.h"
#include "base/error.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define REFERENCE_LUFS (-18.0) /* ReplayGain 2.0 */

double replaygain_db(const ap_measurement *m)
{
    return isfinite(m->integrated_lufs) ? REFERENCE_LUFS - m->integrated_lufs : 0;
}

static bool has_gains(const ap_tags *tags, bool album)
{
    bool track = ap_tags_get(tags, "REPLAYGAIN_TRACK_GAIN") || ap_tags_get(tags, "R128_TRACK_GAIN");
    bool of_album = ap_tags_get(tags, "REPLAYGAIN_ALBUM_GAIN") || ap_tags_get(tags, "R128_ALBUM_GAIN");
    return track && (of_album || !album);
}

/* Whether all files have gains; one that cannot be read says nothing. */
static bool is_complete(gain_list *list)
{
    for (int i = 0; list->complete == 0 && i < list->file_count; i++) {
        ap_stream *s = ap_decode(list->files[i], NULL, NULL);
        if (s && !has_gains(ap_stream_tags(s), true))
            list->complete = -1;
        ap_close(&s);
    }
    list->complete = list->complete ? list->complete : 1;
    return list->complete > 0;
}

bool gains_take(gain_list *list, const char *path, ap_stream *s, bool *wanted, ap_error *err)
{
    bool tagged = list->album ? is_complete(list) : has_gains(ap_stream_tags(s), false);
    *wanted = list->again || !tagged;
    if (!*wanted)
        return true;
    gain_entry *entries = realloc(list->entries, (list->count + 1) * sizeof *entries);
    ap_tags *tags = entries ? ap_tags_new() : NULL;
    if (entries)
        list->entries = entries;
    if (!tags || !ap_tags_merge(tags, ap_stream_tags(s))) {
        ap_tags_free(&tags);
        return ap_fail_memory(err);
    }
    list->entries[list->count++] = (gain_entry){.path = path, .tags = tags};
    return true;
}

void gains_set(gain_list *list, const ap_measurement *m)
{
    list->entries[list->count - 1].measured = *m;
    list->entries[list->count - 1].known = true;
}

void gains_drop(gain_list *list)
{
    if (list->count && !list->entries[list->count - 1].known)
        ap_tags_free(&list->entries[--list->count].tags);
}

static bool set(ap_tags *tags, const char *what, const ap_measurement *m)
{
    char key[64], value[64];
    snprintf(key, sizeof key, "R128_%s_GAIN", what); /* made anew of the other where the format has it */
    (void)ap_tags_set(tags, key, "");
    snprintf(key, sizeof key, "REPLAYGAIN_%s_GAIN", what);
    snprintf(value, sizeof value, "%.2f dB", replaygain_db(m));
    if (!ap_tags_set(tags, key, value))
        return false;
    snprintf(key, sizeof key, "REPLAYGAIN_%s_PEAK", what);
    snprintf(value, sizeof value, "%.6f", pow(10, m->true_peak_dbtp / 20));
    return ap_tags_set(tags, key, value);
}

bool gains_write(const gain_list *list, size_t i, const ap_measurement *album, bool same_time, ap_error *err)
{
    const gain_entry *e = &list->entries[i];
    (void)ap_tags_set(e->tags, "REPLAYGAIN_REFERENCE_LOUDNESS", ""); /* it is the usual one */
    bool ok = set(e->tags, "TRACK", &e->measured) && (!album || set(e->tags, "ALBUM", album));
    return (ok || ap_fail_memory(err)) && ap_tags_write(e->path, e->tags, same_time, err);
}

void gains_free(gain_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        ap_tags_free(&list->entries[i].tags);
    free(list->entries);
}
