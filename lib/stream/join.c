/* SPDX-License-Identifier: GPL-3.0-or-later
 * join.c - streams one after the other: the links of a chain, and what follows a change of format. */
#include "stream/join.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- channels by number */

typedef struct picker {
    float block[(size_t)AP_BLOCK * AP_MAX_CHANNELS];
} picker;

static ptrdiff_t pick_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    picker *p = s->state;
    uint32_t from = s->source->format.channels, to = s->format.channels, both = from < to ? from : to;
    ptrdiff_t n = ap_read(s->source, p->block, max < AP_BLOCK ? max : AP_BLOCK, err);
    for (size_t i = 0; n > 0 && i < (size_t)n; i++) {
        memcpy(frames + i * to, p->block + i * from, both * sizeof *frames);
        memset(frames + i * to + both, 0, (to - both) * sizeof *frames);
    }
    return n;
}

static ap_stream *pick_channels(ap_stream *s, const ap_format *to, ap_error *err)
{
    static const ap_stream_ops ops = {.read = pick_read, .close = free};
    ap_format format = {s->format.rate, to->channels, to->mask, s->format.frames};
    return ap_stream_wrap(s, &ops, ap_allocate(1, sizeof(picker), err), &format, err);
}

ap_stream *ap_conform(ap_stream *s, const ap_format *format, ap_error *err)
{
    bool placed = s && ap_has_places(&s->format) && ap_has_places(format) && format->channels <= 8;
    if (placed && !ap_same_speakers(&s->format, format))
        s = ap_remix_to(s, format->mask, err);
    else if (s && s->format.channels != format->channels)
        s = pick_channels(s, format, err);
    return s ? ap_resample(s, format->rate, err) : NULL;
}

/* ---- the join */

typedef struct join {
    const ap_join_ops *ops;
    void *user;
    ap_stream *part;
} join;

static void join_close(void *state)
{
    join *j = state;
    ap_close(&j->part);
    j->ops->close(j->user);
    free(j);
}

static void pass_warnings(ap_stream *s, const join *j)
{
    const char *text = ap_stream_warning(j->part);
    if (text)
        ap_warn(s, "%s", text);
}

/* 1, 0 after the last part, -1 on error. */
static int open_next(ap_stream *s, join *j, ap_error *err)
{
    ap_error why = {0};
    ap_close(&j->part);
    ap_stream *part = j->ops->next(j->user, &why);
    if (part && (part->format.rate != s->format.rate || part->format.channels != s->format.channels))
        ap_warn(s, "'%s' changes to %u Hz and %u channels at %.3f s: it is converted from there on",
                ap_stream_name(s), part->format.rate, part->format.channels,
                (double)s->position / s->format.rate);
    if (part)
        j->part = ap_conform(part, &s->format, &why);
    if (!j->part && why.code != AP_OK)
        *err = why;
    return j->part ? 1 : why.code != AP_OK ? -1 : 0;
}

static ptrdiff_t join_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    join *j = s->state;
    for (;;) {
        ptrdiff_t n = j->part ? ap_read(j->part, frames, max, err) : 0;
        if (j->part)
            pass_warnings(s, j);
        if (n != 0)
            return n;
        int more = open_next(s, j, err);
        if (more <= 0)
            return more;
    }
}

ap_stream *ap_join(const ap_format *format, const ap_join_ops *ops, void *user, ap_error *err)
{
    static const ap_stream_ops stream_ops = {.read = join_read, .close = join_close};
    join *j = ap_allocate(1, sizeof *j, err);
    if (j)
        *j = (join){ops, user, NULL};
    else
        ops->close(user);
    return ap_stream_new(&stream_ops, j, format, NULL, NULL, err);
}
