/* SPDX-License-Identifier: GPL-3.0-or-later
 * av_details.c - what a container tells of itself and its tracks. */
#include "plugins/av/av_details.h"
#include "stream/stream.h"

#include <libavcodec/avcodec.h>
#include <stdio.h>
#include <string.h>

static bool is_cover(const AVStream *st)
{
    return st->disposition & AV_DISPOSITION_ATTACHED_PIC;
}

static void copy_tag(char *to, size_t size, const AVStream *st, const char *key)
{
    const AVDictionaryEntry *e = av_dict_get(st->metadata, key, NULL, 0);
    if (e && strcmp(e->value, "und") != 0) /* undetermined (ISO 639-2) */
        snprintf(to, size, "%s", e->value);
}

static void note_track(ap_track_details *t, const AVStream *st)
{
    const AVCodecParameters *p = st->codecpar;
    t->kind = p->codec_type == AVMEDIA_TYPE_AUDIO      ? "audio"
              : p->codec_type == AVMEDIA_TYPE_VIDEO    ? "video"
              : p->codec_type == AVMEDIA_TYPE_SUBTITLE ? "subtitle"
                                                       : "data";
    snprintf(t->codec, sizeof t->codec, "%s", avcodec_get_name(p->codec_id));
    copy_tag(t->language, sizeof t->language, st, "language");
    copy_tag(t->title, sizeof t->title, st, "title");
    if (p->codec_type == AVMEDIA_TYPE_AUDIO) {
        t->rate = (uint32_t)p->sample_rate;
        t->channels = (uint32_t)p->ch_layout.nb_channels;
    }
    if (p->codec_type == AVMEDIA_TYPE_VIDEO) {
        t->width = (uint32_t)p->width;
        t->height = (uint32_t)p->height;
    }
}

static void note_tracks(ap_details *d, const AVFormatContext *c, const AVStream *chosen)
{
    size_t count = 0;
    for (unsigned i = 0; i < c->nb_streams; i++)
        count += !is_cover(c->streams[i]);
    if (count < 2 || !ap_details_tracks(d, count))
        return;
    ap_track_details *t = d->tracks;
    for (unsigned i = 0; i < c->nb_streams; i++)
        if (!is_cover(c->streams[i])) {
            t->chosen = c->streams[i] == chosen;
            note_track(t++, c->streams[i]);
        }
}

/* The first of libav's names, but for the family of MP4. */
static void name_format(char *to, size_t size, const ap_av_source *source)
{
    const char *names = ap_av_source_is(source, "mp4") ? "mp4" : source->container->iformat->name;
    snprintf(to, size, "%.*s", (int)strcspn(names, ","), names);
}

void ap_av_note(ap_stream *s, const ap_av_source *source, const AVStream *st, uint64_t frames, uint64_t delay)
{
    const AVCodecParameters *p = st->codecpar;
    char format[24];
    int bits = p->bits_per_raw_sample ? p->bits_per_raw_sample : av_get_bits_per_sample(p->codec_id);
    name_format(format, sizeof format, source);
    ap_details *d = ap_stream_note(s, format, avcodec_get_name(p->codec_id), bits > 0 ? (unsigned)bits : 0);
    if (!d)
        return;
    d->frames = frames;
    d->delay = delay;
    if (delay == AP_UNKNOWN && p->initial_padding > 0)
        d->delay = (uint64_t)p->initial_padding;
    note_tracks(d, source->container, st);
}
