/* SPDX-License-Identifier: GPL-3.0-or-later
 * stem_file.c - Stems: an MP4 file of five stereo tracks, of which only the first is enabled, and an atom
 * moov/udta/stem with a text on the others. libav writes moov at the end of the file, with udta as its last
 * atom, if at all: so the text is appended, and the sizes of what it is in are corrected. */
#include "formats/stem_file.h"
#include "base/bytes.h"
#include "base/error.h"
#include "plugins/av/av_container.h"
#include "plugins/av/video.h"
#include "stream/stream.h"

#include <libavutil/opt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TRACKS AP_STEM_FILE_TRACKS
#define CHANNELS (2 * TRACKS)
#define AAC_RATE 256000 /* bit/s of a track */
#define ATOM 8          /* bytes of its size and type */

typedef struct writer {
    ap_stream *s;
    ap_muxer muxer;
    AVCodecContext *codecs[TRACKS];
    int index[TRACKS];
    AVFrame *frame;
    AVPacket *packet;
    size_t block; /* frames that are encoded at a time */
    float *samples;
    uint64_t position;
    ap_stem_file_report *report;
} writer;

/* ---- opening */

static bool open_codec(writer *w, size_t track, const char *name, ap_error *err)
{
    const AVCodec *codec = avcodec_find_encoder_by_name(name);
    AVCodecContext *c = w->codecs[track] = codec ? avcodec_alloc_context3(codec) : NULL;
    const bool lossless = strcmp(name, "alac") == 0;
    if (!c)
        return codec ? ap_fail_memory(err) : ap_fail(err, AP_FAILED, "libav was built without %s", name);
    c->sample_rate = (int)w->s->format.rate;
    c->sample_fmt = lossless ? AV_SAMPLE_FMT_S32P : AV_SAMPLE_FMT_FLTP;
    c->bits_per_raw_sample = lossless ? 24 : 0;
    c->bit_rate = lossless ? 0 : AAC_RATE;
    c->time_base = (AVRational){1, c->sample_rate};
    c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
    av_channel_layout_default(&c->ch_layout, 2);
    if (avcodec_open2(c, codec, NULL) < 0)
        return ap_fail(err, AP_FAILED, "cannot encode at %u Hz with %s", w->s->format.rate, name);
    return ap_muxer_add(&w->muxer, c, &w->index[track], err);
}

static bool open_all(writer *w, const ap_stem_file_options *o, ap_output *out, ap_error *err)
{
    if (!ap_muxer_open(&w->muxer, out, "mp4", err))
        return false;
    for (size_t i = 0; i < TRACKS; i++)
        if (!open_codec(w, i, o->codec, err))
            return false;
    for (size_t i = 0; i < TRACKS; i++) /* the other tracks are not enabled */
        w->muxer.container->streams[w->index[i]]->disposition = i == 0 ? AV_DISPOSITION_DEFAULT : 0;
    const AVCodecContext *c = w->codecs[0];
    AVFrame *f = w->frame = av_frame_alloc();
    w->packet = av_packet_alloc();
    w->block = (size_t)c->frame_size;
    w->samples = malloc(w->block * CHANNELS * sizeof *w->samples);
    if (!f || !w->packet || !w->samples)
        return ap_fail_memory(err);
    f->format = c->sample_fmt;
    f->sample_rate = c->sample_rate;
    f->nb_samples = c->frame_size;
    if (av_channel_layout_copy(&f->ch_layout, &c->ch_layout) < 0 || av_frame_get_buffer(f, 0) < 0)
        return ap_fail_memory(err);
    return ap_muxer_start_stems(&w->muxer, c->sample_rate, ap_stream_tags(w->s), err);
}

/* ---- samples to packets */

static void clamp(const writer *w, size_t count)
{
    ap_stem_file_report *r = w->report;
    for (size_t i = 0; i < count; i++) {
        const float x = w->samples[i], level = fabsf(x);
        if (r) {
            r->peak = level > r->peak ? level : r->peak;
            r->clipped += level > 1;
        }
        w->samples[i] = fminf(fmaxf(x, -1), 1);
    }
}

static void deal_out(const writer *w, size_t track, size_t n)
{
    for (size_t channel = 0; channel < 2; channel++) {
        const float *from = w->samples + 2 * track + channel;
        void *to = w->frame->extended_data[channel];
        for (size_t i = 0; i < n; i++)
            if (w->frame->format == AV_SAMPLE_FMT_FLTP)
                ((float *)to)[i] = from[i * CHANNELS];
            else /* 24 bits, at the upper end of 32 */
                ((int32_t *)to)[i] = (int32_t)lrint(fmin(from[i * CHANNELS] * 0x1p23, 0x1p23 - 1)) * 256;
    }
}

