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
    const char **images; /* those that are shown */
    size_t count;
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

/* Leaves out those that cannot be decoded, if the caller wants to be told. */
static bool choose_images(maker *m, const ap_stitch_job *job, ap_error *err)
{
    const ap_stitch_options *o = m->options;
    ap_error why;
    m->images = malloc((job->count + 1) * sizeof *m->images);
    if (!m->images)
        return ap_fail_memory(err);
    for (size_t i = 0; i < job->count; i++) {
        ap_image image = {0};
        if (o->progress && !o->progress(o->user, 0, AP_UNKNOWN, err))
            return false;
        if (o->skipped && !ap_image_load(&image, job->images[i], &why))
            o->skipped(o->user, &why);
        else
            m->images[m->count++] = job->images[i];
        ap_image_free(&image);
    }
    return m->count || !job->count || ap_fail(err, AP_FAILED, "no image is left");
}

static bool decide_length(maker *m, ap_error *err)
{
    const ap_stitch_options *o = m->options;
    double image_s = o->image_s > 0 && m->count ? o->image_s : m->audio ? 0 : SILENT_IMAGE_S;
    double seconds = image_s * (double)m->count;
    if (image_s <= 0) {
        if (m->audio->format.frames == AP_UNKNOWN && o->visual != AP_VISUAL_NONE)
            return true;
        if (m->audio->format.frames == AP_UNKNOWN && !(m->audio = ap_replay(m->audio, NULL, NULL, err)))
            return false;
        seconds = (double)m->audio->format.frames / m->audio->format.rate;
    }
    m->frames = (uint64_t)llrint(seconds * av_q2d(m->fps));
    if (m->frames < m->count)
        return ap_fail(err, AP_FAILED, "%zu images cannot be shown in %.2f seconds of %g frames", m->count,
                       seconds, av_q2d(m->fps));
    return true;
}

/* ---- the work */

static bool open_all(maker *m, ap_output *out, ap_error *err)
{
    const ap_stitch_options *o = m->options;
    if (!ap_muxer_open(&m->muxer, out, o->format, err))
        return false;
    if (m->audio && !(m->audio = ap_audio_track_prepare(&m->muxer, m->audio, err)))
        return false;
    bool ok = o->visual == AP_VISUAL_NONE
                  ? ap_slideshow(&m->pictures, m->images, m->count, m->frames, m->fps, o, err)
                  : ap_visualize(&m->pictures, &m->audio, m->fps, o, err);
    if (!ok || !(m->video = ap_video_track_open(&m->muxer, m->fps, o, err)))
        return false;
    if (!m->audio)
        return ap_muxer_start(&m->muxer, NULL, err);
    const ap_tags *tags = ap_stream_tags(m->audio);
    double length_s = o->image_s > 0 && m->count ? (double)m->frames / av_q2d(m->fps) : -1;
    m->sound = ap_audio_track_open(&m->muxer, m->audio, length_s, err);
    m->audio = NULL;
    return m->sound && ap_muxer_start(&m->muxer, tags, err);
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
    maker m = {.options = job->options, .audio = job->audio, .frames = AP_UNKNOWN};
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
