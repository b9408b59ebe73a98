/* SPDX-License-Identifier: GPL-3.0-or-later
 * film.c - a film with other sound: the packets of everything else are copied as they are, with their times.
 */
#include "pictures/film.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "plugins/av/av_container.h"
#include "plugins/av/video.h"
#include "stream/stream.h"

#include <math.h>
#include <stdio.h>
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

static AVStream *new_stream(film *f, unsigned index)
{
    const AVStream *from = f->source.container->streams[index];
    AVStream *to = avformat_new_stream(f->muxer.container, NULL);
    if (!to || avcodec_parameters_copy(to->codecpar, from->codecpar) < 0 || !copy_side_data(from, to))
        return NULL;
    to->codecpar->codec_tag = tag_for(f->muxer.container->oformat, from->codecpar);
    to->time_base = from->time_base;
    to->avg_frame_rate = from->avg_frame_rate;
    to->r_frame_rate = from->r_frame_rate;
    to->sample_aspect_ratio = from->sample_aspect_ratio;
    return to;
}

static bool can_hold(const film *f, const AVCodecParameters *p)
{
    return avformat_query_codec(f->muxer.container->oformat, p->codec_id, FF_COMPLIANCE_NORMAL) != 0;
}

static bool add_copy(film *f, unsigned index, ap_error *err)
{
    const AVStream *from = f->source.container->streams[index];
    const enum AVMediaType type = from->codecpar->codec_type;
    if (type != AVMEDIA_TYPE_ATTACHMENT && type != AVMEDIA_TYPE_DATA && !can_hold(f, from->codecpar))
        return ap_fail(err, AP_FAILED, "%s cannot hold the %s of stream %u of '%s'", f->job->options->format,
                       avcodec_get_name(from->codecpar->codec_id), index, f->job->film);
    AVStream *to = new_stream(f, index);
    if (!to)
        return ap_fail_memory(err);
    f->to[index] = to->index;
    return describe(from, to, false, err);
}

/* ---- what not every container has a place for */

static bool writes(const film *f, const char *muxer)
{
    return strcmp(f->muxer.container->oformat->name, muxer) == 0;
}

/* A picture of the whole film, not a track. */
static bool is_cover(const AVStream *st)
{
    return (st->disposition & AV_DISPOSITION_ATTACHED_PIC) &&
           !(st->disposition & AV_DISPOSITION_TIMED_THUMBNAILS);
}

/* The cover of another container as an attachment of Matroska: the names are those of its specification. */
static bool attach_cover(film *f, unsigned index, ap_error *err)
{
    AVStream *from = f->source.container->streams[index], *to = new_stream(f, index);
    const AVPacket *picture = &from->attached_pic;
    const ap_picture_type type = ap_picture_type_of(picture->data, (size_t)picture->size);
    const char *extension = ap_picture_extension(type), *mime = ap_picture_mime(type);
    char name[16];
    snprintf(name, sizeof name, "cover.%s", extension ? extension : "bin");
    if (!to)
        return ap_fail_memory(err);
    AVCodecParameters *p = to->codecpar;
    av_freep(&p->extradata);
    p->extradata = av_mallocz((size_t)picture->size + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!p->extradata || av_dict_set(&to->metadata, "filename", name, 0) < 0 ||
        av_dict_set(&to->metadata, "mimetype", mime ? mime : "application/octet-stream", 0) < 0)
        return ap_fail_memory(err);
    memcpy(p->extradata, picture->data, (size_t)picture->size);
    p->extradata_size = picture->size;
    p->codec_type = AVMEDIA_TYPE_ATTACHMENT;
    from->discard = AVDISCARD_ALL; /* its packet is no picture of a track */
    return copy_tags(&to->metadata, from->metadata, false) || ap_fail_memory(err);
}

/* Time codes and the menu of chapters: the container writes its own from the tags and from the chapters. */
static bool is_written_anew(const AVStream *st)
{
    return st->codecpar->codec_tag == MKTAG('t', 'm', 'c', 'd') ||
           (st->codecpar->codec_type == AVMEDIA_TYPE_DATA && st->discard == AVDISCARD_ALL);
}

