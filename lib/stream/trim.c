/* SPDX-License-Identifier: GPL-3.0-or-later
 * trim.c - a part of a stream. */
#include "base/error.h"
#include "base/memory.h"
#include "stream/chapters.h"
#include "stream/stream.h"

#include <stdlib.h>

typedef struct trimmer {
    uint64_t to_skip;
    uint64_t left; /* AP_UNKNOWN: to the end */
} trimmer;

static bool skip(ap_stream *s, trimmer *t, float *scratch, size_t max, ap_error *err)
{
    while (t->to_skip) {
        ptrdiff_t n = ap_read(s->source, scratch, t->to_skip < max ? (size_t)t->to_skip : max, err);
        if (n < 0)
            return false;
        if (n == 0)
            return ap_fail(err, AP_FAILED, "'%s' ends before the start asked for", ap_stream_name(s));
        t->to_skip -= (uint64_t)n;
    }
    return true;
}

static ptrdiff_t trim_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    trimmer *t = s->state;
    if (!skip(s, t, frames, max, err))
        return -1;
    if (max > t->left)
        max = (size_t)t->left;
    ptrdiff_t n = max ? ap_read(s->source, frames, max, err) : 0;
    if (n > 0 && t->left != AP_UNKNOWN)
        t->left -= (uint64_t)n;
    return n;
}

/* The source's tags as they are true for the part. */
static ap_tags *cut_tags(const ap_stream *s, uint64_t start, uint64_t count)
{
    ap_tags *tags = ap_tags_new();
    if (tags &&
        (!ap_tags_merge(tags, ap_stream_tags(s->source)) || !ap_tags_cut(tags, start, count, s->format.rate)))
        ap_tags_free(&tags);
    return tags;
}

ap_stream *ap_trim(ap_stream *s, uint64_t start, uint64_t count, ap_error *err)
{
    static const ap_stream_ops ops = {.read = trim_read, .close = free};
    if (s && s->format.frames != AP_UNKNOWN && start > s->format.frames) {
        ap_fail(err, AP_FAILED, "'%s' ends before the start asked for", ap_stream_name(s));
        ap_close(&s);
    }
    if (!s)
        return NULL;
    ap_format format = s->format;
    trimmer *t = ap_allocate(1, sizeof *t, err);
    if (t)
        *t = (trimmer){start, count};
    if (format.frames != AP_UNKNOWN)
        format.frames = count < format.frames - start ? count : format.frames - start;
    s = ap_stream_wrap(s, &ops, t, &format, err);
    if (s && !(s->tags = cut_tags(s, start, count))) {
        ap_fail_memory(err);
        ap_close(&s);
    }
    return s;
}
