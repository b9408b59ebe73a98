/* SPDX-License-Identifier: GPL-3.0-or-later
 * av.c - what only libav reads: MP4, Matroska, ASF, ADTS, AC-3... It is a plugin, because libav's libraries
 * alone are 58 MB of memory. */
#include "formats/av.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/plugin.h"
#include "formats/chunks.h"
#include "plugins/av/av_decoder.h"
#include "plugins/av/av_details.h"
#include "plugins/av/av_tags.h"
#include "plugins/av/behind.h"
#include "plugins/av/boxes.h"
#include "plugins/av/edits.h"
#include "plugins/av/m4a.h"
#include "plugins/av/video.h"
#include "stream/join.h"
#include "stream/stream.h"

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A container may promise this many seconds more than it has: its numbers are rounded, and those of the whole
 * are of its longest stream. The second is for times that count samples. */
#define SLACK_S 1.0
#define SAMPLE_SLACK_S 0.1

static void av_close(void *state)
{
    ap_av_decoder *d = state;
    ap_close(&d->part);
    avcodec_free_context(&d->codec);
    swr_free(&d->convert);
    av_packet_free(&d->packet);
    av_frame_free(&d->frame);
    av_frame_free(&d->like);
    ap_input *in = d->source.in;
    ap_av_source_close(&d->source);
    ap_input_close(in);
    free(d->samples);
    free(d->edits.list);
    free(d);
}

/* ---- the stream */

static void warn_damaged(ap_stream *s)
{
    ap_warn(s, "'%s' is damaged: some of it could not be decoded", ap_stream_name(s));
}

/* Whether there is more, other than tags and padding, behind the packets that libav has read. */
static bool gave_up(const ap_av_decoder *d)
{
    return d->broken && ap_input_seek(d->source.in, d->source.base + d->read, NULL) &&
           ap_chunks_behind(d->source.in, NULL, 0) != AP_BEHIND_NOTHING;
}

/* Seconds that are missing from what the container promised. */
static double missing(const ap_stream *s, const ap_av_decoder *d)
{
    const AVFormatContext *c = d->source.container;
    double there = (double)(d->edits.count ? (uint64_t)d->next : s->position) / s->format.rate;
    if (c->duration_estimation_method == AVFMT_DURATION_FROM_BITRATE || d->source.no_length)
        return 0;
    if (d->st->duration > 0)
        return (double)d->st->duration * av_q2d(d->st->time_base) - there;
    double seconds = c->duration > 0 ? (double)c->duration / AV_TIME_BASE - fmax(there, d->end_s) : 0;
    /* Vorbis of less than a block, as libav copies it into Matroska: 32 bits that went below zero. */
    return fabs(seconds - 0x1p32 / s->format.rate) < 1 ? 0 : seconds;
}

/* The end is the end if the container did not promise more. */
static bool check_end(ap_stream *s, ap_av_decoder *d, ap_error *err)
{
    bool counts_samples = d->st->time_base.num == 1 && d->st->time_base.den == (int)s->format.rate;
    double seconds = missing(s, d);
    if (d->source.error.code != AP_OK) {
        *err = d->source.error;
        return false;
    }
    if (seconds > (counts_samples ? SAMPLE_SLACK_S : SLACK_S))
        return ap_fail(err, AP_FAILED, "'%s' is truncated: %.1f seconds are missing", ap_stream_name(s),
                       seconds);
    if (d->corrupt)
        return ap_fail(err, AP_FAILED, "'%s' is truncated: its last packet is not whole", ap_stream_name(s));
    if (d->failed || d->damaged)
        warn_damaged(s);
    return true;
}

/* Back to the start, for an edit that shows an earlier part. */
static bool rewind_track(ap_stream *s, ap_av_decoder *d, ap_error *err)
{
    if (av_seek_frame(d->source.container, d->st->index, 0, AVSEEK_FLAG_BACKWARD) < 0)
        return ap_fail(err, AP_FAILED, "cannot go back in '%s' as its edit list asks", ap_stream_name(s));
    avcodec_flush_buffers(d->codec);
    d->draining = false;
    d->packets = d->begin = d->count = d->before = d->next = 0;
    d->pts = AV_NOPTS_VALUE;
    return true;
}

