/* SPDX-License-Identifier: GPL-3.0-or-later
 * av_decoder.c - the packets of a track as blocks of floats. */
#include "plugins/av/av_decoder.h"
#include "base/error.h"
#include "formats/mp3/mpeg.h"

#include <libavutil/intreadwrite.h>
#include <math.h>
#include <stdlib.h>

#define MP3_DELAY 529  /* of any decoder (LAME's "technical FAQ") */
#define MAX_ERRORS 100 /* packets that cannot be decoded before the first that can */

/* ---- packets to frames */

static void note_end(ap_av_decoder *d, const AVPacket *packet)
{
    const AVStream *st = d->source.container->streams[packet->stream_index];
    int64_t start = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    if (packet->pos >= 0)
        d->read = FFMAX(d->read, (uint64_t)packet->pos + (uint64_t)packet->size);
    if (start != AV_NOPTS_VALUE)
        d->end_s = fmax(d->end_s, (double)(start + packet->duration) * av_q2d(st->time_base));
}

/* A packet that cannot be decoded keeps its time, as silence, once the sample rate is known. */
static void conceal(ap_av_decoder *d)
{
    AVRational samples = {1, (int)d->format.rate};
    int64_t frames = d->format.rate && d->packet->duration > 0
                         ? av_rescale_q(d->packet->duration, d->st->time_base, samples)
                         : 0;
    d->next += frames;
    d->pts = AV_NOPTS_VALUE;
    if (!d->edits.count)
        d->silence += (uint64_t)frames;
    d->failed++;
}

/* Where the track starts, and whether libav leaves the delay of the encoder out by itself. */
static void note_first(ap_av_decoder *d)
{
    size_t size;
    const uint8_t *side = av_packet_get_side_data(d->packet, AV_PKT_DATA_SKIP_SAMPLES, &size);
    if (d->packets == 0)
        d->skips = side && size >= 4 && AV_RL32(side) > 0;
    if (d->packets == 0 && d->packet->pts > 0)
        d->next = d->packet->pts; /* in units of the track until the rate is known */
}

/* Whether this is the first MPEG frame of an MP3 file that mkvmerge has taken along. It is no sound, and
 * tells the delay and the padding; 529 frames are libav's own, as mpg123's. In MP4 the edit list counts it.
 */
static bool is_info(ap_av_decoder *d)
{
    ap_mpeg m;
    ap_mpeg_info info = {0};
    const AVFormatContext *c = d->source.container;
    const AVPacket *p = d->packet;
    if (d->packets || d->st->codecpar->codec_id != AV_CODEC_ID_MP3 || ap_av_source_is(&d->source, "mp4") ||
        p->size < 4 || !ap_mpeg_parse(p->data, &m) || !ap_mpeg_info_parse(p->data, (size_t)p->size, &info))
        return false;
    int64_t whole = (int64_t)info.frames * m.samples, start = info.delay + MP3_DELAY;
    int64_t end = whole - FFMAX(info.padding - MP3_DELAY, 0);
    bool alone = c->duration > 0 && c->duration <= av_rescale(whole + 4 * m.samples, AV_TIME_BASE, m.rate);
    if (info.lame && info.delay >= 0 && !d->skips && d->st->codecpar->initial_padding == 0) {
        d->delay = start;
        d->left = alone && end > start ? (uint64_t)end : AP_UNKNOWN; /* else others were joined to it */
    }
    return true;
}

/* Gives the decoder a packet of our stream, or tells it that there are no more. */
static void send_packet(ap_av_decoder *d)
{
    int result;
    while ((result = av_read_frame(d->source.container, d->packet)) >= 0) {
        note_end(d, d->packet);
        bool ours = d->packet->stream_index == d->st->index;
        if (ours) {
            note_first(d);
            bool info = is_info(d);
            d->packets++;
            d->corrupt = d->packet->flags & AV_PKT_FLAG_CORRUPT;
            if (av_packet_get_side_data(d->packet, AV_PKT_DATA_ENCRYPTION_INFO, NULL))
                d->encrypted = true;
            if (!info && avcodec_send_packet(d->codec, d->packet) < 0)
                conceal(d);
        }
        av_packet_unref(d->packet);
        if (ours)
            return;
    }
    d->draining = true;
    d->broken = result == AVERROR_INVALIDDATA && !avio_feof(d->source.container->pb);
    avcodec_send_packet(d->codec, NULL);
}

bool ap_av_next_frame(ap_av_decoder *d)
{
    while (d->format.rate || d->failed < MAX_ERRORS) {
        int result = avcodec_receive_frame(d->codec, d->frame);
        if (result >= 0 && d->frame->nb_samples > 0)
            break;
        if (result == AVERROR_EOF || (d->draining && result < 0))
            return false;
        if (result == AVERROR(EAGAIN))
            send_packet(d);
        else if (result < 0)
            d->failed++;
        if (d->silence)
            return false;
    }
    d->damaged = d->damaged || d->failed;
    d->failed = 0;
    return d->frame->nb_samples > 0;
}

/* ---- frames to floats */

static bool is_like(const AVFrame *a, const AVFrame *b)
{
    return a->format == b->format && a->sample_rate == b->sample_rate &&
           av_channel_layout_compare(&a->ch_layout, &b->ch_layout) == 0;
}

/* Whether the frame needs a part of its own (stream/join.h). With an edit list there is one time line, of one
 * rate. */
static bool is_foreign(const ap_av_decoder *d)
{
    const AVFrame *f = d->frame;
    return !d->edits.count && f->sample_rate > 0 &&
           ((uint32_t)f->sample_rate != d->format.rate ||
            (uint32_t)f->ch_layout.nb_channels != d->format.channels);
}

