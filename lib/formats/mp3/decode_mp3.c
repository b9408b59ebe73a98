/* SPDX-License-Identifier: GPL-3.0-or-later
 * decode_mp3.c - MPEG audio through libmpg123, which cuts the encoder's delay and padding off exactly where a
 * LAME tag tells them. libmpg123 always reads as from a pipe. What has a count of its frames goes through a
 * temporary file from a pipe, so that files and pipes give the same; what has none, as radio, does not. */
#include "formats/mp3/decode_mp3.h"
#include "base/error.h"
#include "formats/ape_tags.h"
#include "formats/file_type.h"
#include "formats/mp3/id3.h"
#include "formats/mp3/mpeg.h"
#include "stream/details.h"
#include "stream/join.h"

#include <mpg123.h>
#include <stdlib.h>
#include <string.h>

#define RING 8192                      /* last bytes read: more than an MPEG frame */
#define MANY 4                         /* so many MPEG frames of another format are no accident */
#define MAX_SAMPLES ((size_t)1152 * 2) /* of an MPEG frame */
#define MAX_ERRORS 100                 /* that libmpg123 may report in a row before the stream is given up */
#define MIN_FRAME 24                   /* bytes of the smallest MPEG frame: layer III, 8 kbit/s at 24 kHz */

typedef struct decoder {
    ap_input *in;
    ap_error io_error; /* of the callback; code AP_OK if there was none */
    mpg123_handle *mpg;
    ap_mpeg first; /* header */
    ap_mpeg_info info;
    bool suspect; /* bytes were skipped; this is damage if an MPEG frame follows */
    bool damaged, ended;
    unsigned foreign;   /* MPEG frames of another format in a row, + 1; 0 = it is ours */
    const float *audio; /* decoded frames that are not given yet */
    size_t have;
    bool switched;              /* the other format is no accident: it goes on with that */
    ap_stream *part;            /* what has another format than the start, converted */
    float *kept;                /* the first MPEG frames of it, room for MANY of them */
    size_t kept_count, kept_at; /* samples */
    uint64_t bytes;             /* read from the input */
    uint64_t left;              /* bytes that are ours, AP_UNKNOWN = all */
    uint64_t seen;              /* MPEG frames decoded */
    uint64_t least;             /* MPEG frames that must be there, where the length is not known */
    uint64_t next;              /* where the next MPEG frame should be, 0 = no matter */
    unsigned char ring[RING];
} decoder;

static ssize_t read_bytes(void *handle, void *to, size_t size)
{
    decoder *d = handle;
    size = size < d->left ? size : (size_t)d->left;
    ptrdiff_t n = size ? ap_input_read_some(d->in, to, size, &d->io_error) : 0;
    const unsigned char *p = to;
    d->left -= n > 0 && d->left != AP_UNKNOWN ? (uint64_t)n : 0;
    for (ptrdiff_t i = n > RING ? n - RING : 0; i < n; i++)
        d->ring[(d->bytes + (uint64_t)i) % RING] = p[i];
    d->bytes += n > 0 ? (uint64_t)n : 0;
    return n;
}

static off_t no_seek(void *handle, off_t offset, int whence)
{
    (void)handle, (void)offset, (void)whence;
    return -1;
}

static void mp3_close(void *state)
{
    decoder *d = state;
    ap_close(&d->part);
    free(d->kept);
    mpg123_delete(d->mpg);
    ap_input_close(d->in);
    free(d);
}

/* ---- damage */

static void warn_damaged(ap_stream *s, decoder *d)
{
    d->damaged = true;
    ap_warn(s, "'%s' is damaged: some of it could not be decoded", ap_stream_name(s));
}

/* Whether a tag stands at a place that was read not long ago. */
static bool is_tag(const decoder *d, uint64_t at)
{
    unsigned char id[8];
    if (d->bytes < at + sizeof id || d->bytes - at > RING)
        return false;
    for (uint64_t i = 0; i < sizeof id; i++)
        id[i] = d->ring[(at + i) % RING];
    return ap_is_tag(id, sizeof id);
}

