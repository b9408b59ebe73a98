/* SPDX-License-Identifier: GPL-3.0-or-later
 * encode_ogg.c - Ogg Vorbis by libvorbisenc. */
#include "base/error.h"
#include "base/output.h"
#include "formats/ogg_write.h"
#include "stream/stream.h"

#include <stdlib.h>
#include <string.h>
#include <vorbis/vorbisenc.h>

#define DEFAULT_QUALITY 0.6f /* nominally 192 kbit/s for 44.1 kHz stereo, and right for other sound, too */
#define BLOCK 1024           /* frames at a time; libvorbis takes as much memory as it is given at once */

/* Everything that libvorbis wants to have. */
typedef struct state {
    vorbis_info info;
    vorbis_comment comment;
    vorbis_dsp_state dsp;
    vorbis_block block;
    ogg_stream_state ogg;
    ap_output *out;
    bool dsp_ready, block_ready, ogg_ready;
} state;

static void state_clear(state *v)
{
    if (v->ogg_ready)
        ogg_stream_clear(&v->ogg);
    if (v->block_ready)
        vorbis_block_clear(&v->block);
    if (v->dsp_ready)
        vorbis_dsp_clear(&v->dsp);
    vorbis_comment_clear(&v->comment);
    vorbis_info_clear(&v->info);
}

/* 0..9.999 of the options, 0 the best, to libvorbisenc's 1..-0.1. */
static float vorbis_quality(double vbr_quality)
{
    return vbr_quality < 0 ? DEFAULT_QUALITY : (float)(1 - 0.11 * vbr_quality);
}

static bool configure(state *v, const ap_format *f, const ap_encode_options *o, ap_error *err)
{
    long channels = (long)f->channels, rate = (long)f->rate;
    int failure;
    if (o->bitrate_kbps == 0) {
        failure = vorbis_encode_init_vbr(&v->info, channels, rate, vorbis_quality(o->vbr_quality));
        return failure == 0 ||
               ap_fail(err, AP_FAILED, "libvorbis refuses %u Hz, %u channels", f->rate, f->channels);
    }
    /* A nominal bitrate and no reservoir, as oggenc -b: the bitrate of the whole comes close, quality is
     * even. */
    failure = vorbis_encode_setup_managed(&v->info, channels, rate, -1, (long)(1000 * o->bitrate_kbps), -1);
    if (failure == 0)
        failure = vorbis_encode_ctl(&v->info, OV_ECTL_RATEMANAGE2_SET, NULL);
    if (failure == 0)
        failure = vorbis_encode_setup_init(&v->info);
    return failure == 0 || ap_fail(err, AP_USAGE, "Vorbis at %u Hz with %u channels cannot have %g kbit/s",
                                   f->rate, f->channels, o->bitrate_kbps);
}

static bool add_comments(vorbis_comment *comment, const ap_tags *tags)
{
    const char *key, *value;
    for (size_t i = 0; ap_tags_at(tags, i, &key, &value); i++)
        vorbis_comment_add_tag(comment, key, value);
    char *picture = ap_picture_comment(tags);
    if (picture)
        vorbis_comment_add_tag(comment, AP_PICTURE_KEY, picture);
    free(picture);
    return picture || ap_tags_picture(tags).size == 0;
}

/* Writes the pages that are ready; all = also one that is not full. */
static bool write_pages(state *v, bool all, ap_error *err)
{
    ogg_page page;
    while (all ? ogg_stream_flush(&v->ogg, &page) : ogg_stream_pageout(&v->ogg, &page))
        if (!ap_output_write(v->out, page.header, (size_t)page.header_len, err) ||
            !ap_output_write(v->out, page.body, (size_t)page.body_len, err))
            return false;
    return true;
}

static bool write_headers(state *v, ap_error *err)
{
    ogg_packet head, comments, code;
    if (vorbis_analysis_headerout(&v->dsp, &v->comment, &head, &comments, &code) != 0)
        return ap_fail(err, AP_FAILED, "libvorbis failed to make its headers");
    ogg_stream_packetin(&v->ogg, &head);
    ogg_stream_packetin(&v->ogg, &comments);
    ogg_stream_packetin(&v->ogg, &code);
    return write_pages(v, true, err); /* audio begins on a page of its own (Vorbis I, A.2) */
}

/* frames: the first ones, count of them. */
static bool start(state *v, const ap_stream *s, const float *frames, size_t count, ap_error *err)
{
    if (!add_comments(&v->comment, ap_stream_tags(s)))
        return ap_fail_memory(err);
    v->dsp_ready = vorbis_analysis_init(&v->dsp, &v->info) == 0;
    v->block_ready = v->dsp_ready && vorbis_block_init(&v->dsp, &v->block) == 0;
    v->ogg_ready = v->block_ready && ogg_stream_init(&v->ogg, ap_ogg_serial(s, frames, count)) == 0;
    return v->ogg_ready ? write_headers(v, err) : ap_fail(err, AP_FAILED, "libvorbis cannot start");
}

/* Encodes what libvorbis was given. */
static bool drain(state *v, ap_error *err)
{
    ogg_packet packet;
    while (vorbis_analysis_blockout(&v->dsp, &v->block) == 1) {
        vorbis_analysis(&v->block, NULL);
        vorbis_bitrate_addblock(&v->block);
        while (vorbis_bitrate_flushpacket(&v->dsp, &packet))
            ogg_stream_packetin(&v->ogg, &packet);
        if (!write_pages(v, false, err))
            return false;
    }
    return true;
}

static void hand_over(state *v, float *frames, size_t count, const ap_format *format)
{
    float **planes = vorbis_analysis_buffer(&v->dsp, (int)count);
    ap_to_vorbis_order(frames, count, format);
    for (uint32_t c = 0; c < format->channels; c++)
        for (size_t i = 0; i < count; i++)
            planes[c][i] = frames[i * format->channels + c];
    vorbis_analysis_wrote(&v->dsp, (int)count);
}

static bool encode_all(state *v, ap_stream *s, ap_error *err)
{
    float *frames = malloc(BLOCK * s->format.channels * sizeof *frames);
    if (!frames)
        return ap_fail_memory(err);
    /* In full blocks: what libvorbis makes of the first frames depends on how much it is given at once. */
    ptrdiff_t n = ap_read_full(s, frames, BLOCK, err);
    bool ok = n >= 0 && start(v, s, frames, (size_t)n, err);
    while (ok && n > 0) {
        hand_over(v, frames, (size_t)n, &s->format);
        ok = drain(v, err) && (n = ap_read_full(s, frames, BLOCK, err)) >= 0;
    }
    free(frames);
    if (!ok)
        return false;
    vorbis_analysis_wrote(&v->dsp, 0); /* the end */
    return drain(v, err) && write_pages(v, true, err);
}

bool ap_encode_ogg(ap_stream *s, ap_output *out, const ap_encode_options *options, ap_error *err)
{
    state v = {.out = out};
    vorbis_info_init(&v.info);
    vorbis_comment_init(&v.comment);
    bool ok = configure(&v, &s->format, options, err) && encode_all(&v, s, err);
    state_clear(&v);
    return ok;
}
