/* SPDX-License-Identifier: GPL-3.0-or-later
 * fit.c - an image of any size and orientation to a picture of the video. */
#include "base/error.h"
#include "plugins/av/video.h"

#include <math.h>
#include <string.h>

typedef struct extent {
    int width, height;
} extent;

/* Orientations 5 to 8 are turned by a quarter (EXIF 2.32, 4.6.4, tag 0112). */
static extent turn(extent e, int orientation)
{
    return orientation >= 5 ? (extent){e.height, e.width} : e;
}

static int at_least_one(double x)
{
    return x < 1 ? 1 : (int)lrint(x);
}

/* The size of an image that is as large as it can be inside room. */
static extent largest_inside(extent image, extent room)
{
    double scale = fmin((double)room.width / image.width, (double)room.height / image.height);
    return (extent){at_least_one(fmin(image.width * scale, room.width)),
                    at_least_one(fmin(image.height * scale, room.height))};
}

/* Cuts the frame to the shape of room, evenly on both sides. */
static bool crop(AVFrame *frame, extent room)
{
    extent keep = largest_inside(room, (extent){frame->width, frame->height});
    size_t columns = (size_t)(frame->width - keep.width), rows = (size_t)(frame->height - keep.height);
    frame->crop_left = columns / 2;
    frame->crop_right = columns - columns / 2;
    frame->crop_top = rows / 2;
    frame->crop_bottom = rows - rows / 2;
    return av_frame_apply_cropping(frame, AV_FRAME_CROP_UNALIGNED) >= 0;
}

/* Where a pixel of the stored image is found upright: bytes from the corner of its place to pixel 0, from
 * there to the next pixel, and to the next row. */
typedef struct placement {
    ptrdiff_t origin, right, down;
} placement;

static placement place(int orientation, extent stored, ptrdiff_t row)
{
    bool transposed = orientation >= 5;
    bool right_to_left = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
    bool upside_down = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
    extent shown = turn(stored, orientation);
    ptrdiff_t x_step = right_to_left ? -3 : 3, y_step = upside_down ? -row : row;
    ptrdiff_t origin =
        (right_to_left ? 3 * (shown.width - 1) : 0) + (upside_down ? (shown.height - 1) * row : 0);
    return transposed ? (placement){origin, y_step, x_step} : (placement){origin, x_step, y_step};
}

/* The part of canvas, in its middle, that an image of this size takes. */
static uint8_t *middle(const AVFrame *canvas, extent shown)
{
    return canvas->data[0] + (ptrdiff_t)((canvas->height - shown.height) / 2) * canvas->linesize[0] +
           3 * ((canvas->width - shown.width) / 2);
}

/* Copies stored pixels upright into the middle of canvas. */
static void put(const AVFrame *stored, int orientation, AVFrame *canvas)
{
    extent e = {stored->width, stored->height};
    uint8_t *corner = middle(canvas, turn(e, orientation));
    placement p = place(orientation, e, canvas->linesize[0]);
    for (int y = 0; y < stored->height; y++) {
        const uint8_t *from = stored->data[0] + (ptrdiff_t)y * stored->linesize[0];
        uint8_t *to = corner + p.origin + y * p.down;
        for (int x = 0; x < stored->width; x++, from += 3, to += p.right)
            memcpy(to, from, 3);
    }
}

/* Makes a blurred copy of what is in the middle of canvas into behind. */
static bool blur_middle(const AVFrame *canvas, extent shown, AVFrame *behind, ap_error *err)
{
    AVFrame *view = av_frame_clone(canvas);
    if (!view)
        return ap_fail_memory(err);
    view->data[0] = middle(canvas, shown);
    view->width = shown.width;
    view->height = shown.height;
    bool ok = ap_blur_behind(view, behind, err);
    av_frame_free(&view);
    return ok;
}

/* The image, scaled: as it is stored. */
static AVFrame *scale(const ap_image *image, extent room, ap_fit fit, ap_error *err)
{
    AVFrame *from = av_frame_clone(image->frame), *to = NULL;
    bool ok = from && (fit != AP_FIT_COVER || crop(from, room));
    if (ok) {
        extent e = fit == AP_FIT_COVER ? room : largest_inside((extent){from->width, from->height}, room);
        to = ap_rgb_new((unsigned)e.width, (unsigned)e.height);
    }
    ok = to ? ap_picture_convert(from, to, err) : ap_fail_memory(err);
    if (!ok)
        av_frame_free(&to);
    av_frame_free(&from);
    return to;
}

AVFrame *ap_fit_image(const ap_image *image, unsigned width, unsigned height, ap_fit fit, ap_error *err)
{
    extent room = {(int)width, (int)height};
    AVFrame *scaled = scale(image, turn(room, image->orientation), fit, err);
    if (!scaled)
        return NULL;
    extent shown = turn((extent){scaled->width, scaled->height}, image->orientation);
    AVFrame *canvas = ap_rgb_new(width, height), *behind = ap_rgb_new(width, height);
    AVFrame *picture = ap_picture_new(width, height);
    bool ok = (canvas && behind && picture) || ap_fail_memory(err);
    if (ok) {
        memset(canvas->data[0], 0, (size_t)canvas->linesize[0] * height);
        put(scaled, image->orientation, canvas);
    }
    bool bars = shown.width < room.width || shown.height < room.height;
    if (ok && (fit == AP_FIT_BEHIND || (fit == AP_FIT_BLUR && bars))) {
        ok = blur_middle(canvas, shown, behind, err);
        if (ok && fit == AP_FIT_BLUR)
            put(scaled, image->orientation, behind);
        FFSWAP(AVFrame *, canvas, behind);
    }
    if (!ok || !ap_picture_convert(canvas, picture, err))
        av_frame_free(&picture);
    av_frame_free(&scaled);
    av_frame_free(&canvas);
    av_frame_free(&behind);
    return picture;
}