static bool fail(int result, ap_error *err)
{
    return ap_fail(err, result == AVERROR(ENOMEM) ? AP_TRY_AGAIN : AP_FAILED, "cannot encode audio: %s",
                   av_err2str(result));
}

/* n 0: what the codec still has. */
static bool encode(writer *w, size_t track, size_t n, ap_error *err)
{
    AVCodecContext *c = w->codecs[track];
    int result = av_frame_make_writable(w->frame);
    w->frame->nb_samples = (int)n;
    w->frame->pts = (int64_t)w->position;
    if (result >= 0) {
        deal_out(w, track, n);
        result = avcodec_send_frame(c, n ? w->frame : NULL);
    }
    while (result >= 0 && (result = avcodec_receive_packet(c, w->packet)) >= 0)
        if (!ap_muxer_write(&w->muxer, w->packet, w->index[track], c->time_base, err))
            return false;
    return result == AVERROR(EAGAIN) || result == AVERROR_EOF || fail(result, err);
}

static bool encode_all(writer *w, ap_error *err)
{
    for (ptrdiff_t n = 1; n > 0;) {
        n = ap_read_full(w->s, w->samples, w->block, err);
        if (n < 0)
            return false;
        ap_sanitize(w->samples, (size_t)n * CHANNELS);
        clamp(w, (size_t)n * CHANNELS);
        for (size_t i = 0; i < TRACKS; i++)
            if (!encode(w, i, (size_t)n, err))
                return false;
        w->position += (uint64_t)n;
    }
    return true;
}

/* ---- the text */

typedef struct atom {
    uint64_t at, size;
} atom;

/* The last atom of that type in a part of the file; size 0: there is none. */
static bool find_last(ap_output *out, uint64_t at, uint64_t end, const char *type, atom *found, ap_error *err)
{
    unsigned char head[ATOM];
    *found = (atom){0};
    while (at + ATOM <= end) {
        if (!ap_output_read_at(out, at, head, sizeof head, err))
            return false;
        uint64_t size = ap_get_big(head, 4);
        if (size == 1) { /* a size of 64 bits follows: of the samples */
            if (!ap_output_read_at(out, at + ATOM, head, sizeof head, err))
                return false;
            size = ap_get_big(head, 8);
        } else if (memcmp(head + 4, type, 4) == 0) {
            *found = (atom){at, size};
        }
        if (size < ATOM)
            break;
        at += size;
    }
    return true;
}

static bool write_head(ap_output *out, uint64_t at, uint64_t size, const char *type, ap_error *err)
{
    const unsigned char head[ATOM] = {(unsigned char)(size >> 24), (unsigned char)(size >> 16),
                                      (unsigned char)(size >> 8),  (unsigned char)size,
                                      (unsigned char)type[0],      (unsigned char)type[1],
                                      (unsigned char)type[2],      (unsigned char)type[3]};
    return ap_output_seek(out, at, err) && ap_output_write(out, head, sizeof head, err);
}

static bool append_text(ap_output *out, const char *text, ap_error *err)
{
    const uint64_t end = ap_output_size(out), added = ATOM + strlen(text);
    atom moov, udta;
    if (!find_last(out, 0, end, "moov", &moov, err) || moov.at + moov.size != end ||
        !find_last(out, moov.at + ATOM, end, "udta", &udta, err))
        return ap_fail(err, AP_FAILED, "libav wrote an MP4 file of an unknown kind");
    const bool has_udta = udta.size && udta.at + udta.size == end;
    const uint64_t at = has_udta ? end : end + ATOM;
    if (!has_udta)
        udta = (atom){end, ATOM};
    return write_head(out, moov.at, at + added - moov.at, "moov", err) &&
           write_head(out, udta.at, udta.size + added, "udta", err) &&
           write_head(out, at, added, "stem", err) && ap_output_write(out, text, strlen(text), err);
}

/* ---- the whole */

static void close_all(writer *w)
{
    for (size_t i = 0; i < TRACKS; i++)
        avcodec_free_context(&w->codecs[i]);
    av_frame_free(&w->frame);
    av_packet_free(&w->packet);
    ap_muxer_close(&w->muxer);
    ap_close(&w->s);
    free(w->samples);
}

bool ap_av_write_stems(ap_stream *s, const ap_stem_file_options *o, ap_output *out, ap_error *err)
{
    writer w = {.s = s, .report = o->report};
    char *text = ap_stem_file_text(o);
    ap_av_be_quiet();
    if (w.report)
        *w.report = (ap_stem_file_report){0};
    const bool ok = (text || ap_fail_memory(err)) && open_all(&w, o, out, err) && encode_all(&w, err) &&
                    ap_muxer_finish(&w.muxer, err) && append_text(out, text, err);
    free(text);
    close_all(&w);
    return ok;
}
