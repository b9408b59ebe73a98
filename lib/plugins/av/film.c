/* SPDX-License-Identifier: GPL-3.0-or-later
 * film.c - a film with other sound: the packets of everything else are copied as they are, with their times.
 */
#include "pictures/film.h"
#include "base/error.h"
#include "base/memory.h"
#include "plugins/av/av_container.h"
#include "plugins/av/video.h"
#include "stream/stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LEFT_OUT (-1)

typedef struct film {
    const ap_film_job *job;
    ap_av_source source;
    ap_muxer muxer;
    AVPacket *packet;
    int *to;                 /* the stream of the output for each of the source, or LEFT_OUT */
    ap_audio_track **tracks; /* of job->count: the other sound */
} film;

/* ---- streams */

/* What was true of the old sound only. */
static bool is_about_loudness(const char *key)
{
    return strncasecmp(key, "replaygain_", 11) == 0 || strncasecmp(key, "r128_", 5) == 0 ||
           strcasecmp(key, "itunnorm") == 0 || strcasecmp(key, "bps") == 0 ||
           strncasecmp(key, "number_of_", 10) == 0 || strncasecmp(key, "_statistics_", 12) == 0;
}

static bool copy_tags(AVDictionary **to, const AVDictionary *from, bool new_sound)
{
    const AVDictionaryEntry *e = NULL;
    while ((e = av_dict_get(from, "", e, AV_DICT_IGNORE_SUFFIX)))
        if (strcasecmp(e->key, "encoder") != 0 && !(new_sound && is_about_loudness(e->key)) &&
            av_dict_set(to, e->key, e->value, 0) < 0)
            return false;
    return true;
}

/* What a file says of a stream beside its packets. */
static bool describe(const AVStream *from, AVStream *to, bool new_sound, ap_error *err)
{
    to->disposition = from->disposition;
    return copy_tags(&to->metadata, from->metadata, new_sound) || ap_fail_memory(err);
}

/* How a player turns the picture, its colours and the like, which libav keeps beside the parameters. */
static bool copy_side_data(const AVStream *from, AVStream *to)
{
#if LIBAVFORMAT_VERSION_MAJOR < 61
    for (int i = 0; i < from->nb_side_data; i++) {
        const AVPacketSideData *data = &from->side_data[i];
        uint8_t *copy = av_stream_new_side_data(to, data->type, data->size);
        if (!copy)
            return false;
        memcpy(copy, data->data, data->size);
    }
#else
    (void)from, (void)to;
#endif
    return true;
}

/* The tag of the codec, unless the container has another one for it. */
static uint32_t tag_for(const AVOutputFormat *format, const AVCodecParameters *p)
{
    const struct AVCodecTag *const *table = format->codec_tag;
    unsigned int tag;
    return !table || av_codec_get_id(table, p->codec_tag) == p->codec_id ||
                   !av_codec_get_tag2(table, p->codec_id, &tag)
               ? p->codec_tag
               : 0;
}

static bool add_copy(film *f, unsigned index, ap_error *err)
{
    const AVStream *from = f->source.container->streams[index];
    const AVOutputFormat *format = f->muxer.container->oformat;
    const AVCodecParameters *p = from->codecpar;
    if (p->codec_type != AVMEDIA_TYPE_ATTACHMENT &&
        avformat_query_codec(format, p->codec_id, FF_COMPLIANCE_NORMAL) == 0)
        return ap_fail(err, AP_FAILED, "%s cannot hold the %s of stream %u of '%s'", f->job->options->format,
                       avcodec_get_name(p->codec_id), index, f->job->film);
    AVStream *to = avformat_new_stream(f->muxer.container, NULL);
    if (!to || avcodec_parameters_copy(to->codecpar, p) < 0 || !copy_side_data(from, to))
        return ap_fail_memory(err);
    to->codecpar->codec_tag = tag_for(format, p);
    to->time_base = from->time_base;
    to->avg_frame_rate = from->avg_frame_rate;
    to->r_frame_rate = from->r_frame_rate;
    to->sample_aspect_ratio = from->sample_aspect_ratio;
    f->to[index] = to->index;
    return describe(from, to, false, err);
}

/* Where the sound that ap_decode gives begins in the film. That of MP4 begins with the film, as its edit list
 * says. */
static double begin_of(const film *f, const AVStream *st)
{
    const AVCodecParameters *p = st->codecpar;
    if (ap_av_source_is(&f->source, "mp4") || st->start_time == AV_NOPTS_VALUE)
        return 0;
    const double delay = p->sample_rate > 0 ? (double)p->initial_padding / p->sample_rate : 0;
    return (double)st->start_time * av_q2d(st->time_base) + delay;
}

static bool add_sound(film *f, unsigned index, size_t number, ap_error *err)
{
    ap_stream *s = f->job->sounds[number];
    AVStream *from = f->source.container->streams[index];
    f->job->sounds[number] = NULL;
    s = ap_audio_track_prepare(&f->muxer, s, err);
    const unsigned at = f->muxer.container->nb_streams;
    f->tracks[number] = s ? ap_audio_track_open(&f->muxer, s, f->job->options->bitrate_kbps, -1, err) : NULL;
    from->discard = AVDISCARD_ALL;
    if (f->tracks[number])
        ap_audio_track_delay(f->tracks[number], begin_of(f, from));
    return f->tracks[number] && describe(from, f->muxer.container->streams[at], true, err);
}

