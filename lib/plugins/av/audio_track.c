/* SPDX-License-Identifier: GPL-3.0-or-later
 * audio_track.c - a stream to packets of AAC or Opus. */
#include "base/error.h"
#include "plugins/av/video.h"
#include "stream/stream.h"

#include <libavutil/opt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AAC_KBPS 96  /* a channel */
#define OPUS_KBPS 80 /* a channel, as ap_encode's */
#define OPUS_RATE 48000

struct ap_audio_track {
    ap_muxer *muxer;
    int index;
    ap_stream *audio;
    AVCodecContext *codec;
    AVFrame *frame;
    AVPacket *packet;
    float *block;    /* interleaved, of the encoder's frame size */
    uint64_t length; /* frames to write, AP_UNKNOWN: as many as there are */
    uint64_t taken;  /* of the stream */
    uint64_t position;
    uint64_t clipped;
    float peak;
    double begin_s;
    int64_t shift; /* of the times of packets, in frames */
    bool ended;    /* all packets are written */
};

/* ---- what the codecs take */

static const char *codec_name(const ap_muxer *m)
{
    return ap_muxer_has_opus(m) ? "libopus" : "aac";
}

/* The lowest rate of the codec that is not below rate, else its highest. */
static uint32_t nearest_rate(const AVCodec *codec, uint32_t rate)
{
    uint32_t above = 0, highest = 0;
    for (const int *r = codec->supported_samplerates; r && *r; r++) {
        uint32_t this = (uint32_t)*r;
        highest = FFMAX(highest, this);
        if (this >= rate && (!above || this < above))
            above = this;
    }
    return above ? above : highest ? highest : rate;
}

ap_stream *ap_audio_track_prepare(const ap_muxer *m, ap_stream *audio, ap_error *err)
{
    const AVCodec *codec = avcodec_find_encoder_by_name(codec_name(m));
    if (!codec) {
        ap_close(&audio);
        ap_fail(err, AP_FAILED, "libav was built without %s", codec_name(m));
        return NULL;
    }
    uint32_t rate = ap_muxer_has_opus(m) ? OPUS_RATE : nearest_rate(codec, audio->format.rate);
    uint32_t channels = audio->format.channels, mask = audio->format.mask, usual = ap_default_mask(channels);
    if (channels > 2 && (!usual || (mask != usual && ap_back_mask(mask) != usual)))
        audio = ap_remix(audio, 2, err);
    else if (channels == 7 && !ap_muxer_has_opus(m)) /* 6.1, which AAC has no number for */
        audio = ap_remix(audio, 6, err);
    return audio && audio->format.rate != rate ? ap_resample(audio, rate, err) : audio;
}

static bool open_codec(ap_audio_track *t, double kbps, ap_error *err)
{
    const char *name = codec_name(t->muxer);
    const AVCodec *codec = avcodec_find_encoder_by_name(name);
    AVCodecContext *c = t->codec = avcodec_alloc_context3(codec);
    if (!c)
        return ap_fail_memory(err);
    const ap_format *f = &t->audio->format;
    bool opus = ap_muxer_has_opus(t->muxer);
    c->sample_rate = (int)f->rate;
    c->sample_fmt = opus ? AV_SAMPLE_FMT_FLT : AV_SAMPLE_FMT_FLTP;
    c->bit_rate = (int64_t)(1000 * (kbps > 0 ? kbps : (opus ? OPUS_KBPS : AAC_KBPS) * f->channels));
    c->time_base = (AVRational){1, c->sample_rate};
    if (opus && f->channels > 2) /* speakers in Vorbis's order; libav leaves it at "undefined" */
        av_opt_set_int(c->priv_data, "mapping_family", 1, 0);
    c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
    if (av_channel_layout_from_mask(&c->ch_layout, ap_default_mask(f->channels)) < 0 ||
        avcodec_open2(c, codec, NULL) < 0)
        return ap_fail(err, AP_FAILED, "cannot encode %u channels at %u Hz with %s", f->channels, f->rate,
                       name);
    return true;
}

static bool make_buffers(ap_audio_track *t, ap_error *err)
{
    AVFrame *f = t->frame = av_frame_alloc();
    t->packet = av_packet_alloc();
    t->block = calloc((size_t)t->codec->frame_size * t->audio->format.channels, sizeof *t->block);
    if (!f || !t->packet || !t->block)
        return ap_fail_memory(err);
    f->format = t->codec->sample_fmt;
    f->sample_rate = t->codec->sample_rate;
    f->nb_samples = t->codec->frame_size;
    return (av_channel_layout_copy(&f->ch_layout, &t->codec->ch_layout) >= 0 &&
            av_frame_get_buffer(f, 0) >= 0) ||
           ap_fail_memory(err);
}

