/* SPDX-License-Identifier: GPL-3.0-or-later
 * slideshow.c - images one after the other: which frames show which of them, alone or fading into the next.
 * Two images are held at a time; the next one is loaded by a thread meanwhile. */
#include "base/error.h"
#include "dsp/hot.h"
#include "plugins/av/video.h"
#include "plugins/av/words.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#define EVEN(x) (2 * (unsigned)lrint((x) / 2))

/* An image that is loaded, or being loaded. */
typedef struct slide {
    const ap_stitch_options *options;
    const ap_shown *shown;
    ap_letter_fn *letter;
    pthread_t thread;
    bool loading;
    AVFrame *picture; /* larger than the video if it is going to move; NULL: loading failed */
    ap_words *words;  /* that do not move with it; NULL: none */
    ap_error error;
} slide;

typedef struct slideshow {
    ap_stitch_options options;
    const ap_shown *images;
    size_t count;
    ap_letter_fn *letter;
    uint64_t frames, at;
    uint64_t transition; /* frames, at most */
    size_t current;      /* the image that is seen, or that fades into the next */
    slide slides[2];     /* image i is in slides[i % 2]: the current one and the next */
    AVFrame *moved[2];   /* what is seen of them */
    AVFrame *mixed;
} slideshow;

/* ---- loading */

static void *load(void *user)
{
    slide *s = user;
    const ap_stitch_options *o = s->options;
    double scale = o->ken_burns ? AP_KEN_BURNS_ZOOM : 1;
    ap_image image;
    if (ap_image_load(&image, s->shown->name, &s->error)) {
        s->picture = ap_fit_image(&image, EVEN(o->width * scale), EVEN(o->height * scale), o->fit, &s->error);
        ap_image_free(&image);
    }
    const ap_lettering l = {o->title, s->shown->caption, o->width, o->height};
    if (s->picture && !ap_words_new(&s->words, s->letter, &l, &s->error))
        av_frame_free(&s->picture);
    if (s->picture && !o->ken_burns)
        ap_words_put(s->words, s->picture);
    return NULL;
}

/* Waits until the slide is loaded. */
static bool settle(slide *s, ap_error *err)
{
    if (s->loading)
        pthread_join(s->thread, NULL);
    s->loading = false;
    if (!s->picture && err)
        *err = s->error;
    return s->picture;
}

static void drop(slide *s)
{
    settle(s, NULL);
    av_frame_free(&s->picture);
    ap_words_free(&s->words);
}

/* Starts to load image number index into its place, in which there is none. */
static void start_loading(slideshow *show, size_t index)
{
    slide *s = &show->slides[index % 2];
    *s = (slide){.options = &show->options, .shown = &show->images[index], .letter = show->letter};
    s->loading = pthread_create(&s->thread, NULL, load, s) == 0;
    if (!s->loading)
        load(s);
}

/* ---- the time table */

/* The frame at which image number index begins; a fade is half before and half after it. */
static uint64_t begin_of(const slideshow *show, size_t index)
{
    return index < show->count ? show->images[index].begin : show->frames;
}

static uint64_t length_of(const slideshow *show, size_t index)
{
    return begin_of(show, index + 1) - begin_of(show, index);
}

typedef struct fade {
    uint64_t start, length;
} fade;

/* From image number index to the next. It is no longer than either of them, so fades never meet. */
static fade fade_after(const slideshow *show, size_t index)
{
    if (index + 1 == show->count)
        return (fade){show->frames, 0};
    uint64_t length = show->transition;
    length = FFMIN(length, FFMIN(length_of(show, index), length_of(show, index + 1)));
    return (fade){begin_of(show, index + 1) - length / 2, length};
}

/* How far the time of an image has gone, fades included, 0..1. */
static double course_of(const slideshow *show, size_t index)
{
    uint64_t start = index ? fade_after(show, index - 1).start : 0;
    fade last = fade_after(show, index);
    return (double)(show->at - start) / (double)(last.start + last.length - start);
}

/* ---- pictures */

