/* SPDX-License-Identifier: GPL-3.0-or-later
 * picture.c - frames of video, and scaling and converting them with libswscale. */
#include "base/error.h"
#include "plugins/av/video.h"

#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <string.h>

/* Y 16, Cb and Cr 128: black in limited range (ITU-R BT.709-6, 4.2). */
#define BLACK 16
#define NO_COLOUR 128

static AVFrame *frame_new(unsigned width, unsigned height, enum AVPixelFormat format)
{
    AVFrame *f = av_frame_alloc();
    if (!f)
        return NULL;
    f->width = (int)width;
    f->height = (int)height;
    f->format = format;
    if (av_frame_get_buffer(f, 0) < 0)
        av_frame_free(&f);
    return f;
}

AVFrame *ap_rgb_new(unsigned width, unsigned height)
{
    return frame_new(width, height, AV_PIX_FMT_RGB24);
}

AVFrame *ap_picture_new(unsigned width, unsigned height)
{
    AVFrame *f = frame_new(width, height, AV_PIX_FMT_YUV420P);
    if (!f)
        return NULL;
    f->color_range = AVCOL_RANGE_MPEG;
    f->colorspace = AVCOL_SPC_BT709;
    f->color_primaries = AVCOL_PRI_BT709;
    f->color_trc = AVCOL_TRC_BT709;
    f->chroma_location = AVCHROMA_LOC_LEFT;
    f->sample_aspect_ratio = (AVRational){1, 1};
    for (int plane = 0; plane < 3; plane++)
        memset(f->data[plane], plane ? NO_COLOUR : BLACK,
               (size_t)f->linesize[plane] * ap_picture_rows(f, plane));
    return f;
}

unsigned ap_picture_rows(const AVFrame *picture, int plane)
{
    return (unsigned)(plane ? (picture->height + 1) / 2 : picture->height);
}

unsigned ap_picture_columns(const AVFrame *picture, int plane)
{
    return (unsigned)(plane ? (picture->width + 1) / 2 : picture->width);
}

/* The formats with a J are of full range, whatever else is said. */
static bool is_full_range(const AVFrame *f)
{
    switch (f->format) {
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ411P:
        return true;
    default:
        return f->color_range == AVCOL_RANGE_JPEG;
    }
}

/* JPEG (JFIF) and WebP are of BT.601. */
static const int *matrix_of(const AVFrame *f)
{
    return sws_getCoefficients(f->colorspace == AVCOL_SPC_BT709 ? SWS_CS_ITU709 : SWS_CS_ITU601);
}

bool ap_picture_convert(const AVFrame *from, AVFrame *to, ap_error *err)
{
    struct SwsContext *sws = sws_getContext(
        from->width, from->height, (enum AVPixelFormat)from->format, to->width, to->height,
        (enum AVPixelFormat)to->format,
        SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP, NULL, NULL, NULL);
    if (!sws)
        return ap_fail(err, AP_FAILED, "cannot scale an image of %dx%d pixels to %dx%d", from->width,
                       from->height, to->width, to->height);
    /* fails for formats without a matrix, which need none */
    (void)sws_setColorspaceDetails(sws, matrix_of(from), is_full_range(from), matrix_of(to),
                                   is_full_range(to), 0, 1 << 16, 1 << 16);
    int rows = sws_scale(sws, (const uint8_t *const *)from->data, from->linesize, 0, from->height, to->data,
                         to->linesize);
    sws_freeContext(sws);
    return rows == to->height || ap_fail(err, AP_FAILED, "cannot convert an image of %s",
                                         av_get_pix_fmt_name((enum AVPixelFormat)from->format));
}
