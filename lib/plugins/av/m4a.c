/* SPDX-License-Identifier: GPL-3.0-or-later
 * m4a.c - a stream to an M4A of AAC or ALAC. What readers need to give exactly these frames back: an edit
 * list that begins after the delay of the encoder, a last packet as long as what is left, and times of the
 * movie in samples, where milliseconds would round its length. */
#include "plugins/av/m4a.h"
#include "base/error.h"
#include "formats/quantize.h"
#include "plugins/av/av_container.h"
#include "plugins/av/video.h"
#include "stream/chapters.h"
#include "stream/stream.h"

#include <libavutil/opt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AAC_KBPS 96 /* a channel, as audio_track.c */

typedef struct encoder {
    ap_muxer muxer;
    AVCodecContext *codec;
    AVFrame *frame;
    AVPacket *packet;
    int index;
    bool lossless;
    float *block;      /* interleaved, of the encoder's frame size */
    int32_t *integers; /* the same, of ALAC */
    ap_quantizer *quantizer;
    uint64_t position;
} encoder;

/* Fraunhofer's encoder where libav was built with it: Debian's was not. */
static const AVCodec *find_codec(bool lossless)
{
    const AVCodec *better = lossless ? NULL : avcodec_find_encoder_by_name("libfdk_aac");
    return better ? better : avcodec_find_encoder_by_name(lossless ? "alac" : "aac");
}

static enum AVSampleFormat sample_format(const encoder *e, const AVCodec *codec, ap_bits bits)
{
    if (e->lossless)
        return bits == AP_BITS_24 ? AV_SAMPLE_FMT_S32P : AV_SAMPLE_FMT_S16P;
    return codec->sample_fmts ? codec->sample_fmts[0] : AV_SAMPLE_FMT_FLTP;
}

/* Whether libav's own decoder knows these speakers again. AAC has no number for others, and no reader
 * understands what libav writes instead: 4.1 comes back as five channels without speakers. */
static bool has_aac_layout(uint32_t mask)
{
    static const uint32_t known[] = {
        AV_CH_LAYOUT_MONO,     AV_CH_LAYOUT_STEREO,      AV_CH_LAYOUT_2POINT1, AV_CH_LAYOUT_2_1,
        AV_CH_LAYOUT_SURROUND, AV_CH_LAYOUT_4POINT0,     AV_CH_LAYOUT_QUAD,    AV_CH_LAYOUT_5POINT0_BACK,
        AV_CH_LAYOUT_7POINT1,  AV_CH_LAYOUT_5POINT1_BACK};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (mask == known[i])
            return true;
    return false;
}

static bool open_codec(encoder *e, const ap_stream *s, const ap_encode_options *o, ap_error *err)
{
    const ap_format *f = &s->format;
    uint32_t mask = ap_back_mask(f->mask);
    bool fits = f->channels <= 2 || e->lossless || has_aac_layout(mask);
    const AVCodec *codec = find_codec(e->lossless);
    if (!ap_has_places(f) && f->channels > 2)
        return ap_fail(
            err, AP_USAGE,
            "m4a cannot hold %u channels without positions: say what they are with ap-decode --layout",
            f->channels);
    AVCodecContext *c = e->codec = codec ? avcodec_alloc_context3(codec) : NULL;
    if (!c)
        return codec ? ap_fail_memory(err)
                     : ap_fail(err, AP_FAILED, "libav was built without %s", e->lossless ? "ALAC" : "AAC");
    c->sample_rate = (int)f->rate;
    c->sample_fmt = sample_format(e, codec, o->bits);
    if (e->lossless)
        c->bits_per_raw_sample = o->bits == AP_BITS_24 ? 24 : 16;
    else
        c->bit_rate =
            (int64_t)(o->bitrate_kbps > 0 ? 1000 * o->bitrate_kbps : 1000.0 * AAC_KBPS * f->channels);
    c->time_base = (AVRational){1, c->sample_rate};
    c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
    if (fits && av_channel_layout_from_mask(&c->ch_layout, mask) >= 0 && avcodec_open2(c, codec, NULL) >= 0)
        return true;
    char name[64];
    return ap_fail(err, AP_USAGE, "m4a cannot hold %u channels (%s) at %u Hz: mix them with ap-decode -c 6",
                   f->channels, ap_layout_name(f->mask, name, sizeof name), f->rate);
}

static bool make_buffers(encoder *e, const ap_stream *s, const ap_encode_options *o, ap_error *err)
{
    AVFrame *f = e->frame = av_frame_alloc();
    size_t count = (size_t)e->codec->frame_size * s->format.channels;
    e->packet = av_packet_alloc();
    e->block = calloc(count, sizeof *e->block);
    e->integers = calloc(count, sizeof *e->integers);
    if (!f || !e->packet || !e->block || !e->integers)
        return ap_fail_memory(err);
    if (e->lossless &&
        !(e->quantizer = ap_quantizer_new(s->format.channels, o->bits == AP_BITS_24 ? AP_BITS_24 : AP_BITS_16,
                                          o->dither, o->seed, err)))
        return false;
    f->format = e->codec->sample_fmt;
    f->sample_rate = e->codec->sample_rate;
    f->nb_samples = e->codec->frame_size;
    return (av_channel_layout_copy(&f->ch_layout, &e->codec->ch_layout) >= 0 &&
            av_frame_get_buffer(f, 0) >= 0) ||
           ap_fail_memory(err);
}

