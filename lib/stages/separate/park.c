/* SPDX-License-Identifier: GPL-3.0-or-later
 * park.c - one stream for several readers, and several streams as one. */
#include "stages/separate/park.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/temporary.h"
#include "stream/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a parked stream */

struct ap_parked {
    int fd; /* frames, interleaved */
    ap_format format;
    size_t holders; /* the owner, and the streams that read it */
    char name[256];
    ap_tags *tags;
};

void ap_parked_free(ap_parked *parked)
{
    if (!parked || --parked->holders)
        return;
    if (parked->fd >= 0)
        close(parked->fd);
    ap_tags_free(&parked->tags);
    free(parked);
}

static bool fill(ap_parked *p, ap_stream *s, const ap_separate_options *o, ap_error *err)
{
    const size_t frame = p->format.channels * sizeof(float);
    const uint64_t total = p->format.frames;
    float *block = ap_allocate(AP_BLOCK, frame, err);
    ptrdiff_t n = block ? 1 : -1;
    p->format.frames = 0;
    while (n > 0 && (n = ap_read(s, block, AP_BLOCK, err)) > 0) {
        p->format.frames += (uint64_t)n;
        if (!ap_temporary_write(p->fd, block, (size_t)n * frame, err) ||
            (o->progress && !o->progress(o->user, p->format.frames, total, err)))
            n = -1;
    }
    free(block);
    return n == 0;
}

ap_parked *ap_park(ap_stream *s, const ap_separate_options *options, ap_error *err)
{
    ap_parked *p = s ? ap_allocate(1, sizeof *p, err) : NULL;
    bool ok = p != NULL;
    if (ok) {
        const char *name = ap_stream_name(s);
        *p = (ap_parked){.fd = ap_temporary_file(err), .format = *ap_stream_format(s), .holders = 1};
        snprintf(p->name, sizeof p->name, "%s", name ? name : "");
        p->tags = ap_tags_new();
        ok = p->fd >= 0 && (p->tags || ap_fail_memory(err)) &&
             (ap_tags_merge(p->tags, ap_stream_tags(s)) || ap_fail_memory(err)) && fill(p, s, options, err);
    }
    ap_close(&s);
    if (ok)
        return p;
    ap_parked_free(p);
    return NULL;
}

/* ---- its readers */

typedef struct parked_reader {
    ap_parked *parked;
    uint32_t first;
    uint64_t position; /* frames */
    float *block;      /* AP_BLOCK frames of all channels */
} parked_reader;

