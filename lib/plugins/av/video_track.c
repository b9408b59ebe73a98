/* SPDX-License-Identifier: GPL-3.0-or-later
 * video_track.c - pictures to packets of H.264 or VP9, at a constant frame rate.
 *
 * A picture that stays is encoded once, as a key frame. What follows it are frames that change nothing, and
 * these are the same few bytes whatever the picture: in VP9 the single byte of show_existing_frame, in H.264
 * P slices in which all macroblocks are skipped. For those the encoder itself gives the pattern: it is shown
 * black for a while, and what it makes of that after the key frame is kept. A decoder cannot tell the result
 * from what the encoder makes of pictures that are repeated; each stretch begins with a key frame. The
 * encoder must give each packet at once, and let no slice depend on anything but its own frame and the one
 * before it. */
#include "base/error.h"
#include "plugins/av/video.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOP 250 /* frames from one key frame to the next, at most: what ffmpeg takes for x264 */
#define PERIOD                                                                                               \
    32 /* of x264's packets: frame numbers have 4 bits, and 5 bits of a counter choose its stop bits */
/* frame_marker 2, profile 0, show_existing_frame 1, frame_to_show_map_idx 0 (VP9 bitstream specification
 * 0.6, 6.2); a key frame fills all eight places (7.2). */
#define VP9_SHOW 0x88

struct ap_video_track {
    ap_muxer *muxer;
    int index;
    AVCodecContext *codec;
    AVFrame *frame;   /* the picture on its way to the encoder */
    AVPacket *packet; /* on its way from it, or to the muxer */
    AVPacket *key;    /* what is shown, if it stays */
    AVPacket
        *still[GOP]; /* [i]: what comes i frames after a key frame and changes nothing, where there is one */
    uint64_t position; /* frames written */
    uint64_t shown;    /* of them, since the picture came */
    uint64_t left;     /* to be written of it */
    bool was_still;    /* the last picture stayed: the next one has to be a key frame */
};

/* ---- the encoder */

/* How slow libvpx is to be, for a preset of x264. */
static int cpu_used(const char *preset)
{
    static const struct {
        const char *preset;
        int speed; /* 0..5 with "good" */
    } table[] = {{"ultrafast", 5}, {"superfast", 5}, {"veryfast", 4}, {"faster", 3},  {"fast", 3},
                 {"medium", 2},    {"slow", 1},      {"slower", 1},   {"veryslow", 0}};
    for (size_t i = 0; preset && i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].preset, preset) == 0)
            return table[i].speed;
    return 4;
}

/* What the user chose. */
static bool set_quality(bool vp9, const ap_stitch_options *o, AVDictionary **options)
{
    char crf[32];
    snprintf(crf, sizeof crf, "%g", o->crf);
    return (o->crf < 0 || av_dict_set(options, "crf", crf, 0) >= 0) &&
           (!o->preset || (vp9 ? av_dict_set_int(options, "cpu-used", cpu_used(o->preset), 0)
                               : av_dict_set(options, "preset", o->preset, 0)) >= 0);
}

static bool set_options(const ap_video_track *t, bool vp9, const ap_stitch_options *chosen,
                        AVDictionary **options)
{
    static const char *const x264[][2] = {
        {"preset", "veryfast"},
        {"tune", "stillimage,zerolatency"}, /* zerolatency: no packet waits for another picture */
        {"crf", "18"},
        {"forced-idr", "1"},
        {"x264-params",
         "qcomp=1:ipratio=1:weightp=0:scenecut=0"}, /* quality does not depend on what was before */
        {0}};
    static const char *const vpx[][2] = {{"crf", "24"},
                                         {"b", "0"},
                                         {"deadline", "good"},
                                         {"cpu-used", "4"},
                                         {"lag-in-frames", "0"},
                                         {"row-mt", "1"},
                                         {"auto-alt-ref", "0"},
                                         {"tile-columns", "2"},
                                         {0}};
    for (const char *const(*o)[2] = vp9 ? vpx : x264; (*o)[0]; o++)
        if (av_dict_set(options, (*o)[0], (*o)[1], 0) < 0)
            return false;
    return av_dict_set_int(options, "g", GOP, 0) >= 0 && set_quality(vp9, chosen, options) && t->codec;
}

static bool open_codec(ap_video_track *t, AVRational fps, const ap_stitch_options *o, ap_error *err)
{
    bool vp9 = ap_muxer_is_webm(t->muxer);
    const char *name = vp9 ? "libvpx-vp9" : "libx264";
    const AVCodec *codec = avcodec_find_encoder_by_name(name);
    if (!codec)
        return ap_fail(err, AP_FAILED, "libav was built without %s", name);
    AVCodecContext *c = t->codec = avcodec_alloc_context3(codec);
    if (!c)
        return ap_fail_memory(err);
    c->width = (int)o->width;
    c->height = (int)o->height;
    c->pix_fmt = AV_PIX_FMT_YUV420P;
    c->time_base = av_inv_q(fps);
    c->framerate = fps;
    c->sample_aspect_ratio = (AVRational){1, 1};
    c->color_range = AVCOL_RANGE_MPEG;
    c->colorspace = AVCOL_SPC_BT709;
    c->color_primaries = AVCOL_PRI_BT709;
    c->color_trc = AVCOL_TRC_BT709;
    c->chroma_sample_location = AVCHROMA_LOC_LEFT;
    c->thread_count = (int)o->threads;
    c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    AVDictionary *options = NULL;
    bool ok = set_options(t, vp9, o, &options) || ap_fail_memory(err);
    if (ok && avcodec_open2(c, codec, &options) < 0)
        ok =
            ap_fail(err, AP_FAILED, "cannot encode video of %ux%u pixels with %s", o->width, o->height, name);
    av_dict_free(&options);
    return ok;
}

