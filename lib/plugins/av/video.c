/* SPDX-License-Identifier: GPL-3.0-or-later
 * video.c - makes a video: decides how long it is, and lets pictures and sound in turn into the file. */
#include "plugins/av/video.h"
#include "base/error.h"
#include "pictures/stitch.h"
#include "plugins/av/av_container.h"
#include "stream/replay.h"
#include "stream/stream.h"

#include <math.h>
#include <stdlib.h>

#define SILENT_IMAGE_S 3 /* of each image, when there is no sound to share */

typedef struct maker {
    const ap_stitch_options *options;
    AVRational fps;
    ap_shown *images; /* those that are shown */
    size_t count;
    bool by_images; /* they decide how long the video is, not the sound */
    ap_letter_fn *letter;
    uint64_t frames; /* of the video, AP_UNKNOWN until the sound ends */
    ap_stream *audio;
    const ap_tags *tags; /* the sound's */
    ap_pictures pictures;
    ap_muxer muxer;
    ap_video_track *video;
    ap_audio_track *sound;
} maker;

/* 23.976, 29.97 and so on stand for the exact rates of NTSC. */
static AVRational exact_rate(double fps)
{
    double ntsc = fps * 1.001;
    if (fabs(ntsc - round(ntsc)) < 1e-3 && fabs(fps - round(fps)) > 1e-3)
        return (AVRational){(int)lrint(ntsc) * 1000, 1001};
    return av_d2q(fps, 1000000);
}

/* ---- which images, and how long */

static ap_shown show_of(const ap_stitch_job *job, size_t i)
{
    const ap_slide *slide = job->options->slides ? &job->options->slides[i] : NULL;
    return (ap_shown){.name = job->images[i],
                      .caption = slide ? slide->caption : NULL,
                      .seconds = slide ? slide->seconds : 0};
}

/* Leaves out those that cannot be decoded, if the caller wants to be told. */
static bool choose_images(maker *m, const ap_stitch_job *job, ap_error *err)
{
    const ap_stitch_options *o = m->options;
    ap_error why;
    m->images = calloc(job->count + 1, sizeof *m->images);
    if (!m->images)
        return ap_fail_memory(err);
    for (size_t i = 0; i < job->count; i++) {
        ap_image image = {0};
        if (o->progress && !o->progress(o->user, 0, AP_UNKNOWN, err))
            return false;
        if (o->skipped && !ap_image_load(&image, job->images[i], &why))
            o->skipped(o->user, &why);
        else
            m->images[m->count++] = show_of(job, i);
        ap_image_free(&image);
    }
    return m->count || !job->count || ap_fail(err, AP_FAILED, "no image is left");
}

/* The length of the sound in seconds, which is read to its end if it does not tell. */
static bool sound_length(maker *m, double *seconds, ap_error *err)
{
    if (m->audio->format.frames == AP_UNKNOWN && !(m->audio = ap_replay(m->audio, NULL, NULL, err)))
        return false;
    *seconds = (double)m->audio->format.frames / m->audio->format.rate;
    return true;
}

/* Gives each image a time, and their sum. */
static bool share_time(maker *m, double *total, ap_error *err)
{
    const ap_stitch_options *o = m->options;
    double own = 0, each = o->image_s > 0 ? o->image_s : SILENT_IMAGE_S;
    size_t others = 0;
    for (size_t i = 0; i < m->count; i++) {
        own += m->images[i].seconds;
        others += m->images[i].seconds <= 0;
    }
    m->by_images = o->image_s > 0 || !others || !m->audio;
    if (!m->by_images) {
        if (!sound_length(m, total, err))
            return false;
        each = (*total - own) / (double)others;
        if (each <= 0)
            return ap_fail(
                err, AP_FAILED,
                "the images with a time take %.2f of the sound's %.2f seconds: nothing is left for the rest",
                own, *total);
    } else {
        *total = own + each * (double)others;
    }
    for (size_t i = 0; i < m->count; i++)
        if (m->images[i].seconds <= 0)
            m->images[i].seconds = each;
    return true;
}

/* Where each image begins; all have one frame at least. */
static bool place_images(maker *m, double total, ap_error *err)
{
    double at = 0;
    for (size_t i = 0; i < m->count; i++) {
        m->images[i].begin = (uint64_t)((double)m->frames * fmin(at / total, 1) + 1e-6);
        at += m->images[i].seconds;
        const uint64_t least = i ? m->images[i - 1].begin + 1 : 0;
        if (m->images[i].begin < least || m->images[i].begin >= m->frames)
            return ap_fail(err, AP_FAILED, "%zu images cannot be shown in %.2f seconds of %g frames",
                           m->count, total, av_q2d(m->fps));
    }
    return true;
}