/* Bytes were skipped if an MPEG frame does not begin where the one before ended. */
static void check_place(decoder *d)
{
    struct mpg123_frameinfo info;
    uint64_t at = (uint64_t)mpg123_framepos(d->mpg);
    if (d->next && at > d->next && !is_tag(d, d->next))
        d->suspect = true;
    d->next = mpg123_info(d->mpg, &info) == MPG123_OK ? at + (uint64_t)info.framesize : 0;
}

/* Whether the input ended in the middle of an MPEG frame. */
static bool ends_inside_frame(const decoder *d)
{
    unsigned char h[4];
    ap_mpeg m;
    if (d->next == 0 || d->bytes < d->next + 4 || d->bytes - d->next > RING)
        return d->next && d->bytes < d->next;
    for (uint64_t i = 0; i < 4; i++)
        h[i] = d->ring[(d->next + i) % RING];
    return ap_mpeg_parse(h, &m) && ap_mpeg_same(&m, &d->first) && d->bytes - d->next < m.size;
}

/* Whether that many bytes could have held the length that the file declares. */
static bool could_hold(const decoder *d, uint64_t frames)
{
    return frames / d->first.samples <= d->bytes / MIN_FRAME;
}

/* The end of the input. Frames that are missing, although the byte count or the damage shows that nothing was
 * cut off, become silence: a player would play this file. */
static ptrdiff_t finish(ap_stream *s, decoder *d, float *frames, size_t max, ap_error *err)
{
    bool cut = ends_inside_frame(d);
    if ((d->left && d->left != AP_UNKNOWN) || d->seen < d->least) {
        ap_fail(err, AP_FAILED, "'%s' is truncated: it has %llu MPEG frames and should have more",
                ap_stream_name(s), (unsigned long long)d->seen);
        return -1;
    }
    bool whole = d->info.bytes && d->bytes >= d->info.bytes;
    if (s->format.frames == AP_UNKNOWN) {
        if (cut)
            ap_warn(s, "'%s' ends inside an MPEG frame", ap_stream_name(s));
        return 0;
    }
    if ((!whole && (cut || !d->damaged)) || !could_hold(d, s->format.frames))
        return 0; /* ap_read says that it is truncated */
    warn_damaged(s, d);
    memset(frames, 0, max * s->format.channels * sizeof *frames);
    return (ptrdiff_t)max;
}

/* ---- the stream */

static bool is_same_format(const ap_stream *s, mpg123_handle *mpg)
{
    long rate;
    int channels, encoding;
    return mpg123_getformat(mpg, &rate, &channels, &encoding) == MPG123_OK &&
           (uint32_t)rate == s->format.rate && (uint32_t)channels == s->format.channels &&
           encoding == MPG123_ENC_FLOAT_32;
}

/* Keeps MPEG frames of another format until it is known whether they are an accident. */
static void keep(decoder *d, const unsigned char *audio, size_t size)
{
    size_t count = size / sizeof(float), room = MANY * MAX_SAMPLES - d->kept_count;
    if (!d->kept)
        d->kept = malloc(MANY * MAX_SAMPLES * sizeof *d->kept);
    if (!d->kept)
        return;
    count = count < room ? count : room;
    memcpy(d->kept + d->kept_count, audio, count * sizeof *d->kept);
    d->kept_count += count;
}

static void take_audio(ap_stream *s, decoder *d, const unsigned char *audio, size_t size)
{
    check_place(d);
    d->seen++;
    if (d->foreign) {
        keep(d, audio, size);
        d->switched = d->kept && d->foreign++ == MANY;
        d->suspect = !d->switched;
        return;
    }
    if (d->suspect)
        warn_damaged(s, d);
    d->suspect = false;
    d->audio = (const float *)(const void *)audio;
    d->have = size / (s->format.channels * sizeof(float));
}

/* Decodes until there is audio. false at the end, and when the format has changed for good. A few MPEG frames
 * of another format are left out: in damaged data they are mistakes. */