ap_audio_track *ap_audio_track_open(ap_muxer *m, ap_stream *audio, double kbps, double length_s,
                                    ap_error *err)
{
    ap_audio_track *t = calloc(1, sizeof *t);
    if (!t) {
        ap_close(&audio);
        ap_fail_memory(err);
        return NULL;
    }
    t->muxer = m;
    t->audio = audio;
    t->length = length_s < 0 ? AP_UNKNOWN : (uint64_t)llrint(length_s * audio->format.rate);
    if (!open_codec(t, kbps, err) || !make_buffers(t, err) || !ap_muxer_add(m, t->codec, &t->index, err)) {
        ap_audio_track_close(t);
        return NULL;
    }
    return t;
}

/* ---- samples */

/* Cuts off what is beyond full scale. */
static void clamp(ap_audio_track *t, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float x = t->block[i], level = fabsf(x);
        t->peak = fmaxf(t->peak, level);
        t->clipped += level > 1;
        t->block[i] = fminf(fmaxf(x, -1), 1);
    }
}

/* Fills the block, with silence after the end of the stream. Returns the number of frames to encode. */
static ptrdiff_t fill_block(ap_audio_track *t, ap_error *err)
{
    uint32_t channels = t->audio->format.channels;
    uint64_t left = t->length == AP_UNKNOWN ? AP_UNKNOWN : t->length - t->position;
    size_t want = FFMIN(left, (uint64_t)t->codec->frame_size);
    ptrdiff_t n = want ? ap_read_full(t->audio, t->block, want, err) : 0;
    if (n < 0)
        return -1;
    ap_sanitize(t->block, (size_t)n * channels);
    clamp(t, (size_t)n * channels);
    t->taken += (uint64_t)n;
    if (t->length == AP_UNKNOWN)
        return n;
    memset(t->block + (size_t)n * channels, 0, (want - (size_t)n) * channels * sizeof *t->block);
    return (ptrdiff_t)want;
}

static void deal_out(const ap_audio_track *t)
{
    uint32_t channels = t->audio->format.channels;
    size_t n = (size_t)t->frame->nb_samples;
    if (t->codec->sample_fmt == AV_SAMPLE_FMT_FLT) {
        memcpy(t->frame->data[0], t->block, n * channels * sizeof *t->block);
        return;
    }
    for (uint32_t c = 0; c < channels; c++)
        for (size_t i = 0; i < n; i++)
            ((float *)(void *)t->frame->extended_data[c])[i] = t->block[i * channels + c];
}

/* ---- packets */

static bool fail(int result, ap_error *err)
{
    return ap_fail(err, result == AVERROR(ENOMEM) ? AP_TRY_AGAIN : AP_FAILED, "cannot encode audio: %s",
                   av_err2str(result));
}

static bool write_packets(ap_audio_track *t, ap_error *err)
{
    int result;
    while ((result = avcodec_receive_packet(t->codec, t->packet)) >= 0) {
        t->packet->pts += t->shift;
        t->packet->dts += t->shift;
        if (!ap_muxer_write(t->muxer, t->packet, t->index, t->codec->time_base, err))
            return false;
    }
    t->ended = result == AVERROR_EOF;
    return t->ended || result == AVERROR(EAGAIN) || fail(result, err);
}

bool ap_audio_track_write(ap_audio_track *t, ap_error *err)
{
    if (t->ended)
        return true;
    ptrdiff_t n = fill_block(t, err);
    if (n < 0)
        return false;
    int result = av_frame_make_writable(t->frame);
    t->frame->nb_samples = (int)n;
    t->frame->pts = (int64_t)t->position;
    if (result >= 0) {
        deal_out(t);
        result = avcodec_send_frame(t->codec, n ? t->frame : NULL);
    }
    t->position += (uint64_t)n;
    return result < 0 ? fail(result, err) : write_packets(t, err);
}

void ap_audio_track_delay(ap_audio_track *t, double seconds)
{
    t->shift += (int64_t)llrint(seconds * t->codec->sample_rate);
    t->begin_s = seconds;
}

void ap_audio_track_keep_time(ap_audio_track *t)
{
    if (!ap_muxer_has_opus(t->muxer))
        return;
    t->muxer->container->avoid_negative_ts = 0;
    t->shift += t->codec->initial_padding;
}

bool ap_audio_track_ended(const ap_audio_track *t)
{
    return t->ended;
}

double ap_audio_track_seconds(const ap_audio_track *t)
{
    return t->begin_s + (double)t->position / t->codec->sample_rate;
}

void ap_audio_track_report(const ap_audio_track *t, ap_stitch_report *report)
{
    const ap_format *f = &t->audio->format;
    report->clipped = t->clipped;
    report->peak = t->peak;
    report->pad_s = (double)(t->position - t->taken) / f->rate;
    if (f->frames != AP_UNKNOWN)
        report->cut_s = (double)(f->frames - t->taken) / f->rate;
}

void ap_audio_track_close(ap_audio_track *t)
{
    if (!t)
        return;
    avcodec_free_context(&t->codec);
    av_frame_free(&t->frame);
    av_packet_free(&t->packet);
    ap_close(&t->audio);
    free(t->block);
    free(t);
}