/* ---- samples */

static void deal_out_floats(const encoder *e, uint32_t channels, size_t n)
{
    for (uint32_t c = 0; c < channels; c++)
        for (size_t i = 0; i < n; i++)
            ((float *)(void *)e->frame->extended_data[c])[i] = e->block[i * channels + c];
}

/* 24 bits are at the top of 32. */
static void deal_out_integers(const encoder *e, uint32_t channels, size_t n)
{
    bool wide = e->codec->sample_fmt == AV_SAMPLE_FMT_S32P;
    ap_quantize(e->quantizer, e->block, e->integers, n);
    for (uint32_t c = 0; c < channels; c++)
        for (size_t i = 0; i < n; i++) {
            int32_t v = e->integers[i * channels + c];
            if (wide)
                ((int32_t *)(void *)e->frame->extended_data[c])[i] = (int32_t)((uint32_t)v << 8);
            else
                ((int16_t *)(void *)e->frame->extended_data[c])[i] = (int16_t)v;
        }
}

/* libfdk takes 16 bits, interleaved. */
static void deal_out_words(const encoder *e, uint32_t channels, size_t n)
{
    for (size_t i = 0; i < n * channels; i++) {
        float v = fminf(fmaxf(e->block[i] * 32768, -32768), 32767);
        ((int16_t *)(void *)e->frame->data[0])[i] = (int16_t)lrintf(v);
    }
}

static void deal_out(const encoder *e, uint32_t channels, size_t n)
{
    if (e->lossless)
        deal_out_integers(e, channels, n);
    else if (e->codec->sample_fmt == AV_SAMPLE_FMT_S16)
        deal_out_words(e, channels, n);
    else
        deal_out_floats(e, channels, n);
}

/* ---- packets */

static bool fail(int result, ap_error *err)
{
    return ap_fail(err, result == AVERROR(ENOMEM) ? AP_TRY_AGAIN : AP_FAILED, "cannot encode audio: %s",
                   av_err2str(result));
}

/* 1: more is wanted, 0: this was the last packet, -1: err. */
static int write_packets(encoder *e, ap_error *err)
{
    int result;
    while ((result = avcodec_receive_packet(e->codec, e->packet)) >= 0)
        if (!ap_muxer_write(&e->muxer, e->packet, e->index, e->codec->time_base, err))
            return -1;
    if (result == AVERROR_EOF)
        return 0;
    return result == AVERROR(EAGAIN) ? 1 : (fail(result, err), -1);
}

/* The next frames of the stream; none: the end. As write_packets. */
static int encode_block(encoder *e, ap_stream *s, ap_error *err)
{
    ptrdiff_t n = ap_read_full(s, e->block, (size_t)e->codec->frame_size, err);
    int result = n < 0 ? -1 : av_frame_make_writable(e->frame);
    if (n < 0)
        return -1;
    e->frame->nb_samples = (int)n;
    e->frame->pts = (int64_t)e->position;
    e->position += (uint64_t)n;
    if (result >= 0) {
        deal_out(e, s->format.channels, (size_t)n);
        result = avcodec_send_frame(e->codec, n ? e->frame : NULL);
    }
    return result < 0 ? (fail(result, err), -1) : write_packets(e, err);
}

/* Chapters alone: the other tags are written elsewhere. NULL when out of memory. */
static ap_tags *only_chapters(const ap_tags *from)
{
    const char *key, *value;
    ap_tags *tags = ap_tags_new();
    bool ok = tags;
    for (size_t i = 0; ok && ap_tags_at(from, i, &key, &value); i++)
        ok = !ap_is_chapter_key(key) || ap_tags_add(tags, key, value);
    if (!ok)
        ap_tags_free(&tags);
    return tags;
}

static bool start(encoder *e, ap_stream *s, ap_output *out, ap_error *err)
{
    ap_tags *chapters = only_chapters(ap_stream_tags(s));
    bool ok = (chapters || ap_fail_memory(err)) && ap_muxer_open(&e->muxer, out, "ipod", err) &&
              ap_muxer_add(&e->muxer, e->codec, &e->index, err);
    if (ok)
        av_opt_set_int(e->muxer.container->priv_data, "movie_timescale", e->codec->sample_rate, 0);
    ok = ok && ap_muxer_start(&e->muxer, chapters, err);
    ap_tags_free(&chapters);
    return ok;
}

bool ap_av_encode(ap_stream *s, ap_output *out, const ap_encode_options *options, bool lossless,
                  ap_error *err)
{
    encoder e = {.lossless = lossless};
    ap_av_be_quiet();
    int more = open_codec(&e, s, options, err) && make_buffers(&e, s, options, err) && start(&e, s, out, err)
                   ? 1
                   : -1;
    while (more > 0)
        more = encode_block(&e, s, err);
    bool ok = more == 0 && ap_muxer_finish(&e.muxer, err);
    ap_muxer_close(&e.muxer);
    avcodec_free_context(&e.codec);
    av_frame_free(&e.frame);
    av_packet_free(&e.packet);
    ap_quantizer_free(e.quantizer);
    free(e.block);
    free(e.integers);
    return ok;
}