static bool decode(ap_stream *s, decoder *d)
{
    for (int errors = 0; d->have == 0 && !d->switched && errors < MAX_ERRORS;) {
        off_t index;
        unsigned char *audio = NULL;
        size_t size = 0;
        int result = mpg123_decode_frame(d->mpg, &index, &audio, &size);
        if (result == MPG123_OK)
            take_audio(s, d, audio, size);
        else if (result == MPG123_NEW_FORMAT) {
            d->foreign = is_same_format(s, d->mpg) ? 0 : 1;
            d->kept_count = d->kept_at = 0;
        } else if (result != MPG123_ERR || d->io_error.code != AP_OK)
            return false;
        else
            d->suspect = ++errors;
    }
    return d->have > 0;
}

/* At the declared end: is there more? */
static void check_rest(ap_stream *s, decoder *d)
{
    d->have = 0;
    if (!d->damaged && (decode(s, d) || d->switched))
        ap_warn_left_out(s);
    d->have = 0;
}

/* ---- parts of another format */

static ptrdiff_t part_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    (void)err;
    decoder *d = s->state;
    uint32_t channels = s->format.channels;
    size_t kept = (d->kept_count - d->kept_at) / channels, n;
    if (kept) {
        n = kept < max ? kept : max;
        memcpy(frames, d->kept + d->kept_at, n * channels * sizeof *frames);
        d->kept_at += n * channels;
        return (ptrdiff_t)n;
    }
    if (d->have == 0 && !decode(s, d))
        return 0;
    n = d->have < max ? d->have : max;
    memcpy(frames, d->audio, n * channels * sizeof *frames);
    d->audio += n * channels;
    d->have -= n;
    return (ptrdiff_t)n;
}

static ap_stream *open_part(ap_stream *s, decoder *d, ap_error *err)
{
    static const ap_stream_ops ops = {.read = part_read};
    long rate = 0;
    int channels = 0, encoding;
    mpg123_getformat(d->mpg, &rate, &channels, &encoding);
    ap_format format = {(uint32_t)rate, (uint32_t)channels, 0, AP_UNKNOWN};
    ap_warn(s, "'%s' changes to %ld Hz and %d channels at %.3f s: it is converted from there on",
            ap_stream_name(s), rate, channels, (double)s->position / s->format.rate);
    d->switched = false;
    d->foreign = 0;
    return ap_conform(ap_stream_new(&ops, d, &format, ap_stream_name(s), NULL, err), &s->format, err);
}

/* 0: there is no part of another format, or no further one. */
static ptrdiff_t read_parts(ap_stream *s, decoder *d, float *frames, size_t max, ap_error *err)
{
    while (d->part || d->switched) {
        if (!d->part && !(d->part = open_part(s, d, err)))
            return -1;
        ptrdiff_t n = ap_read(d->part, frames, max, err);
        if (n != 0)
            return n;
        ap_close(&d->part);
    }
    return 0;
}

static ptrdiff_t mp3_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    decoder *d = s->state;
    d->ended = d->ended || (d->have == 0 && !d->part && !decode(s, d));
    ptrdiff_t other = d->ended && d->io_error.code == AP_OK ? read_parts(s, d, frames, max, err) : 0;
    if (other != 0)
        return other;
    if (d->io_error.code != AP_OK) {
        *err = d->io_error;
        return -1;
    }
    if (d->ended)
        return finish(s, d, frames, max, err);
    size_t n = d->have < max ? d->have : max;
    memcpy(frames, d->audio, n * s->format.channels * sizeof *frames);
    d->audio += n * s->format.channels;
    d->have -= n;
    if (s->position + n == s->format.frames)
        check_rest(s, d);
    return (ptrdiff_t)n;
}

/* ---- opening */

