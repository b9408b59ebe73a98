/* SPDX-License-Identifier: GPL-3.0-or-later
 * blur.c - what is behind an image that does not fill the picture: itself, blurred and darkened. */
#include "base/error.h"
#include "plugins/av/video.h"

#include <stdlib.h>
#include <string.h>

#define SMALL 64     /* columns of the copy that is blurred */
#define RADIUS 2     /* of a box, in it */
#define PASSES 3     /* boxes are near a Gaussian after three (P. Kovesi, DICTA 2010) */
#define BRIGHTNESS 5 /* eighths */

/* The middle of from, of the shape of to. */
static AVFrame *crop_to_cover(const AVFrame *from, const AVFrame *to)
{
    AVFrame *f = av_frame_clone(from);
    if (!f)
        return NULL;
    int64_t width = (int64_t)f->height * to->width / to->height;
    int64_t height = (int64_t)f->width * to->height / to->width;
    width = width < 1 ? 1 : width;
    height = height < 1 ? 1 : height;
    if (width < f->width) {
        f->data[0] += 3 * ((f->width - width) / 2);
        f->width = (int)width;
    } else if (height < f->height) {
        f->data[0] += (f->height - height) / 2 * f->linesize[0];
        f->height = (int)height;
    }
    return f;
}

/* The mean over 2 * RADIUS + 1 pixels along a line of n of them that are step bytes apart; the last ones go
 * on beyond the ends. */
static void blur_line(uint8_t *line, int n, ptrdiff_t step, uint8_t *copy)
{
    for (int i = 0; i < n; i++)
        copy[i] = line[i * step];
    for (int i = 0; i < n; i++) {
        int sum = 0;
        for (int k = i - RADIUS; k <= i + RADIUS; k++)
            sum += copy[k < 0 ? 0 : k >= n ? n - 1 : k];
        line[i * step] = (uint8_t)((sum + RADIUS) / (2 * RADIUS + 1));
    }
}

static void blur(AVFrame *f, uint8_t *copy)
{
    for (int pass = 0; pass < PASSES; pass++) {
        for (int y = 0; y < f->height; y++)
            for (int c = 0; c < 3; c++)
                blur_line(f->data[0] + (ptrdiff_t)y * f->linesize[0] + c, f->width, 3, copy);
        for (int x = 0; x < 3 * f->width; x++)
            blur_line(f->data[0] + x, f->height, f->linesize[0], copy);
    }
}

static void darken(AVFrame *f)
{
    for (int y = 0; y < f->height; y++)
        for (int x = 0; x < 3 * f->width; x++) {
            uint8_t *p = f->data[0] + (ptrdiff_t)y * f->linesize[0] + x;
            *p = (uint8_t)(*p * BRIGHTNESS / 8);
        }
}

bool ap_blur_behind(const AVFrame *from, AVFrame *to, ap_error *err)
{
    int rows = SMALL * to->height / to->width;
    rows = rows < 1 ? 1 : rows > 8 * SMALL ? 8 * SMALL : rows;
    uint8_t copy[8 * SMALL];
    AVFrame *middle = crop_to_cover(from, to), *small = ap_rgb_new(SMALL, (unsigned)rows);
    bool ok = (middle && small) || ap_fail_memory(err);
    if (ok && ap_picture_convert(middle, small, err)) {
        blur(small, copy);
        darken(small);
        ok = ap_picture_convert(small, to, err);
    }
    av_frame_free(&middle);
    av_frame_free(&small);
    return ok;
}
