/* SPDX-License-Identifier: GPL-3.0-or-later
 * words.c - words that are drawn once, and put on any number of pictures. */
#include "plugins/av/words.h"
#include "base/error.h"
#include "base/memory.h"
#include "dsp/hot.h"

#include <stdlib.h>

/* One plane: what is added to what is left of the picture. */
typedef struct plane {
    unsigned width, height;
    uint8_t *value; /* multiplied by alpha */
    uint8_t *alpha;
    bool *used; /* rows with any word in them */
} plane;

struct ap_words {
    plane planes[3];
};

/* BT.709 in limited range, of red, green, blue and alpha 0..255: what a pixel of them adds to a plane. */
static double component(int which, const double c[4])
{
    const double y = 0.2126 * c[1] + 0.7152 * c[2] + 0.0722 * c[3];
    if (which == 0)
        return 16.0 / 255 * c[0] + 219.0 / 255 * y;
    const double difference = which == 1 ? (c[3] - y) / 1.8556 : (c[1] - y) / 1.5748;
    return 128.0 / 255 * c[0] + 224.0 / 255 * difference;
}

/* The mean of a square of pixels: alpha, red, green, blue. */
static void mean_of(const uint32_t *pixels, size_t row, unsigned side, double c[4])
{
    for (int i = 0; i < 4; i++) {
        unsigned sum = 0;
        for (unsigned y = 0; y < side; y++)
            for (unsigned x = 0; x < side; x++)
                sum += pixels[y * row + x] >> (24 - 8 * i) & 255;
        c[i] = (double)sum / (side * side);
    }
}

static void fill_plane(plane *p, int which, const uint32_t *pixels, size_t row)
{
    const unsigned side = which ? 2 : 1;
    for (unsigned y = 0; y < p->height; y++)
        for (unsigned x = 0; x < p->width; x++) {
            const size_t at = (size_t)y * p->width + x;
            double c[4];
            mean_of(pixels + side * (y * row + x), row, side, c);
            p->alpha[at] = (uint8_t)(c[0] + 0.5);
            if (!p->alpha[at])
                continue;
            p->used[y] = true;
            p->value[at] = (uint8_t)(component(which, c) + 0.5);
        }
}

static bool make_plane(plane *p, unsigned width, unsigned height, ap_error *err)
{
    *p = (plane){.width = width, .height = height};
    p->value = ap_allocate(width, height, err);
    p->alpha = p->value ? ap_allocate(width, height, err) : NULL;
    p->used = p->alpha ? ap_allocate(height, sizeof *p->used, err) : NULL;
    return p->used;
}

bool ap_words_new(ap_words **words, ap_letter_fn *letter, const ap_lettering *l, ap_error *err)
{
    *words = NULL;
    if (!letter || (!l->title && !l->caption))
        return true;
    ap_words *w = ap_allocate(1, sizeof *w, err);
    uint32_t *pixels = w ? ap_allocate((size_t)l->width * l->height, sizeof *pixels, err) : NULL;
    bool ok = pixels && letter(l, pixels, err);
    for (int i = 0; ok && i < 3; i++) {
        ok = make_plane(&w->planes[i], i ? l->width / 2 : l->width, i ? l->height / 2 : l->height, err);
        if (ok)
            fill_plane(&w->planes[i], i, pixels, l->width);
    }
    free(pixels);
    *words = w;
    if (!ok)
        ap_words_free(words);
    return ok;
}

AP_HOT static void blend(const uint8_t *value, const uint8_t *alpha, uint8_t *row, size_t count)
{
    for (size_t x = 0; x < count; x++) {
        const unsigned rest = row[x] * (255u - alpha[x]) + 127;
        const unsigned sum = value[x] + rest / 255;
        row[x] = (uint8_t)(sum < 255 ? sum : 255);
    }
}

void ap_words_put(const ap_words *w, AVFrame *picture)
{
    for (int i = 0; w && i < 3; i++) {
        const plane *p = &w->planes[i];
        for (unsigned y = 0; y < p->height; y++)
            if (p->used[y])
                blend(p->value + (size_t)y * p->width, p->alpha + (size_t)y * p->width,
                      picture->data[i] + (ptrdiff_t)y * picture->linesize[i], p->width);
    }
}

void ap_words_free(ap_words **words)
{
    for (int i = 0; *words && i < 3; i++) {
        free((*words)->planes[i].value);
        free((*words)->planes[i].alpha);
        free((*words)->planes[i].used);
    }
    free(*words);
    *words = NULL;
}