/* The next block of the track. 1, 0 at its end, -1 on error. */
static int next_block(ap_stream *s, ap_av_decoder *d, ap_error *err)
{
    bool more = ap_av_next_frame(d);
    if (more && !ap_av_take_frame(d, err))
        return -1;
    return more ? 1 : check_end(s, d, err) ? 0 : -1;
}

static void be_silent(ap_av_decoder *d, int64_t frames)
{
    d->silence = (uint64_t)frames;
    d->gap = true;
}

/* As refill, by the edit list. */
static int refill_edited(ap_stream *s, ap_av_decoder *d, ap_error *err)
{
    while (d->edit < d->edits.count) {
        const ap_av_edit *e = &d->edits.list[d->edit];
        int64_t left = e->length < 0 ? INT64_MAX : e->length - d->given, want = e->start + d->given;
        int64_t there = d->begin + d->count - want, missing = d->begin - want;
        if (left <= 0 || e->start < 0) {
            if (left > 0)
                be_silent(d, left);
            d->edit++;
            d->given = 0;
        } else if (missing > 0 && want < d->before) {
            if (!rewind_track(s, d, err))
                return -1;
        } else if (missing > 0) { /* the track starts later, or packets could not be decoded */
            be_silent(d, FFMIN(missing, left));
            d->given += (int64_t)d->silence;
        } else if (there > 0) {
            d->at = (size_t)-missing;
            d->have = (size_t)FFMIN(there, left);
            d->given += (int64_t)d->have;
        } else {
            int more = next_block(s, d, err);
            if (more <= 0)
                return more;
        }
        if (d->silence || d->have)
            return 1;
    }
    return 0;
}

/* Makes d->silence or d->have more than 0. Returns 1, 0 at the end or a change of format, -1 on error. */
static int fill(ap_av_decoder *d, ap_error *err)
{
    while (!d->silence && !d->have && !d->switched) {
        bool more = ap_av_next_frame(d);
        if (more && !ap_av_take_frame(d, err))
            return -1;
        if (!more && !d->silence)
            return 0;
    }
    return !d->switched;
}

/* As fill, but looks whether the end is one. */
static int refill(ap_stream *s, ap_av_decoder *d, ap_error *err)
{
    if (d->edits.count)
        return d->silence || d->have ? 1 : refill_edited(s, d, err);
    int more = fill(d, err);
    return more != 0 || d->switched || check_end(s, d, err) ? more : -1;
}

/* Gives the frames that fill has found. */
static ptrdiff_t give(ap_stream *s, ap_av_decoder *d, float *frames, size_t max)
{
    uint32_t channels = s->format.channels;
    uint64_t there = d->silence ? d->silence : d->have;
    size_t n = there < max ? (size_t)there : max;
    if (d->silence) {
        memset(frames, 0, n * channels * sizeof *frames);
        d->silence -= n;
        d->damaged = d->damaged || !d->gap;
        d->gap = d->gap && d->silence;
    } else {
        memcpy(frames, d->samples + d->at * channels, n * channels * sizeof *frames);
        d->at += n;
        d->have -= n;
    }
    if (d->damaged)
        warn_damaged(s);
    if (d->converts)
        ap_warn(s, "'%s' changes its format: it is converted from there on", ap_stream_name(s));
    if (ap_sanitize(frames, n * channels))
        ap_warn(s, "'%s' has samples that are not finite, taken as silence", ap_stream_name(s));
    return (ptrdiff_t)n;
}

/* ---- parts of another format, as in recordings of broadcasts */

static ptrdiff_t part_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    ap_av_decoder *d = s->state;
    int result = fill(d, err);
    return result > 0 ? give(s, d, frames, max) : result;
}

/* The format of a frame. libav leaves the speakers open where AAC describes them instead of giving their
 * number: its own encoder does so for many layouts. Nearly all such files are films with side speakers, five
 * or six channels in the usual order; which speakers others are for, nobody can tell. */