/* Data (time codes, menus of chapters) are left out: the container writes its own from the tags. */
static bool add_streams(film *f, ap_error *err)
{
    size_t sound = 0;
    for (unsigned i = 0; i < f->source.container->nb_streams; i++) {
        const enum AVMediaType type = f->source.container->streams[i]->codecpar->codec_type;
        f->to[i] = LEFT_OUT;
        const size_t number = type == AVMEDIA_TYPE_AUDIO ? sound++ : SIZE_MAX;
        bool ok = true;
        if (number < f->job->count)
            ok = add_sound(f, i, number, err);
        else if (type == AVMEDIA_TYPE_AUDIO || type == AVMEDIA_TYPE_VIDEO || type == AVMEDIA_TYPE_SUBTITLE ||
                 type == AVMEDIA_TYPE_ATTACHMENT)
            ok = add_copy(f, i, err);
        if (!ok)
            return false;
    }
    return sound >= f->job->count ||
           ap_fail(err, AP_FAILED, "'%s' has %zu audio tracks, not %zu", f->job->film, sound, f->job->count);
}

static bool copy_chapters(film *f)
{
    AVFormatContext *to = f->muxer.container;
    const AVFormatContext *from = f->source.container;
    to->chapters = from->nb_chapters ? av_calloc(from->nb_chapters, sizeof(*to->chapters)) : NULL;
    for (unsigned i = 0; to->chapters && i < from->nb_chapters; i++) {
        AVChapter *c = to->chapters[i] = av_mallocz(sizeof *c);
        if (!c)
            return false;
        to->nb_chapters++;
        const AVChapter *old = from->chapters[i];
        *c = (AVChapter){old->id, old->time_base, old->start, old->end, NULL};
        if (av_dict_copy(&c->metadata, old->metadata, 0) < 0)
            return false;
    }
    return to->chapters || !from->nb_chapters;
}

/* ---- packets */

/* Writes sound up to a time of the film. */
static bool write_sound(film *f, double until_s, ap_error *err)
{
    for (size_t i = 0; i < f->job->count; i++)
        while (f->tracks[i] && !ap_audio_track_ended(f->tracks[i]) &&
               ap_audio_track_seconds(f->tracks[i]) <= until_s)
            if (!ap_audio_track_write(f->tracks[i], err))
                return false;
    return true;
}

static bool copy_packet(film *f, ap_error *err)
{
    const AVStream *from = f->source.container->streams[f->packet->stream_index];
    const int to = f->to[f->packet->stream_index];
    if (to == LEFT_OUT)
        return true;
    const int64_t time = f->packet->dts != AV_NOPTS_VALUE ? f->packet->dts : f->packet->pts;
    if (time != AV_NOPTS_VALUE && !write_sound(f, (double)time * av_q2d(from->time_base), err))
        return false;
    f->packet->pos = -1;
    return ap_muxer_write(&f->muxer, f->packet, to, from->time_base, err);
}

static bool copy_all(film *f, ap_error *err)
{
    int result;
    while ((result = av_read_frame(f->source.container, f->packet)) >= 0) {
        bool ok = copy_packet(f, err);
        av_packet_unref(f->packet);
        if (!ok)
            return false;
    }
    if (f->source.error.code != AP_OK) {
        if (err)
            *err = f->source.error;
        return false;
    }
    return result == AVERROR_EOF ||
           ap_fail(err, AP_FAILED, "'%s' is damaged: %s", f->job->film, av_err2str(result));
}

static void report(const film *f)
{
    ap_film_report *r = f->job->options->report;
    for (size_t i = 0; r && i < f->job->count; i++) {
        ap_stitch_report one = {0};
        ap_audio_track_report(f->tracks[i], &one);
        r->clipped += one.clipped;
        r->peak = one.peak > r->peak ? one.peak : r->peak;
    }
}

/* ---- the whole */

static bool run(film *f, ap_input *in, ap_output *out, ap_error *err)
{
    f->source.keep_edits = true;
    if (!ap_av_source_open(&f->source, in, err) ||
        !ap_muxer_open(&f->muxer, out, f->job->options->format, err))
        return false;
    f->packet = av_packet_alloc();
    f->to = ap_allocate(f->source.container->nb_streams, sizeof *f->to, err);
    f->tracks = ap_allocate(f->job->count + 1, sizeof(*f->tracks), err);
    if (!f->packet || !f->to || !f->tracks)
        return ap_fail_memory(err);
    if (!add_streams(f, err))
        return false;
    if (!copy_tags(&f->muxer.container->metadata, f->source.container->metadata, true) || !copy_chapters(f))
        return ap_fail_memory(err);
    /* Else the delay of Opus, which Matroska has another place for, moves all the other streams. */
    if (!(f->muxer.container->oformat->flags & AVFMT_TS_NEGATIVE) && f->source.container->start_time >= 0) {
        f->muxer.container->avoid_negative_ts = 0;
        for (size_t i = 0; i < f->job->count; i++)
            ap_audio_track_keep_time(f->tracks[i]);
    }
    return ap_muxer_start_as_it_is(&f->muxer, err) && copy_all(f, err) && write_sound(f, INFINITY, err) &&
           ap_muxer_finish(&f->muxer, err);
}

bool ap_av_film(const ap_film_job *job, ap_output *out, ap_error *err)
{
    film f = {.job = job};
    ap_av_be_quiet();
    ap_input *in = ap_input_open(job->film, err);
    bool ok = in && run(&f, in, out, err);
    if (ok)
        report(&f);
    for (size_t i = 0; f.tracks && i < job->count; i++)
        ap_audio_track_close(f.tracks[i]);
    ap_muxer_close(&f.muxer);
    ap_av_source_close(&f.source);
    ap_input_close(in);
    av_packet_free(&f.packet);
    free(f.to);
    free(f.tracks);
    return ok;
}
