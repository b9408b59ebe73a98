/* SPDX-License-Identifier: GPL-3.0-or-later
 * image.c - reads image files. */
#include "base/error.h"
#include "base/input.h"
#include "base/picture_type.h"
#include "plugins/av/colour.h"
#include "plugins/av/heif.h"
#include "plugins/av/image_chunks.h"
#include "plugins/av/video.h"

#include <libavutil/pixdesc.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES ((uint64_t)1 << 30)
#define MAX_PIXELS ((int64_t)1 << 28) /* 16384 x 16384: 1 GiB of RGBA */

static enum AVCodecID codec_of(ap_picture_type type)
{
    switch (type) {
    case AP_PICTURE_JPEG:
        return AV_CODEC_ID_MJPEG;
    case AP_PICTURE_PNG:
        return AV_CODEC_ID_PNG;
    case AP_PICTURE_WEBP:
        return AV_CODEC_ID_WEBP;
    case AP_PICTURE_GIF:
        return AV_CODEC_ID_GIF;
    case AP_PICTURE_TIFF:
        return AV_CODEC_ID_TIFF;
    case AP_PICTURE_BMP:
        return AV_CODEC_ID_BMP;
    default:
        return AV_CODEC_ID_NONE;
    }
}

/* ---- decoding */

/* Any doubt about the file is an error: half an image is worse than none. */
static AVCodecContext *open_decoder(enum AVCodecID id)
{
    const AVCodec *codec = avcodec_find_decoder(id);
    AVCodecContext *c = codec ? avcodec_alloc_context3(codec) : NULL;
    if (!c)
        return NULL;
    c->err_recognition = AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER;
    if (id != AV_CODEC_ID_TIFF) /* libav reports tags that it does not know as errors */
        c->err_recognition |= AV_EF_EXPLODE;
    c->max_pixels = MAX_PIXELS;
    c->thread_count = 1;
    if (avcodec_open2(c, codec, NULL) < 0)
        avcodec_free_context(&c);
    return c;
}

static bool decode_packet(AVCodecContext *c, const AVPacket *packet, AVFrame *frame)
{
    return avcodec_send_packet(c, packet) >= 0 && avcodec_send_packet(c, NULL) >= 0 &&
           avcodec_receive_frame(c, frame) >= 0 && !frame->decode_error_flags &&
           !(frame->flags & AV_FRAME_FLAG_CORRUPT);
}

static int orientation_of(const AVFrame *frame)
{
    const AVDictionaryEntry *e = av_dict_get(frame->metadata, "Orientation", NULL, 0);
    int orientation = e ? atoi(e->value) : 1;
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

/* ---- transparency */

static bool may_be_transparent(const AVFrame *frame)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get((enum AVPixelFormat)frame->format);
    return d && d->flags & (AV_PIX_FMT_FLAG_ALPHA | AV_PIX_FMT_FLAG_PAL);
}

/* Puts the frame over black, before any scaling, which would mix in the colours of what cannot be seen. */
static bool flatten(ap_image *image, ap_error *err)
{
    const AVFrame *from = image->frame;
    AVFrame *rgba = av_frame_alloc(), *to = ap_rgb_new((unsigned)from->width, (unsigned)from->height);
    bool ok = rgba && to;
    if (ok) {
        rgba->width = from->width;
        rgba->height = from->height;
        rgba->format = AV_PIX_FMT_RGBA;
        ok = av_frame_get_buffer(rgba, 0) >= 0;
    }
    ok = ok ? ap_picture_convert(from, rgba, err) : ap_fail_memory(err);
    for (int y = 0; ok && y < to->height; y++) {
        const uint8_t *p = rgba->data[0] + (ptrdiff_t)y * rgba->linesize[0];
        uint8_t *q = to->data[0] + (ptrdiff_t)y * to->linesize[0];
        for (int x = 0; x < to->width; x++, p += 4, q += 3)
            for (int i = 0; i < 3; i++)
                q[i] = (uint8_t)((p[i] * p[3] + 127) / 255);
    }
    av_frame_free(&rgba);
    av_frame_free(ok ? &image->frame : &to);
    if (ok)
        image->frame = to;
    return ok;
}

/* ---- files */