static ap_format format_of(const ap_av_decoder *d, const AVFrame *f)
{
    const AVChannelLayout *l = &f->ch_layout;
    ap_format format = {(uint32_t)f->sample_rate, (uint32_t)l->nb_channels, 0, AP_UNKNOWN};
    bool aac = d->st->codecpar->codec_id == AV_CODEC_ID_AAC,
         film = format.channels == 5 || format.channels == 6;
    if (l->order == AV_CHANNEL_ORDER_NATIVE && l->u.mask <= UINT32_MAX)
        format.mask = (uint32_t)l->u.mask;
    else if (aac && format.channels > 2 && !film)
        format.mask = AP_DISCRETE;
    return format;
}

/* The part that starts with d->frame. */
static bool open_part(ap_stream *s, ap_av_decoder *d, ap_error *err)
{
    static const ap_stream_ops ops = {.read = part_read};
    const AVFrame *f = d->frame;
    d->format = format_of(d, f);
    d->chan = (ap_chan){0}; /* it was for the channels before */
    av_frame_unref(d->like);
    free(d->samples);
    d->samples = NULL;
    d->capacity = 0;
    ap_warn(s, "'%s' changes to %u Hz and %u channels at %.3f s: it is converted from there on",
            ap_stream_name(s), d->format.rate, d->format.channels, (double)s->position / s->format.rate);
    ap_stream *part = ap_stream_new(&ops, d, &d->format, ap_stream_name(s), NULL, err);
    if (!part || !ap_av_take_frame(d, err)) {
        ap_close(&part);
        return false;
    }
    d->part = ap_conform(part, &s->format, err);
    return d->part;
}

/* 0: the part at hand, if any, has ended. */
static ptrdiff_t read_part(ap_stream *s, ap_av_decoder *d, float *frames, size_t max, ap_error *err)
{
    ptrdiff_t n = d->part ? ap_read(d->part, frames, max, err) : 0;
    const char *warning = ap_stream_warning(d->part);
    if (warning)
        ap_warn(s, "%s", warning);
    if (n == 0)
        ap_close(&d->part);
    return n;
}

static ptrdiff_t av_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    ap_av_decoder *d = s->state;
    for (;;) {
        ptrdiff_t n = read_part(s, d, frames, max, err);
        int result = n == 0 ? refill(s, d, err) : 0;
        if (n != 0)
            return n;
        if (result == 0 && !d->switched && ap_av_goes_on(&d->source, d->read))
            ap_warn_left_out(s);
        else if (result == 0 && !d->switched && gave_up(d))
            warn_damaged(s);
        if (!d->switched)
            return result > 0 ? give(s, d, frames, max) : result;
        if (!open_part(s, d, err))
            return -1;
    }
}

/* ---- opening */

static bool open_codec(ap_av_decoder *d, bool drc, ap_error *err)
{
    const AVCodecParameters *p = d->st->codecpar;
    const AVCodec *codec = avcodec_find_decoder(p->codec_id);
    d->codec = avcodec_alloc_context3(codec);
    d->packet = av_packet_alloc();
    d->frame = av_frame_alloc();
    d->like = av_frame_alloc();
    if (!d->codec || !d->packet || !d->frame || !d->like)
        return ap_fail_memory(err);
    d->codec->pkt_timebase = d->st->time_base;
    d->codec->thread_count = 1;
    /* AC-3's own advice for small rooms: loudness would be measured wrongly. Decoders without it ignore this.
     */
    av_opt_set_double(d->codec, "drc_scale", drc, AV_OPT_SEARCH_CHILDREN);
    if (ap_av_edits_known(&d->source))
        d->codec->flags2 |= AV_CODEC_FLAG2_SKIP_MANUAL;
    if (avcodec_parameters_to_context(d->codec, p) < 0 || avcodec_open2(d->codec, codec, NULL) < 0)
        return ap_fail(err, AP_FAILED, "cannot decode '%s': its %s header makes no sense",
                       ap_input_name(d->source.in), avcodec_get_name(p->codec_id));
    return true;
}

/* Only the other streams tell where the file ends, when ours has no duration of its own. */
static void drop_other_streams(ap_av_decoder *d)
{
    AVFormatContext *c = d->source.container;
    for (unsigned i = 0; i < c->nb_streams; i++)
        if (c->streams[i] != d->st && d->st->duration > 0)
            c->streams[i]->discard = AVDISCARD_ALL;
}