/* Whether a file has further MPEG frames after those that its tag tells of: files were joined. */
static bool has_more(ap_input *in, const ap_mpeg_info *info)
{
    uint64_t start = ap_input_tell(in);
    const unsigned char *p;
    bool more = false;
    if (!ap_input_seekable(in) || info->bytes == 0 || ap_input_left(in) <= info->bytes)
        return false;
    uint64_t at = start + info->bytes, tag = 0;
    for (int i = 0; i <= AP_TAGS_MAX && (i == 0 || tag) && ap_input_seek(in, at += tag, NULL); i++) {
        ptrdiff_t n = ap_input_peek(in, &p, 16384, NULL);
        tag = n > 0 ? ap_tag_size(p, (size_t)n) : 0;
        more = n > 0 && !tag && !ap_is_tag(p, (size_t)n) && ap_mp3_find(p, (size_t)n, false) != SIZE_MAX;
    }
    return !ap_input_seek(in, start, NULL) || more;
}

/* Tags at the end. APEv2 goes before ID3v1, which has less room, key by key. */
static void read_tags_behind(ap_input *in, ap_tags *tags)
{
    uint64_t start = ap_input_tell(in), left = ap_input_left(in);
    unsigned char v1[128];
    ap_tags *short_ones = ap_tags_new();
    if (!ap_input_seekable(in) || left < sizeof v1 || !short_ones) {
        ap_tags_free(&short_ones);
        return;
    }
    ap_ape_tags(in, start, tags);
    if (ap_input_seek(in, start + left - sizeof v1, NULL) &&
        ap_input_read(in, v1, sizeof v1, NULL) == sizeof v1 && ap_id3v1_parse(v1, short_ones))
        (void)ap_tags_fill(tags, short_ones); /* what does not fit is no reason to stop */
    ap_tags_free(&short_ones);
    (void)ap_input_seek(in, start, NULL); /* a failure shows in the next read */
}

static bool start_mpg123(decoder *d, ap_error *err)
{
    const long flags = MPG123_QUIET | MPG123_FORCE_FLOAT | MPG123_GAPLESS | MPG123_SEEKBUFFER |
                       MPG123_SKIP_ID3V2 | MPG123_NO_PEEK_END;
    d->mpg = mpg123_new(NULL, NULL);
    if (!d->mpg)
        return ap_fail_memory(err);
    if (mpg123_param(d->mpg, MPG123_ADD_FLAGS, flags, 0) != MPG123_OK ||
        mpg123_param(d->mpg, MPG123_REMOVE_FLAGS, MPG123_AUTO_RESAMPLE, 0) != MPG123_OK ||
        mpg123_param(d->mpg, MPG123_RESYNC_LIMIT, -1, 0) != MPG123_OK ||
        mpg123_replace_reader_handle(d->mpg, read_bytes, no_seek, NULL) != MPG123_OK ||
        mpg123_open_handle(d->mpg, d) != MPG123_OK)
        return ap_fail(err, AP_FAILED, "cannot start libmpg123: %s", mpg123_strerror(d->mpg));
    return true;
}

/* Whole MPEG frames that follow each other from here on in a file. */
static uint64_t count_frames(ap_input *in, const ap_mpeg *first)
{
    unsigned char h[4];
    ap_mpeg m;
    uint64_t start = ap_input_tell(in), at = start, count = 0, size = ap_input_size(in);
    while (ap_input_seek(in, at, NULL) && ap_input_read(in, h, 4, NULL) == 4 && ap_mpeg_parse(h, &m) &&
           ap_mpeg_same(first, &m) && m.size && m.size <= size - at) {
        at += m.size;
        count++;
    }
    (void)ap_input_seek(in, start, NULL); /* a failure shows in the next read */
    return count;
}

/* How many frames follow the MPEG frame with the tag, at which the input stands; 0 if that cannot be told:
 * then d->least of them must be there. Some encoders count the frame with the tag, too. */
static uint64_t true_count(decoder *d)
{
    uint64_t told = d->info.frames, start = ap_input_tell(d->in);
    if (told < 2 || d->info.lame)
        return told;
    if (!ap_input_seekable(d->in)) {
        d->least = d->info.vbri ? 0 : told - 1;
        return d->info.vbri ? told : 0;
    }
    if (!ap_input_seek(d->in, start + d->first.size, NULL))
        return told;
    uint64_t there = count_frames(d->in, &d->first);
    (void)ap_input_seek(d->in, start, NULL); /* a failure shows in the next read */
    return there + 1 == told ? there : told;
}

