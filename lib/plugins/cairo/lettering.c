/* SPDX-License-Identifier: GPL-3.0-or-later
 * lettering.c - words on the pictures of a video: white, on a dark ground that lets any picture show through.
 */
#include "plugins/cairo/lettering.h"
#include "base/error.h"
#include "plugins/cairo/canvas.h"

#include <math.h>

/* Parts of the height of the picture; of its width where that is less than the height. */
#define TITLE_SIZE 0.050
#define CAPTION_SIZE 0.040
#define MARGIN 0.045

#define MOST_WIDTH 0.84 /* of the picture */
#define MOST_LINES 3    /* what is beyond becomes an ellipsis */
#define GROUND 0x000000
#define GROUND_ALPHA 0.55

/* Parts of the size of the letters. */
#define PADDING_ACROSS 0.60
#define PADDING_ALONG 0.28
#define CORNER 0.35

static void round_box(cairo_t *cr, const box *b, double radius)
{
    const double right = b->x + b->width, bottom = b->y + b->height;
    cairo_new_path(cr);
    cairo_arc(cr, right - radius, b->y + radius, radius, -M_PI / 2, 0);
    cairo_arc(cr, right - radius, bottom - radius, radius, 0, M_PI / 2);
    cairo_arc(cr, b->x + radius, bottom - radius, radius, M_PI / 2, M_PI);
    cairo_arc(cr, b->x + radius, b->y + radius, radius, M_PI, 3 * M_PI / 2);
    cairo_close_path(cr);
}

/* Draws in the middle, at the top or the bottom. */
static void draw_words(const canvas *c, const ap_lettering *l, const char *text, const text_style *style,
                       bool top)
{
    const double margin = MARGIN * fmin(l->width, l->height);
    pango_layout_set_wrap(c->layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_alignment(c->layout, PANGO_ALIGN_CENTER);
    pango_layout_set_height(c->layout, -MOST_LINES);
    const PangoRectangle e = lay_out_text(c, text, style);
    const double width = (double)e.width / PANGO_SCALE, height = (double)e.height / PANGO_SCALE;
    const double along = PADDING_ALONG * style->size, across = PADDING_ACROSS * style->size;
    const double y = top ? margin + along : l->height - margin - along - height, x = (l->width - width) / 2;
    set_colour(c, GROUND, GROUND_ALPHA);
    round_box(c->cr, &(box){x - across, y - along, width + 2 * across, height + 2 * along},
              CORNER * style->size);
    cairo_fill(c->cr);
    set_colour(c, style->colour, 1);
    cairo_move_to(c->cr, x - (double)e.x / PANGO_SCALE, y);
    pango_cairo_show_layout(c->cr, c->layout);
}

bool draw_lettering(const ap_lettering *l, uint32_t *pixels, ap_error *err)
{
    const double side = fmin(l->width, l->height);
    cairo_surface_t *surface =
        cairo_image_surface_create_for_data((unsigned char *)pixels, CAIRO_FORMAT_ARGB32, (int)l->width,
                                            (int)l->height, (int)(l->width * sizeof *pixels));
    cairo_t *cr = cairo_create(surface);
    const canvas c = {cr, 1, new_text_layout(cr)};
    text_style style = {
        .size = TITLE_SIZE * side, .bold = true, .colour = WHITE, .most = MOST_WIDTH * l->width};
    if (l->title)
        draw_words(&c, l, l->title, &style, true);
    style.size = CAPTION_SIZE * side;
    style.bold = false;
    if (l->caption)
        draw_words(&c, l, l->caption, &style, false);
    const cairo_status_t status = cairo_status(cr);
    g_object_unref(c.layout);
    cairo_destroy(cr);
    cairo_surface_finish(surface);
    cairo_surface_destroy(surface);
    return status == CAIRO_STATUS_SUCCESS ||
           ap_fail(err, status == CAIRO_STATUS_NO_MEMORY ? AP_TRY_AGAIN : AP_FAILED, "cannot draw words: %s",
                   cairo_status_to_string(status));
}