/* What is seen of an image now. */
static bool look(slideshow *show, size_t index, const AVFrame **picture, ap_error *err)
{
    slide *s = &show->slides[index % 2];
    if (!settle(s, err))
        return false;
    *picture = s->picture;
    if (!show->options.ken_burns)
        return true;
    *picture = show->moved[index % 2];
    if (!ap_ken_burns(s->picture, show->moved[index % 2], index, course_of(show, index), err))
        return false;
    ap_words_put(s->words, show->moved[index % 2]);
    return true;
}

/* The mean of a and b, of which b counts for weight 256ths. */
AP_HOT static void mix(const AVFrame *a, const AVFrame *b, unsigned weight, AVFrame *to)
{
    for (int plane = 0; plane < 3; plane++) {
        unsigned width = ap_picture_columns(to, plane);
        for (unsigned y = 0; y < ap_picture_rows(to, plane); y++) {
            const uint8_t *p = a->data[plane] + (ptrdiff_t)y * a->linesize[plane];
            const uint8_t *q = b->data[plane] + (ptrdiff_t)y * b->linesize[plane];
            uint8_t *r = to->data[plane] + (ptrdiff_t)y * to->linesize[plane];
            for (unsigned x = 0; x < width; x++)
                r[x] = (uint8_t)((p[x] * (256 - weight) + q[x] * weight + 128) >> 8);
        }
    }
}

static bool show_alone(slideshow *show, uint64_t until, const AVFrame **picture, uint64_t *frames,
                       ap_error *err)
{
    *frames = show->options.ken_burns ? 1 : until - show->at;
    return look(show, show->current, picture, err);
}

static bool show_fade(slideshow *show, fade f, const AVFrame **picture, uint64_t *frames, ap_error *err)
{
    const AVFrame *from, *to;
    if (!look(show, show->current, &from, err) || !look(show, show->current + 1, &to, err))
        return false;
    mix(from, to, (unsigned)(256 * (2 * (show->at - f.start) + 1) / (2 * f.length)), show->mixed);
    *picture = show->mixed;
    *frames = 1;
    return true;
}

static void advance(slideshow *show)
{
    drop(&show->slides[show->current % 2]);
    show->current++;
    if (show->current + 1 < show->count)
        start_loading(show, show->current + 1);
}

static bool slideshow_next(void *state, const AVFrame **picture, uint64_t *frames, ap_error *err)
{
    slideshow *show = state;
    *frames = 0;
    if (show->at == show->frames)
        return true;
    fade f = fade_after(show, show->current);
    if (show->at == f.start + f.length) {
        advance(show);
        f = fade_after(show, show->current);
    }
    bool ok = show->at < f.start ? show_alone(show, f.start, picture, frames, err)
                                 : show_fade(show, f, picture, frames, err);
    show->at += *frames;
    return ok;
}

static void slideshow_free(void *state)
{
    slideshow *show = state;
    for (int i = 0; i < 2; i++) {
        drop(&show->slides[i]);
        av_frame_free(&show->moved[i]);
    }
    av_frame_free(&show->mixed);
    free(show);
}

bool ap_slideshow(ap_pictures *pictures, const ap_showing *showing, uint64_t frames, ap_error *err)
{
    const ap_stitch_options *o = showing->options;
    slideshow *show = calloc(1, sizeof *show);
    if (!show)
        return ap_fail_memory(err);
    *show = (slideshow){.options = *o,
                        .images = showing->images,
                        .count = showing->count,
                        .letter = showing->letter,
                        .frames = frames};
    show->transition = (uint64_t)llrint(o->transition_s * av_q2d(showing->fps));
    show->mixed = ap_picture_new(o->width, o->height);
    for (int i = 0; i < 2; i++)
        show->moved[i] = ap_picture_new(o->width, o->height);
    *pictures = (ap_pictures){show, 0, slideshow_next, slideshow_free};
    if (!show->mixed || !show->moved[0] || !show->moved[1]) {
        slideshow_free(show);
        return ap_fail_memory(err);
    }
    start_loading(show, 0);
    if (show->count > 1)
        start_loading(show, 1);
    return true;
}
