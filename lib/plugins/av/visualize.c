/* SPDX-License-Identifier: GPL-3.0-or-later
 * visualize.c - pictures of the sound that is heard, in front of its cover or another image. */
#include "base/error.h"
#include "plugins/av/video.h"
#include "plugins/av/visual.h"
#include "plugins/av/words.h"
#include "stream/stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Parts of the height of the video. */
#define COVER_TOP 0.10
#define COVER_TOP_TITLED 0.15
#define COVER_BOTTOM 0.66
#define SHADE_TOP 0.62
#define SHADE_EDGE 0.12

#define SHADE 0.6 /* how much darker */

#define SKY 0x141627 /* behind all, when there is no cover: from the top */
#define GROUND 0x05060a

typedef struct visualization {
    AVRational fps;
    double rate;
    ap_drawing drawing;
    AVFrame *background, *picture;
    uint64_t heard; /* frames of sound */
    bool ended;
    uint64_t at; /* frames of video */
} visualization;

/* ---- background */

static void paint_gradient(AVFrame *picture)
{
    ap_colour a = ap_colour_of(SKY), b = ap_colour_of(GROUND);
    const uint8_t from[] = {a.y, a.cb, a.cr}, to[] = {b.y, b.cb, b.cr};
    for (int plane = 0; plane < 3; plane++) {
        unsigned rows = ap_picture_rows(picture, plane);
        for (unsigned y = 0; y < rows; y++)
            memset(picture->data[plane] + (ptrdiff_t)y * picture->linesize[plane],
                   (int)lrint(from[plane] + (to[plane] - from[plane]) * (double)y / rows),
                   ap_picture_columns(picture, plane));
    }
}

/* left and top are even. */
static void paste(const AVFrame *from, AVFrame *to, unsigned left, unsigned top)
{
    for (int plane = 0; plane < 3; plane++) {
        unsigned x = plane ? left / 2 : left, y = plane ? top / 2 : top;
        for (unsigned row = 0; row < ap_picture_rows(from, plane); row++)
            memcpy(to->data[plane] + (ptrdiff_t)(y + row) * to->linesize[plane] + x,
                   from->data[plane] + (ptrdiff_t)row * from->linesize[plane],
                   ap_picture_columns(from, plane));
    }
}

static unsigned even(double x)
{
    return 2 * (unsigned)lrint(x / 2);
}

/* The cover, and behind it a blurred one that fills the video. */
static AVFrame *paint_cover(const ap_image *cover, unsigned width, unsigned height, double top)
{
    unsigned side = even(fmin((COVER_BOTTOM - top) * height, 0.9 * width));
    AVFrame *behind = ap_fit_image(cover, width, height, AP_FIT_BEHIND, NULL);
    AVFrame *front = ap_fit_image(cover, side, side, AP_FIT_COVER, NULL);
    if (behind && front)
        paste(front, behind, even((width - side) / 2.0), even(top * height));
    else
        av_frame_free(&behind);
    av_frame_free(&front);
    return behind;
}

/* A cover that cannot be read is none. */
static AVFrame *show_cover(const ap_tags *tags, const ap_stitch_options *o)
{
    ap_picture art = tags ? ap_tags_picture(tags) : (ap_picture){0};
    ap_image image;
    if (!art.size || !ap_image_decode(&image, art.data, art.size, "cover", NULL))
        return NULL;
    AVFrame *painted = paint_cover(&image, o->width, o->height, o->title ? COVER_TOP_TITLED : COVER_TOP);
    ap_image_free(&image);
    return painted;
}

/* Darkens the part of a picture that bars are going to stand on, softly from its upper edge on. */
static void shade(AVFrame *picture)
{
    for (int plane = 0; plane < 3; plane++) {
        const int zero = plane ? 128 : 16;
        const unsigned rows = ap_picture_rows(picture, plane);
        for (unsigned y = (unsigned)(SHADE_TOP * rows); y < rows; y++) {
            const double depth = fmin((y + 0.5) / rows - SHADE_TOP, SHADE_EDGE) / SHADE_EDGE;
            const int left = (int)lrint(256 * (1 - SHADE * depth));
            uint8_t *row = picture->data[plane] + (ptrdiff_t)y * picture->linesize[plane];
            for (unsigned x = 0; x < ap_picture_columns(picture, plane); x++)
                row[x] = (uint8_t)(zero + (row[x] - zero) * left / 256);
        }
    }
}

