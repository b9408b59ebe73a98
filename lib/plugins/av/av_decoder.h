/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * av_decoder.h - the packets of a track as blocks of floats. */
#ifndef AP_PLUGINS_AV_DECODER_H
#define AP_PLUGINS_AV_DECODER_H

#include "formats/chan.h"
#include "plugins/av/edits.h"

#include <libavcodec/avcodec.h>
#include <libswresample/swresample.h>

typedef struct ap_av_decoder {
    ap_av_source source;
    AVStream *st;
    AVCodecContext *codec;
    SwrContext *convert;
    AVPacket *packet;
    AVFrame *frame;
    bool corrupt;   /* the last packet was not whole */
    bool encrypted; /* packets are */
    bool draining, damaged;
    unsigned failed;           /* packets in a row that could not be decoded */
    int64_t packets;           /* of our stream so far */
    uint64_t left;             /* frames that may still be given, AP_UNKNOWN = all */
    double end_s;              /* of the last packet of any stream */
    uint64_t read;             /* where the last packet ends, in the file */
    bool broken;               /* libav gave up before the end */
    ap_format format;          /* of what is decoded at the moment; rate 0 until the first frame is there */
    bool converts;             /* libav converts what has another format than the start */
    bool switched;             /* frame has another one, and waits for a part of its own */
    ap_stream *part;           /* what has another format than the start, converted */
    ap_chan chan;              /* of PCM in QuickTime, whose channels libav leaves in their order */
    AVFrame *like;             /* has the format that convert was made for */
    float *samples;            /* converted, not given yet */
    size_t at, have, capacity; /* frames */
    uint64_t silence;          /* frames to give first */
    bool gap;                  /* the silence is of the edit list */
    /* With an edit list: frames of the track, [begin, begin + count) of which lie in samples. */
    ap_av_edits edits;
    size_t edit;   /* the one at hand */
    int64_t given; /* of it */
    int64_t begin, count, before,
        next;      /* before: end of the block before; next: where the next block starts */
    int64_t pts;   /* of the block in samples, in units of the track; AV_NOPTS_VALUE */
    int64_t delay; /* frames to leave out first, of Matroska */
    bool skips;    /* libav leaves them out */
} ap_av_decoder;

/* Decodes the next frame into d->frame. false at the end, or when there is silence to give first. */
bool ap_av_next_frame(ap_av_decoder *d);
/* Converts d->frame into d->samples, unless it needs a part of its own. */
bool ap_av_take_frame(ap_av_decoder *d, ap_error *err);

#endif