/* Prepares the conversion from what the frame has: samples, order of channels, and with an edit list all. */
static bool set_conversion(ap_av_decoder *d)
{
    AVChannelLayout to = {0}, from = {0};
    const AVFrame *f = d->frame;
    av_channel_layout_default(&from, f->ch_layout.nb_channels);
    if (f->ch_layout.order == AV_CHANNEL_ORDER_NATIVE)
        av_channel_layout_copy(&from, &f->ch_layout);
    if (!d->format.mask || av_channel_layout_from_mask(&to, d->format.mask) < 0)
        av_channel_layout_default(&to, (int)d->format.channels);
    if (d->chan.mask) /* they are put in order later */
        av_channel_layout_copy(&to, &from);
    int result = swr_alloc_set_opts2(&d->convert, &to, AV_SAMPLE_FMT_FLT, (int)d->format.rate, &from,
                                     (enum AVSampleFormat)f->format, f->sample_rate, 0, NULL);
    av_channel_layout_uninit(&from);
    av_channel_layout_uninit(&to);
    av_frame_unref(d->like);
    d->like->format = f->format;
    d->like->sample_rate = f->sample_rate;
    d->converts = (uint32_t)f->sample_rate != d->format.rate ||
                  (uint32_t)f->ch_layout.nb_channels != d->format.channels;
    return result >= 0 && swr_init(d->convert) >= 0 &&
           av_channel_layout_copy(&d->like->ch_layout, &f->ch_layout) >= 0;
}

static bool reserve(ap_av_decoder *d, size_t frames, ap_error *err)
{
    if (frames <= d->capacity)
        return true;
    float *samples = realloc(d->samples, frames * d->format.channels * sizeof *samples);
    if (!samples)
        return ap_fail_memory(err);
    d->samples = samples;
    d->capacity = frames;
    return true;
}

/* How much of the frame is music: in MP4 the last packet has the length that was left, and iTunes tells the
 * whole length. What follows is the padding of the encoder. */
static size_t cut_padding(ap_av_decoder *d, size_t n)
{
    int64_t duration = d->frame->pkt_duration;
    AVRational base = d->st->time_base, samples = {1, (int)d->format.rate};
    bool exact = base.num == 1 && (base.den % samples.den == 0 || samples.den % base.den == 0);
    if (exact && duration > 0 && d->st->nb_frames > 1 && d->packets >= d->st->nb_frames) {
        duration = av_rescale_q(duration, base, samples);
        n = duration < (int64_t)n ? (size_t)duration : n;
    }
    n = n > d->left ? (size_t)d->left : n;
    if (d->left != AP_UNKNOWN)
        d->left -= n;
    return n;
}

static void leave_delay_out(ap_av_decoder *d, size_t n)
{
    size_t skip = d->delay < (int64_t)n ? (size_t)d->delay : n;
    d->delay -= (int64_t)skip;
    d->at = skip;
    d->have = n - skip;
}

/* A fragmented file has no table that tells the length, but its last packet does. */
static int64_t cut_last(ap_av_decoder *d, int64_t n)
{
    AVRational samples = {1, (int)d->format.rate};
    int64_t told = av_rescale_q(d->frame->pkt_duration, d->st->time_base, samples);
    if (d->edits.list[d->edits.count - 1].length >= 0 || told <= 0 || told >= n)
        return n;
    if (!d->draining)
        send_packet(d);
    return d->draining ? told : n;
}

/* Frames between the block before and the frame, where a packet was longer than its sound: so tell fragments
 * without edit lists that the sound begins later. Times are rounded, and high frequencies that a decoder does
 * not know of (SBR) make a packet twice as long. */
static int64_t gap_before(ap_av_decoder *d)
{
    AVRational samples = {1, (int)d->format.rate};
    int64_t slack = d->count + (int64_t)d->format.rate / 50, last = d->pts, pts = d->frame->pts;
    d->pts = pts;
    if (last == AV_NOPTS_VALUE || pts == AV_NOPTS_VALUE || pts <= last || d->edit >= d->edits.count ||
        d->edits.list[d->edit].length < 0)
        return 0;
    int64_t gap = av_rescale_q(pts - last, d->st->time_base, samples) - d->count;
    return gap > slack && gap < INT64_MAX / 4 - d->next ? gap : 0;
}

static void note_block(ap_av_decoder *d, int64_t n)
{
    d->next += gap_before(d);
    d->before = d->begin + d->count;
    d->begin = d->next;
    d->count = n;
    d->next += n;
}

bool ap_av_take_frame(ap_av_decoder *d, ap_error *err)
{
    d->switched = is_foreign(d);
    if (d->switched)
        return true;
    if (!is_like(d->frame, d->like) && !set_conversion(d))
        return ap_fail(err, AP_FAILED, "cannot convert the samples of '%s'", ap_input_name(d->source.in));
    int room = swr_get_out_samples(d->convert, d->frame->nb_samples);
    if (room < 0 || !reserve(d, (size_t)room, err))
        return false;
    uint8_t *out = (uint8_t *)d->samples;
    int n = swr_convert(d->convert, &out, room, (const uint8_t **)(void *)d->frame->extended_data,
                        d->frame->nb_samples);
    d->at = 0;
    d->have = 0;
    if (n > 0)
        ap_chan_reorder(&d->chan, d->samples, (size_t)n, d->format.channels);
    if (d->edits.count)
        note_block(d, n > 0 ? cut_last(d, n) : 0);
    else if (n > 0)
        leave_delay_out(d, cut_padding(d, (size_t)n));
    av_frame_unref(d->frame);
    return true;
}
