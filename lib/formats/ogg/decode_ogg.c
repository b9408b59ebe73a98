/* SPDX-License-Identifier: GPL-3.0-or-later
 * decode_ogg.c - an Ogg file: its links, one after the other. */
#include "formats/ogg/decode_ogg.h"
#include "base/error.h"
#include "formats/ogg/ogg.h"
#include "stream/details.h"
#include "stream/join.h"

#include <stdlib.h>
#include <string.h>

#define MAX_MEASURED 1000 /* links whose headers are all read to know the length of the whole */

typedef struct file {
    ap_input *in;
    uint64_t base; /* where the file begins in the input */
    ap_ogg_chain chain;
    size_t next;
} file;

static void file_close(void *user)
{
    file *f = user;
    free(f->chain.links);
    ap_input_close(f->in);
    free(f);
}

static ap_stream *open_link(const file *f, size_t i, ap_error *err)
{
    const ap_ogg_track *t = &f->chain.links[i];
    return t->codec == AP_OGG_VORBIS ? ap_ogg_vorbis(f->in, f->base, t, err)
           : t->codec == AP_OGG_OPUS ? ap_ogg_opus(f->in, f->base, t, err)
                                     : ap_ogg_flac(f->in, f->base, t, err);
}

static ap_stream *next_link(void *user, ap_error *err)
{
    file *f = user;
    return f->next < f->chain.count ? open_link(f, f->next++, err) : NULL;
}

/* The length of all links, once they have the format of the first. */
static uint64_t measure(const file *f, const ap_format *format)
{
    uint64_t sum = format->frames;
    for (size_t i = 1; i < f->chain.count && sum != AP_UNKNOWN; i++) {
        ap_stream *s = i < MAX_MEASURED ? ap_conform(open_link(f, i, NULL), format, NULL) : NULL;
        sum = s ? ap_frames_add(sum, s->format.frames) : AP_UNKNOWN;
        ap_close(&s);
    }
    return sum;
}

/* The format and the tags are those of the first link. */
static ap_stream *open_chain(file *f, ap_error *err)
{
    static const ap_join_ops ops = {next_link, file_close};
    ap_stream *first = open_link(f, 0, err);
    ap_tags *tags = first ? ap_tags_new() : NULL;
    if (first && (!tags || !ap_tags_fill(tags, first->tags))) {
        ap_fail_memory(err);
        ap_close(&first);
    }
    if (!first) {
        ap_tags_free(&tags);
        file_close(f);
        return NULL;
    }
    ap_format format = first->format;
    ap_details *details = first->details;
    first->details = NULL;
    ap_close(&first);
    format.frames = measure(f, &format);
    const ap_ogg_chain chain = f->chain;
    ap_input *in = f->in;
    ap_stream *s = ap_join(&format, &ops, f, err);
    s = ap_stream_describe(s, s ? ap_input_name(in) : NULL, tags, err);
    if (s && details) {
        strcpy(details->format, "ogg");
        s->details = details;
    } else {
        ap_details_free(details);
    }
    if (s && chain.skipped)
        ap_warn(s, "'%s' has parts without sound that can be decoded: they were left out", ap_stream_name(s));
    if (s && chain.damaged)
        ap_warn(s, "'%s' is damaged: some of it could not be decoded", ap_stream_name(s));
    return s;
}

ap_stream *ap_ogg_open(ap_input *in, unsigned track, bool *unsupported, bool *no_flag, ap_error *err)
{
    file *f = calloc(1, sizeof *f);
    *unsupported = false;
    if (!f)
        ap_fail_memory(err);
    if (!f || !ap_input_make_seekable(in, err)) {
        ap_input_close(in);
        free(f);
        return NULL;
    }
    f->in = in;
    f->base = ap_input_tell(in);
    if (!ap_ogg_scan(in, track, &f->chain, err)) {
        file_close(f);
        return NULL;
    }
    if (f->chain.count && f->chain.first_is_ours)
        return open_chain(f, err);
    *unsupported = true;
    *no_flag = f->chain.no_flag;
    free(f->chain.links);
    free(f);
    return NULL;
}