/* Finds the format, by decoding the first header. */
static bool read_format(decoder *d, uint64_t count, ap_format *format, ap_error *err)
{
    const char *name = ap_input_name(d->in);
    long rate;
    int channels, encoding;
    if (mpg123_getformat(d->mpg, &rate, &channels, &encoding) != MPG123_OK ||
        encoding != MPG123_ENC_FLOAT_32) {
        if (d->io_error.code != AP_OK && err)
            *err = d->io_error;
        else if (d->io_error.code == AP_OK)
            ap_fail(err, AP_FAILED, "'%s' is truncated: it has no whole MPEG frame", name);
        return false;
    }
    *format = (ap_format){(uint32_t)rate, (uint32_t)channels, 0, AP_UNKNOWN};
    off_t length = count && !d->info.vbri ? mpg123_length(d->mpg) : -1;
    uint64_t vain = (d->info.frames - count) * d->first.samples; /* the frame that counted itself */
    if (length >= 0 && (uint64_t)length >= vain)
        format->frames = (uint64_t)length - vain;
    if (d->info.vbri && count)
        format->frames = count * d->first.samples;
    return ap_check_format(name, format, err);
}

/* Looks at the first MPEG frame and skips it if it is Fraunhofer's tag, which libmpg123 takes for sound.
 * count gets how many follow it, 0 = it is not known. */
static bool read_info(decoder *d, uint64_t *count, ap_error *err)
{
    const unsigned char *p;
    ptrdiff_t n = ap_input_peek(d->in, &p, 4096, err);
    if (n < 0)
        return false;
    if (n < 4 || !ap_mpeg_parse(p, &d->first))
        return ap_fail(err, AP_FAILED, "'%s' is not MPEG audio", ap_input_name(d->in));
    (void)ap_mpeg_info_parse(p, (size_t)n, &d->info); /* all zero if there is none */
    /* A count tells of the first of joined files only: whether others follow is to be seen. */
    if (d->left == AP_UNKNOWN && d->info.frames && !ap_input_make_seekable(d->in, err))
        return false;
    *count = has_more(d->in, &d->info) ? 0 : true_count(d);
    if (!d->info.vbri)
        return true;
    d->left -= d->left == AP_UNKNOWN ? 0 : d->left < d->first.size ? d->left : d->first.size;
    return ap_input_skip(d->in, d->first.size, err);
}

static void note(ap_stream *s, const decoder *d)
{
    static const char *const layers[] = {"", "mp3", "mp2", "mp1"}; /* by the bits of the header */
    ap_details *details = ap_stream_note(s, "mp3", layers[d->first.header >> 17 & 3], 0);
    bool told = d->info.lame && d->info.delay >= 0;
    if (details && told) {
        details->delay = (uint64_t)d->info.delay;
        details->padding = (uint64_t)d->info.padding;
    }
}

ap_stream *ap_mp3_open_part(ap_input *in, uint64_t size, ap_error *err)
{
    static const ap_stream_ops ops = {mp3_read, mp3_close};
    decoder *d = calloc(1, sizeof *d);
    ap_tags *tags = ap_tags_new();
    uint64_t count = 0;
    ap_format format;
    if (d)
        *d = (decoder){.in = in, .left = size};
    if (!d || !tags) {
        ap_fail_memory(err);
        goto fail;
    }
    if (!read_info(d, &count, err))
        goto fail;
    if (size == AP_UNKNOWN)
        read_tags_behind(in, tags);
    if (!start_mpg123(d, err) || !read_format(d, count, &format, err))
        goto fail;
    ap_stream *s = ap_stream_new(&ops, d, &format, ap_input_name(in), tags, err);
    if (s)
        note(s, d);
    return s;
fail:
    ap_tags_free(&tags);
    if (d)
        mp3_close(d);
    else
        ap_input_close(in);
    return NULL;
}

ap_stream *ap_mp3_open(ap_input *in, ap_error *err)
{
    return ap_mp3_open_part(in, AP_UNKNOWN, err);
}