/* Whether there is a place for a stream that is no sound. Of data libav writes into MP4 those of GoPro alone.
 */
static bool has_place(const film *f, const AVStream *st)
{
    const bool mp4 = writes(f, "mp4"), mov = writes(f, "mov"), matroska = writes(f, "matroska");
    switch (st->codecpar->codec_type) {
    case AVMEDIA_TYPE_VIDEO:
        return !is_cover(st) || mp4 || matroska;
    case AVMEDIA_TYPE_SUBTITLE:
        return true;
    case AVMEDIA_TYPE_ATTACHMENT:
        return matroska;
    case AVMEDIA_TYPE_DATA:
        return (mp4 || mov) && st->codecpar->codec_tag == MKTAG('g', 'p', 'm', 'd');
    default:
        return false;
    }
}

/* What there is to say of a stream: "stream 3 (data gpmd 'GoPro MET')". */
static void name_stream(char *to, size_t size, const AVStream *st)
{
    static const char *const keys[] = {"filename", "title", "handler_name"};
    const AVCodecParameters *p = st->codecpar;
    const AVDictionaryEntry *e = NULL;
    const char *type = is_cover(st) ? "cover" : av_get_media_type_string(p->codec_type);
    const bool is_known = p->codec_id != AV_CODEC_ID_NONE && p->codec_id != AV_CODEC_ID_BIN_DATA;
    const char *codec = is_known                    ? avcodec_get_name(p->codec_id)
                        : p->codec_tag > 0x20202020 ? av_fourcc2str(p->codec_tag)
                                                    : "";
    for (size_t i = 0; !e && i < sizeof keys / sizeof *keys; i++)
        e = av_dict_get(st->metadata, keys[i], NULL, 0);
    const int length = e ? (int)ap_utf8_fit(e->value, 60) : 0;
    snprintf(to, size, "stream %d (%s%s%s%s%.*s%s)", st->index, type ? type : "unknown", *codec ? " " : "",
             codec, e ? " '" : "", length, e ? e->value : "", e ? "'" : "");
    ap_text_one_line(to);
}

/* Adds it to the list in the report, whole names only. */
static void leave_out(film *f, AVStream *st)
{
    ap_film_report *r = f->job->options->report;
    const char *more = ", ...";
    char name[160];
    st->discard = AVDISCARD_ALL;
    name_stream(name, sizeof name, st);
    const size_t length = r ? strlen(r->left_out) : 0;
    if (!r || (length > strlen(more) && strcmp(r->left_out + length - strlen(more), more) == 0))
        return;
    if (length + 2 + strlen(name) + strlen(more) < sizeof r->left_out)
        snprintf(r->left_out + length, sizeof r->left_out - length, "%s%s", length ? ", " : "", name);
    else
        snprintf(r->left_out + length, sizeof r->left_out - length, "%s", more);
}

static bool add_other(film *f, unsigned index, ap_error *err)
{
    AVStream *st = f->source.container->streams[index];
    if (is_written_anew(st))
        return true;
    if (!has_place(f, st)) {
        leave_out(f, st);
        return true;
    }
    return is_cover(st) && writes(f, "matroska") ? attach_cover(f, index, err) : add_copy(f, index, err);
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

static bool add_streams(film *f, ap_error *err)
{
    size_t sound = 0;
    for (unsigned i = 0; i < f->source.container->nb_streams; i++) {
        const bool is_sound = f->source.container->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
        const size_t number = is_sound ? sound++ : 0;
        f->to[i] = LEFT_OUT;
        const bool ok = !is_sound                ? add_other(f, i, err)
                        : number < f->job->count ? add_sound(f, i, number, err)
                                                 : add_copy(f, i, err);
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
    for (size_t i = 0; i < f->job->count && f->source.container->start_time >= 0; i++)
        ap_audio_track_keep_time(f->tracks[i]);
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