static bool decide_length(maker *m, ap_error *err)
{
    double total;
    if (m->options->visual != AP_VISUAL_NONE) {
        const ap_format *f = &m->audio->format;
        if (f->frames != AP_UNKNOWN)
            m->frames = (uint64_t)llrint((double)f->frames / f->rate * av_q2d(m->fps));
        return true;
    }
    if (!share_time(m, &total, err))
        return false;
    m->frames = (uint64_t)llrint(total * av_q2d(m->fps));
    return place_images(m, total, err);
}

/* ---- the work */

/* The tags of the sound go along; the title at the top is the video's, too. */
static bool start(maker *m, const ap_tags *of_sound, ap_error *err)
{
    const char *title = m->options->title;
    ap_tags *tags = ap_tags_new();
    bool ok = tags && (!of_sound || ap_tags_merge(tags, of_sound)) &&
              (!title || !*title || ap_tags_set(tags, "TITLE", title));
    ok = ok ? ap_muxer_start(&m->muxer, tags, err) : ap_fail_memory(err);
    ap_tags_free(&tags);
    return ok;
}

static bool open_all(maker *m, ap_output *out, ap_error *err)
{
    const ap_stitch_options *o = m->options;
    if (!ap_muxer_open(&m->muxer, out, o->format, err))
        return false;
    if (m->audio && !(m->audio = ap_audio_track_prepare(&m->muxer, m->audio, err)))
        return false;
    const ap_showing showing = {o, m->fps, m->images, m->count, m->letter};
    bool ok = o->visual == AP_VISUAL_NONE ? ap_slideshow(&m->pictures, &showing, m->frames, err)
                                          : ap_visualize(&m->pictures, &m->audio, &showing, err);
    if (!ok || !(m->video = ap_video_track_open(&m->muxer, m->fps, o, err)))
        return false;
    if (!m->audio)
        return start(m, NULL, err);
    const ap_tags *tags = ap_stream_tags(m->audio);
    double length_s = m->by_images ? (double)m->frames / av_q2d(m->fps) : -1;
    m->sound = ap_audio_track_open(&m->muxer, m->audio, 0, length_s, err);
    m->audio = NULL;
    if (!m->sound)
        return false;
    ap_audio_track_keep_time(m->sound);
    return start(m, tags, err);
}

/* Writes the next frame, of the next picture if the last one was shown long enough. Sets *more to false at
 * the end. */
static bool write_frame(maker *m, bool *more, ap_error *err)
{
    const ap_stitch_options *o = m->options;
    uint64_t frames;
    const AVFrame *picture;
    if (!ap_video_track_left(m->video)) {
        if (!m->pictures.next(m->pictures.state, &picture, &frames, err))
            return false;
        *more = frames;
        if (!frames)
            return true;
        if (!ap_video_track_show(m->video, picture, frames, err))
            return false;
    }
    return ap_video_track_write(m->video, err) &&
           (!o->progress || o->progress(o->user, ap_video_track_position(m->video), m->frames, err));
}

static bool sound_is_next(const maker *m, bool more_video)
{
    if (!m->sound || ap_audio_track_ended(m->sound))
        return false;
    double video_s = (double)ap_video_track_position(m->video) / av_q2d(m->fps);
    return !more_video || ap_audio_track_seconds(m->sound) <= video_s + m->pictures.ahead_s;
}

static bool write_all(maker *m, ap_error *err)
{
    bool more = true;
    while (more || (m->sound && !ap_audio_track_ended(m->sound)))
        if (!(sound_is_next(m, more) ? ap_audio_track_write(m->sound, err) : write_frame(m, &more, err)))
            return false;
    if (!ap_video_track_position(m->video))
        return ap_fail(err, AP_FAILED, "there is no sound to show");
    return ap_muxer_finish(&m->muxer, err);
}

static void report(const maker *m)
{
    ap_stitch_report *r = m->options->report;
    if (!r)
        return;
    uint64_t frames = ap_video_track_position(m->video);
    *r = (ap_stitch_report){
        .frames = frames, .images = m->count, .duration_s = (double)frames / av_q2d(m->fps)};
    if (m->sound)
        ap_audio_track_report(m->sound, r);
}

bool ap_av_stitch(const ap_stitch_job *job, ap_output *out, ap_error *err)
{
    ap_av_be_quiet();
    maker m = {.options = job->options, .audio = job->audio, .letter = job->letter, .frames = AP_UNKNOWN};
    m.fps = exact_rate(m.options->fps);
    bool ok =
        choose_images(&m, job, err) && decide_length(&m, err) && open_all(&m, out, err) && write_all(&m, err);
    if (ok)
        report(&m);
    ap_video_track_close(m.video);
    ap_audio_track_close(m.sound);
    ap_muxer_close(&m.muxer);
    if (m.pictures.free)
        m.pictures.free(m.pictures.state);
    ap_close(&m.audio);
    free(m.images);
    return ok;
}