static bool load(const ap_parked *p, uint64_t from, size_t count, float *frames, ap_error *err)
{
    const size_t frame = p->format.channels * sizeof *frames, size = count * frame;
    for (size_t done = 0; done < size;) {
        const ssize_t n = pread(p->fd, (char *)frames + done, size - done, (off_t)(from * frame + done));
        if (n == 0 || (n < 0 && errno != EINTR))
            return ap_fail_errno(err, n ? errno : EIO, "cannot read a temporary file");
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static ptrdiff_t reader_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    parked_reader *r = s->state;
    const uint64_t left = r->parked->format.frames - r->position;
    size_t n = max < AP_BLOCK ? max : AP_BLOCK;
    n = n < left ? n : (size_t)left;
    if (!load(r->parked, r->position, n, r->block, err))
        return -1;
    const size_t width = s->format.channels, all = r->parked->format.channels;
    for (size_t i = 0; i < n; i++)
        memcpy(frames + i * width, r->block + i * all + r->first, width * sizeof *frames);
    r->position += n;
    return (ptrdiff_t)n;
}

static void reader_close(void *state)
{
    parked_reader *r = state;
    if (!r)
        return;
    ap_parked_free(r->parked);
    free(r->block);
    free(r);
}

ap_stream *ap_parked_stream(ap_parked *parked, uint32_t first, uint32_t channels, ap_error *err)
{
    static const ap_stream_ops ops = {.read = reader_read, .close = reader_close};
    if (!parked)
        return NULL;
    ap_format format = parked->format;
    ap_tags *tags = ap_tags_new();
    parked_reader *r = ap_allocate(1, sizeof *r, err);
    float *block = ap_allocate((size_t)AP_BLOCK * format.channels, sizeof *block, err);
    if (!r || !block || !tags || !ap_tags_merge(tags, parked->tags)) {
        ap_fail_memory(err);
        free(r);
        free(block);
        ap_tags_free(&tags);
        return NULL;
    }
    *r = (parked_reader){.parked = parked, .first = first, .block = block};
    parked->holders++;
    if (channels != format.channels)
        format.mask = ap_default_mask(channels);
    format.channels = channels;
    return ap_stream_new(&ops, r, &format, *parked->name ? parked->name : NULL, tags, err);
}

/* ---- several as one */

typedef struct gatherer {
    ap_stream **others; /* but for the first, which is the source */
    size_t count;
    float *block; /* AP_BLOCK frames of the widest */
} gatherer;

static void spread(const float *from, size_t width, float *to, size_t stride, size_t count)
{
    for (size_t i = 0; i < count; i++)
        memcpy(to + i * stride, from + i * width, width * sizeof *to);
}

static ptrdiff_t gather_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    gatherer *g = s->state;
    const size_t all = s->format.channels;
    size_t at = s->source->format.channels;
    ptrdiff_t n = ap_read_full(s->source, g->block, max < AP_BLOCK ? max : AP_BLOCK, err);
    if (n > 0)
        spread(g->block, at, frames, all, (size_t)n);
    for (size_t i = 0; n > 0 && i < g->count; i++) {
        const size_t width = g->others[i]->format.channels;
        const ptrdiff_t m = ap_read_full(g->others[i], g->block, (size_t)n, err);
        if (m >= 0 && m != n)
            ap_fail(err, AP_FAILED, "a model gave stems of another length");
        if (m != n)
            return -1;
        spread(g->block, width, frames + at, all, (size_t)n);
        at += width;
    }
    return n;
}

static bool gather_end(ap_stream *s, ap_error *err)
{
    const gatherer *g = s->state;
    (void)err;
    for (size_t i = 0; i < g->count; i++) {
        const char *warning = ap_stream_warning(g->others[i]);
        if (warning)
            ap_warn(s, "%s", warning);
    }
    return true;
}

static void gather_close(void *state)
{
    gatherer *g = state;
    if (!g)
        return;
    for (size_t i = 0; g->others && i < g->count; i++)
        ap_close(&g->others[i]);
    free(g->others);
    free(g->block);
    free(g);
}

/* The streams without the first, which stay the caller's on failure. */
static gatherer *make_gatherer(ap_stream **streams, size_t count, ap_format *format, ap_error *err)
{
    uint32_t widest = 0;
    gatherer *g = ap_allocate(1, sizeof *g, err);
    *format = streams[0]->format;
    format->channels = format->mask = 0;
    for (size_t i = 0; i < count; i++) {
        const uint32_t width = streams[i]->format.channels;
        format->channels += width;
        widest = width > widest ? width : widest;
    }
    if (!g)
        return NULL;
    g->others = ap_allocate(count, sizeof *g->others, err);
    g->block = ap_allocate((size_t)AP_BLOCK * widest, sizeof *g->block, err);
    if (g->others && g->block)
        return g;
    gather_close(g);
    return NULL;
}

ap_stream *ap_gather(ap_stream **streams, size_t count, ap_error *err)
{
    static const ap_stream_ops ops = {.read = gather_read, .close = gather_close, .end = gather_end};
    bool whole = count > 0;
    ap_format format;
    for (size_t i = 0; i < count; i++)
        whole = whole && streams[i];
    gatherer *g = whole ? make_gatherer(streams, count, &format, err) : NULL;
    if (g) {
        g->count = count - 1;
        memcpy(g->others, streams + 1, g->count * sizeof *g->others);
        return ap_stream_wrap(streams[0], &ops, g, &format, err);
    }
    for (size_t i = 0; i < count; i++)
        ap_close(&streams[i]);
    return NULL;
}