static bool decode_by_libav(ap_image *image, ap_picture_type type, const AVPacket *packet, const char *name,
                            ap_error *err)
{
    AVCodecContext *c = open_decoder(codec_of(type));
    *image = (ap_image){.frame = av_frame_alloc()};
    bool ok = (c && image->frame) || ap_fail_memory(err);
    bool whole = type != AP_PICTURE_GIF || ap_gif_is_whole(packet->data, (size_t)packet->size);
    if (ok && !(whole && decode_packet(c, packet, image->frame)))
        ok = ap_fail(err, AP_FAILED,
                     "the image '%s' is damaged, truncated, or of a kind that cannot be decoded", name);
    if (ok)
        image->orientation = type == AP_PICTURE_PNG ? ap_png_orientation(packet->data, (size_t)packet->size)
                             : type == AP_PICTURE_TIFF
                                 ? ap_tiff_orientation(packet->data, (size_t)packet->size)
                                 : orientation_of(image->frame);
    avcodec_free_context(&c);
    return ok;
}

/* The profile of the frame or of the file, copied: it has to outlive the frame. NULL: none. */
static void *copy_profile(const AVFrame *frame, const AVPacket *packet, ap_picture_type type, size_t *size)
{
    const AVFrameSideData *data = av_frame_get_side_data(frame, AV_FRAME_DATA_ICC_PROFILE);
    const uint8_t *from = data ? data->data : NULL;
    *size = data ? data->size : 0;
    if (!data && type == AP_PICTURE_WEBP)
        from = ap_webp_profile(packet->data, (size_t)packet->size, size);
    void *copy = from && *size ? malloc(*size) : NULL;
    if (copy)
        memcpy(copy, from, *size);
    return copy;
}

static bool decode(ap_image *image, const AVPacket *packet, const char *name, ap_error *err)
{
    ap_picture_type type = ap_picture_type_of(packet->data, (size_t)packet->size);
    void *profile = NULL;
    size_t size = 0;
    bool ok;
    *image = (ap_image){0};
    if (type == AP_NO_PICTURE)
        return ap_fail(err, AP_FAILED,
                       "'%s' is not an image in JPEG, PNG, WebP, GIF, TIFF, BMP, HEIC or AVIF", name);
    if (type == AP_PICTURE_HEIC || type == AP_PICTURE_AVIF) {
        ok = ap_heif_decode(image, &profile, &size, packet->data, (size_t)packet->size, name, err);
    } else {
        ok = decode_by_libav(image, type, packet, name, err);
        profile = ok ? copy_profile(image->frame, packet, type, &size) : NULL;
    }
    ok = ok && (!may_be_transparent(image->frame) || flatten(image, err));
    ok = ok && (!profile || ap_image_to_srgb(image, profile, size, err));
    free(profile);
    if (!ok)
        ap_image_free(image);
    return ok;
}

bool ap_image_decode(ap_image *image, const void *bytes, size_t size, const char *name, ap_error *err)
{
    AVPacket *packet = av_packet_alloc();
    bool ok = packet && size <= MAX_BYTES && av_new_packet(packet, (int)size) >= 0;
    if (ok) {
        memcpy(packet->data, bytes, size);
        ok = decode(image, packet, name, err);
    } else {
        ap_fail_memory(err);
    }
    av_packet_free(&packet);
    return ok;
}

static bool read_packet(AVPacket *packet, ap_input *in, ap_error *err)
{
    if (!ap_input_make_seekable(in, err))
        return false;
    uint64_t size = ap_input_left(in);
    if (size > MAX_BYTES)
        return ap_fail(err, AP_FAILED, "the image '%s' is larger than 1 GiB", ap_input_name(in));
    if (av_new_packet(packet, (int)size) < 0)
        return ap_fail_memory(err);
    ptrdiff_t n = ap_input_read(in, packet->data, (size_t)size, err);
    if (n >= 0)
        av_shrink_packet(packet, (int)n);
    return n >= 0;
}

bool ap_image_load(ap_image *image, const char *path, ap_error *err)
{
    ap_input *in = ap_input_open(path, err);
    if (!in)
        return false;
    AVPacket *packet = av_packet_alloc();
    bool ok = packet ? read_packet(packet, in, err) : ap_fail_memory(err);
    ok = ok && decode(image, packet, path, err);
    av_packet_free(&packet);
    ap_input_close(in);
    return ok;
}

void ap_image_free(ap_image *image)
{
    av_frame_free(&image->frame);
}