/* What is to be heard, once the rate is known. */
static bool read_edits(ap_av_decoder *d, ap_error *err)
{
    ap_av_edit itunes;
    bool told = ap_av_edits_itunes(&d->source, &itunes);
    if (!ap_av_edits_read(&d->source, d->st, d->format.rate, &d->edits, err))
        return false;
    if (told && d->edits.known && !d->edits.listed && d->edits.count)
        d->edits.list[0] = itunes;
    else if (told && !d->edits.known)
        d->left = (uint64_t)itunes.length;
    d->next = av_rescale_q(d->next, d->st->time_base, (AVRational){1, (int)d->format.rate});
    if (ap_av_source_is(&d->source, "matroska") && !d->skips &&
        d->st->codecpar->codec_id != AV_CODEC_ID_OPUS && d->st->codecpar->initial_padding > 0)
        d->delay = d->st->codecpar->initial_padding;
    return true;
}

/* Decodes the first frame, which knows the format best. */
static bool read_format(ap_av_decoder *d, ap_error *err)
{
    const char *name = ap_input_name(d->source.in);
    bool found = ap_av_next_frame(d);
    if (d->source.error.code != AP_OK) {
        if (err)
            *err = d->source.error;
        return false;
    }
    if (d->encrypted)
        return ap_fail(err, AP_FAILED, "'%s' is encrypted", name);
    if (!found)
        return ap_fail(err, AP_FAILED, "'%s' is damaged or truncated: no audio can be decoded", name);
    const AVFrame *f = d->frame;
    d->format = format_of(d, f);
    return ap_check_format(name, &d->format, err) && read_edits(d, err) &&
           ap_box_chan(&d->source, d->st, &d->format, &d->chan, err) && ap_av_take_frame(d, err);
}

static void note(ap_stream *s, const ap_av_decoder *d)
{
    uint64_t frames = d->edits.count ? 0 : d->left, delay = AP_UNKNOWN;
    if (!d->edits.count && d->left != AP_UNKNOWN) /* the first block is taken already */
        frames = d->left + d->have - (uint64_t)d->delay;
    for (size_t i = 0; i < d->edits.count; i++)
        frames = d->edits.list[i].length < 0 ? AP_UNKNOWN
                                             : ap_frames_add(frames, (uint64_t)d->edits.list[i].length);
    if (d->edits.count && d->edits.list[0].start >= 0)
        delay = (uint64_t)d->edits.list[0].start;
    ap_av_note(s, &d->source, d->st, frames, delay);
}

static ap_stream *av_open(ap_input *in, const ap_decode_options *options, ap_error *err)
{
    static const ap_stream_ops ops = {.read = av_read, .close = av_close};
    ap_av_decoder *d = ap_allocate(1, sizeof *d, err);
    if (!d) {
        ap_input_close(in);
        return NULL;
    }
    d->source.in = in;
    if (!ap_av_source_open(&d->source, in, err))
        goto fail;
    d->st = ap_av_source_track(&d->source, options->track, err);
    if (!d->st || !open_codec(d, options->drc, err))
        goto fail;
    drop_other_streams(d);
    d->left = AP_UNKNOWN;
    d->pts = AV_NOPTS_VALUE;
    if (!read_format(d, err))
        goto fail;
    ap_stream *s = ap_stream_new(&ops, d, &d->format, ap_input_name(in), ap_av_tags(&d->source, d->st), err);
    if (s) {
        ap_av_note_correction(s, d->st);
        note(s, d);
    }
    return s;
fail:
    av_close(d);
    return NULL;
}

AP_PLUGIN_EXPORT extern const ap_av_plugin AP_PLUGIN_TABLE;
const ap_av_plugin AP_PLUGIN_TABLE = {.head = {AP_AV_VERSION, sizeof(ap_av_plugin)},
                                      .open = av_open,
                                      .stitch = ap_av_stitch,
                                      .write_stems = ap_av_write_stems,
                                      .encode = ap_av_encode,
                                      .film = ap_av_film};