/* An image that was named fills the video. */
static AVFrame *show_image(const char *name, const ap_stitch_options *o, ap_error *err)
{
    ap_image image;
    if (!ap_image_load(&image, name, err))
        return NULL;
    const ap_fit fit = o->fit == AP_FIT_CONTAIN ? AP_FIT_COVER : o->fit;
    AVFrame *filled = ap_fit_image(&image, o->width, o->height, fit, err);
    if (filled)
        shade(filled);
    ap_image_free(&image);
    return filled;
}

static bool put_title(visualization *v, const ap_showing *showing, ap_error *err)
{
    const ap_stitch_options *o = showing->options;
    ap_words *title;
    if (!ap_words_new(&title, showing->letter, &(ap_lettering){o->title, NULL, o->width, o->height}, err))
        return false;
    ap_words_put(title, v->background);
    ap_words_free(&title);
    return true;
}

/* Sets *covered if the middle is to be left free. */
static bool make_background(visualization *v, const ap_tags *tags, const ap_showing *showing, bool *covered,
                            ap_error *err)
{
    const ap_stitch_options *o = showing->options;
    v->background = showing->count ? show_image(showing->images[0].name, o, err) : show_cover(tags, o);
    *covered = v->background;
    if (showing->count && !v->background)
        return false;
    if (!v->background && (v->background = ap_picture_new(o->width, o->height)))
        paint_gradient(v->background);
    return v->background ? put_title(v, showing, err) : ap_fail_memory(err);
}

static ap_drawing choose_drawing(const ap_format *format, AVRational fps, const ap_stitch_options *o,
                                 bool covered)
{
    double h = o->height;
    if (o->visual == AP_VISUAL_WAVEFORM)
        return ap_waveform_drawing(format, covered ? (ap_drawing_area){o->width, 0.70 * h, 0.96 * h}
                                                   : (ap_drawing_area){o->width, 0.14 * h, 0.86 * h});
    return ap_spectrum_drawing(format, fps,
                               covered ? (ap_drawing_area){o->width, 0.70 * h, 0.96 * h}
                                       : (ap_drawing_area){o->width, 0.16 * h, 0.84 * h});
}

/* ---- pictures */

static bool hear(void *user, ap_stream *s, const float *frames, size_t count, ap_error *err)
{
    visualization *v = user;
    (void)s, (void)err;
    v->drawing.hear(v->drawing.state, frames, count);
    v->heard += count;
    v->ended = v->ended || !count;
    return true;
}

static bool visualize_next(void *state, const AVFrame **picture, uint64_t *frames, ap_error *err)
{
    visualization *v = state;
    double fps = av_q2d(v->fps);
    *frames = 0;
    if (v->ended && v->at >= (uint64_t)llrint((double)v->heard / v->rate * fps))
        return true;
    if (av_frame_make_writable(v->picture) < 0)
        return ap_fail_memory(err);
    paste(v->background, v->picture, 0, 0);
    v->drawing.draw(v->drawing.state, (double)v->at / fps, v->picture);
    v->at++;
    *picture = v->picture;
    *frames = 1;
    return true;
}

static void visualize_free(void *state)
{
    visualization *v = state;
    if (v->drawing.state)
        v->drawing.free(v->drawing.state);
    av_frame_free(&v->background);
    av_frame_free(&v->picture);
    free(v);
}

bool ap_visualize(ap_pictures *pictures, ap_stream **audio, const ap_showing *showing, ap_error *err)
{
    const ap_stitch_options *o = showing->options;
    const ap_format *format = &(*audio)->format;
    visualization *v = calloc(1, sizeof *v);
    bool covered;
    if (!v)
        return ap_fail_memory(err);
    *v = (visualization){.fps = showing->fps, .rate = format->rate};
    bool ok = make_background(v, ap_stream_tags(*audio), showing, &covered, err);
    if (ok) {
        v->picture = ap_picture_new(o->width, o->height);
        v->drawing = choose_drawing(format, showing->fps, o, covered);
        ok = (v->picture && v->drawing.state) || ap_fail_memory(err);
    }
    if (!ok) {
        visualize_free(v);
        return false;
    }
    *pictures = (ap_pictures){v, v->drawing.ahead_s, visualize_next, visualize_free};
    *audio = ap_tap(*audio, hear, v, err);
    return *audio;
}