/* One picture in, its packet out, in t->packet. */
static bool encode(ap_video_track *t, const AVFrame *picture, bool key, ap_error *err)
{
    av_frame_unref(t->frame);
    if (av_frame_ref(t->frame, picture) < 0)
        return ap_fail_memory(err);
    t->frame->pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    t->frame->pts = t->codec->frame_number;
    int result = avcodec_send_frame(t->codec, t->frame);
    av_frame_unref(t->frame);
    if (result >= 0)
        result = avcodec_receive_packet(t->codec, t->packet);
    if (result < 0)
        return ap_fail(err, result == AVERROR(ENOMEM) ? AP_TRY_AGAIN : AP_FAILED, "cannot encode video: %s",
                       av_err2str(result));
    return true;
}

/* ---- frames that change nothing */

/* Whether what was learnt of two periods is the same in both. */
static bool is_periodic(const ap_video_track *t)
{
    for (size_t i = 1; i <= PERIOD; i++) {
        const AVPacket *a = t->still[i], *b = t->still[i + PERIOD];
        if (a->size != b->size || memcmp(a->data, b->data, (size_t)a->size) != 0)
            return false;
    }
    return true;
}

/* Learns from black what follows a key frame. It is learnt once, before any picture that stays: so key frames
 * next to each other have different numbers (H.264, 7.4.3, idr_pic_id), also where one is written again. */
static bool learn(ap_video_track *t, ap_error *err)
{
    if (t->still[1])
        return true;
    AVFrame *black = ap_picture_new((unsigned)t->codec->width, (unsigned)t->codec->height);
    bool ok = black || ap_fail_memory(err), repeats = false;
    for (size_t i = 0; ok && i < GOP; i++) {
        repeats = repeats || (i == 2 * PERIOD + 1 && is_periodic(t));
        ok = repeats || encode(t, black, i == 0, err);
        if (ok && i > 0)
            ok = (t->still[i] = av_packet_clone(repeats ? t->still[i - PERIOD] : t->packet)) ||
                 ap_fail_memory(err);
        av_packet_unref(t->packet);
    }
    av_frame_free(&black);
    return ok;
}

static bool make_show_existing(ap_video_track *t, ap_error *err)
{
    AVPacket *p = t->still[1] = av_packet_alloc();
    if (!p || av_new_packet(p, 1) < 0)
        return ap_fail_memory(err);
    p->data[0] = VP9_SHOW;
    for (size_t i = 2; i < GOP; i++)
        if (!(t->still[i] = av_packet_clone(p)))
            return ap_fail_memory(err);
    return true;
}

/* ---- the track */

ap_video_track *ap_video_track_open(ap_muxer *m, AVRational fps, const ap_stitch_options *options,
                                    ap_error *err)
{
    ap_video_track *t = calloc(1, sizeof *t);
    if (!t) {
        ap_fail_memory(err);
        return NULL;
    }
    t->muxer = m;
    t->frame = av_frame_alloc();
    t->packet = av_packet_alloc();
    t->key = av_packet_alloc();
    bool ok = (t->frame && t->packet && t->key) || ap_fail_memory(err);
    ok = ok && open_codec(t, fps, options, err) && ap_muxer_add(m, t->codec, &t->index, err);
    if (ok && ap_muxer_is_webm(m))
        ok = make_show_existing(t, err);
    if (!ok) {
        ap_video_track_close(t);
        return NULL;
    }
    return t;
}

bool ap_video_track_show(ap_video_track *t, const AVFrame *picture, uint64_t frames, ap_error *err)
{
    bool stays = frames > 1;
    if (stays && !learn(t, err))
        return false;
    if (!encode(t, picture, stays || t->was_still, err))
        return false;
    av_packet_unref(t->key);
    if (stays && av_packet_ref(t->key, t->packet) < 0)
        return ap_fail_memory(err);
    t->was_still = stays;
    t->left = frames;
    t->shown = 0;
    return true;
}

bool ap_video_track_write(ap_video_track *t, ap_error *err)
{
    uint64_t since_key = t->shown % GOP;
    if (t->shown && av_packet_ref(t->packet, since_key ? t->still[since_key] : t->key) < 0)
        return ap_fail_memory(err);
    t->packet->pts = t->packet->dts = (int64_t)t->position;
    t->packet->duration = 1;
    t->position++;
    t->shown++;
    t->left--;
    return ap_muxer_write(t->muxer, t->packet, t->index, t->codec->time_base, err);
}

uint64_t ap_video_track_left(const ap_video_track *t)
{
    return t->left;
}

uint64_t ap_video_track_position(const ap_video_track *t)
{
    return t->position;
}

void ap_video_track_close(ap_video_track *t)
{
    if (!t)
        return;
    avcodec_free_context(&t->codec);
    av_frame_free(&t->frame);
    av_packet_free(&t->packet);
    av_packet_free(&t->key);
    for (size_t i = 0; i < GOP; i++)
        av_packet_free(&t->still[i]);
    free(t);
}
