/* SPDX-License-Identifier: GPL-3.0-or-later
 * tempo.c - faster, slower, higher, lower: options, tags and length; the plugin does the rest. */
#include "stages/tempo.h"
#include "base/error.h"
#include "stream/chapters.h"
#include "stream/replay.h"
#include "stream/stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_FRAMES UINT32_MAX /* Rubber Band counts in 32 bits */

void ap_tempo_defaults(ap_tempo_options *options)
{
    *options = (ap_tempo_options){.tempo = 1};
}

uint64_t ap_tempo_frames(uint64_t frames, double tempo)
{
    return (uint64_t)llround((double)frames / tempo);
}

/* Chapters begin where their sound does; beats come faster. NULL when out of memory. */
static ap_tags *scale_times(const ap_tags *from, double tempo)
{
    const char *key, *value;
    ap_chapter *list = NULL;
    size_t count = 0;
    ap_tags *tags = ap_tags_new();
    bool ok = tags && ap_chapters_list(from, &list, &count);
    for (size_t i = 0; ok && ap_tags_at(from, i, &key, &value); i++)
        ok = ap_is_chapter_key(key) || ap_tags_add(tags, key, value);
    for (size_t i = 0; ok && i < count; i++)
        ok = ap_chapters_add(tags, (uint64_t)llround((double)list[i].start_ms / tempo), list[i].title);
    ap_picture picture = ap_tags_picture(from);
    if (ok && picture.size)
        ok = ap_tags_set_picture(tags, picture.mime, picture.data, picture.size);
    const char *bpm = ok ? ap_tags_get(tags, "BPM") : NULL;
    char text[32];
    if (bpm && strtod(bpm, NULL) > 0) {
        snprintf(text, sizeof text, "%.10g", strtod(bpm, NULL) * tempo);
        ok = ap_tags_set(tags, "BPM", text);
    }
    free(list);
    if (!ok)
        ap_tags_free(&tags);
    return tags;
}

static bool check_options(const ap_tempo_options *o, ap_error *err)
{
    return ap_check_range("tempo", o->tempo, 0.25, 4, err) &&
           ap_check_range("pitch", o->pitch_semitones, -24, 24, err);
}

static bool check_length(const ap_stream *s, ap_error *err)
{
    return s->format.frames == AP_UNKNOWN || s->format.frames < MOST_FRAMES ||
           ap_fail(err, AP_FAILED, "'%s' is too long for Rubber Band: it counts up to 2^32 frames",
                   ap_stream_name(s));
}

static ap_stream *stretch(ap_stream *s, const ap_tempo_options *o, ap_error *err)
{
    const ap_stretch_plugin *plugin =
        check_length(s, err) ? ap_plugin_load("stretch.so", AP_STRETCH_VERSION, sizeof *plugin, err) : NULL;
    ap_tags *tags = plugin ? scale_times(ap_stream_tags(s), o->tempo) : NULL;
    if (plugin && !tags)
        ap_fail_memory(err);
    if (!tags) {
        ap_close(&s);
        return NULL;
    }
    if (s->format.frames == AP_UNKNOWN)
        s = ap_replay(s, NULL, NULL, err);
    if (s && s->format.frames == 0)
        s = ap_trim(s, 0, AP_UNKNOWN, err); /* a stage of its own, for the tags */
    else if (s)
        s = check_length(s, err) ? plugin->open(s, o, err) : (ap_close(&s), NULL);
    return ap_stream_describe(s, NULL, tags, err);
}

ap_stream *ap_tempo(ap_stream *s, const ap_tempo_options *options, ap_error *err)
{
    ap_tempo_options defaults;
    ap_tempo_defaults(&defaults);
    const ap_tempo_options *o = options ? options : &defaults;
    if (!s)
        return NULL;
    if (!check_options(o, err)) {
        ap_close(&s);
        return NULL;
    }
    return o->tempo == 1 && o->pitch_semitones == 0 ? s : stretch(s, o, err);
}
