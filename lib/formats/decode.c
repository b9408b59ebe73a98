/* SPDX-License-Identifier: GPL-3.0-or-later
 * decode.c - any audio file: finds out by its content who reads it, never by its name. */
#include "base/bytes.h"
#include "base/error.h"
#include "base/input.h"
#include "formats/apstream.h"
#include "formats/av.h"
#include "formats/chunks.h"
#include "formats/decode_flac.h"
#include "formats/decode_sndfile.h"
#include "formats/file_type.h"
#include "formats/mp3/decode_mp3.h"
#include "formats/mp3/id3.h"
#include "formats/mp3/mpeg.h"
#include "formats/ogg/decode_ogg.h"
#include "formats/raw.h"
#include "formats/riff.h"
#include "stream/stream.h"

#include <stdlib.h>
#include <string.h>

#define PEEK 4096
#define DEEP_PEEK 65536 /* MP3 may begin after junk */
#define MAX_SECONDS 1e9

void ap_decode_defaults(ap_decode_options *options)
{
    *options = (ap_decode_options){.duration_s = -1};
}

static bool check_options(const ap_decode_options *o, ap_error *err)
{
    return (o->rate == 0 || ap_check_range("sample rate", o->rate, AP_MIN_RATE, AP_MAX_RATE, err)) &&
           ap_check_range("channels", o->channels, 0, 8, err) &&
           ap_check_range("start", o->start_s, 0, MAX_SECONDS, err) &&
           (o->duration_s < 0 || ap_check_range("duration", o->duration_s, 0, MAX_SECONDS, err));
}

/* ---- the libav plugin */

static ap_stream *open_with_av(ap_input *in, const ap_decode_options *o, ap_error *err)
{
    ap_error why = {0};
    const ap_av_plugin *av = ap_av_load(&why);
    if (!av) {
        ap_fail(err, AP_FAILED, "cannot read '%s' without libav: %s", ap_input_name(in), why.message);
        ap_input_close(in);
        return NULL;
    }
    return av->open(in, o, err);
}

/* ---- finding the format */

/* Skips ID3v2 tags at the start of the input into tags. */
static bool take_id3(ap_input *in, ap_tags *tags, ap_error *err)
{
    const unsigned char *p;
    for (int i = 0; i < 8; i++) {
        ptrdiff_t n = ap_input_peek(in, &p, 10, err);
        size_t size = n < 0 ? 0 : ap_id3_size(p, (size_t)n);
        if (size == 0)
            return n >= 0;
        if (size > AP_ID3_MAX) {
            if (!ap_input_skip(in, size, err))
                return false;
            continue;
        }
        unsigned char *bytes = ap_input_load(in, size, err);
        if (!bytes)
            return false;
        (void)ap_id3_parse(bytes, size, tags); /* a malformed tag is no reason not to play */
        free(bytes);
    }
    return true;
}

/* Skips the junk before an MP3. false if this is no MP3, or on error. Looks at a few bytes first: the
 * producer of a live stream may take its time. */
static bool find_mp3(ap_input *in, bool container)
{
    const unsigned char *p;
    size_t junk = SIZE_MAX;
    for (size_t size = PEEK; junk == SIZE_MAX && size <= (container ? PEEK : DEEP_PEEK); size *= 16) {
        ptrdiff_t n = ap_input_peek(in, &p, size, NULL);
        if (n <= 0)
            return false;
        junk = ap_mp3_find(p, (size_t)n, (size_t)n < size);
    }
    return junk != SIZE_MAX && (junk == 0 || !container) && ap_input_skip(in, junk, NULL);
}

/* AU with linear PCM (encodings 2 to 7), or too short to tell. */
static bool is_linear_au(const unsigned char *p, size_t size)
{
    bool big;
    if (!ap_is_au(p, size, &big))
        return false;
    uint64_t encoding = size < 16 ? 2 : big ? ap_get_big(p + 12, 4) : ap_get_little(p + 12, 4);
    return encoding >= 2 && encoding <= 7;
}

/* WAV, RF64 or Wave64 with linear PCM; in the first bytes, if they can tell. */
static bool is_pcm_riff(ap_input *in, const unsigned char *p)
{
    bool riff = memcmp(p, "RI", 2) == 0 || memcmp(p, "RF", 2) == 0 || memcmp(p, "ri", 2) == 0;
    for (size_t size = PEEK; riff && size <= DEEP_PEEK; size *= 16) {
        ptrdiff_t n = ap_input_peek(in, &p, size, NULL);
        if (n > 0 && ap_riff_is_pcm(p, (size_t)n))
            return true;
    }
    return false;
}

/* For what holds one track only. */
static ap_stream *check_track(ap_stream *s, unsigned track, ap_error *err)
{
    if (s && track > 1) {
        ap_fail(err, AP_FAILED, "'%s' has no audio track %u: it has one", ap_stream_name(s), track);
        ap_close(&s);
    }
    return s;
}

static ap_stream *open_with_sndfile(ap_input *in, const ap_decode_options *o, ap_error *err)
{
    bool unsupported;
    ap_error why = {0}, av_why = {0};
    ap_stream *s = check_track(ap_sndfile_open(in, &unsupported, &why), o->track, &why);
    if (!s && unsupported)
        s = open_with_av(in, o, &av_why);
    if (!s && err)
        *err = why.code != AP_OK ? why : av_why;
    return s;
}

static ap_stream *open_ogg(ap_input *in, const ap_decode_options *o, ap_error *err)
{
    bool unsupported, no_flag = false;
    ap_stream *s = ap_ogg_open(in, o->track, &unsupported, &no_flag, err);
    if (unsupported && (s = open_with_av(in, o, err)) && no_flag)
        ap_warn_no_end(s);
    return s;
}

static ap_stream *open_au(ap_input *in, ap_error *err)
{
    ap_chunks found;
    if (!ap_input_seekable(in) || ap_chunks_check(in, &found, NULL, err))
        return ap_apstream_open(in, err);
    ap_input_close(in);
    return NULL;
}

/* Chooses the decoder. Takes in over. */
static ap_stream *open_input(ap_input *in, const ap_decode_options *o, ap_error *err)
{
    const unsigned char *p;
    ptrdiff_t n = ap_input_peek(in, &p, PEEK, err);
    if (n <= 0) {
        if (n == 0)
            ap_fail(err, AP_FAILED, "'%s' is empty", ap_input_name(in));
        ap_input_close(in);
        return NULL;
    }
    bool flac = ap_is_flac(p, (size_t)n), ogg = ap_is_ogg(p, (size_t)n);
    bool sndfile = ap_is_sndfile(p, (size_t)n), container = ap_is_container(p, (size_t)n);
    if (is_linear_au(p, (size_t)n))
        return check_track(open_au(in, err), o->track, err);
    if (n > 12 && is_pcm_riff(in, p))
        return check_track(ap_riff_open(in, err), o->track, err);
    if (flac)
        return check_track(ap_flac_open(in, err), o->track, err);
    if (ogg)
        return open_ogg(in, o, err);
    if (sndfile)
        return open_with_sndfile(in, o, err);
    if (find_mp3(in, container))
        return check_track(ap_mp3_open(in, err), o->track, err);
    return open_with_av(in, o, err);
}

static ap_stream *open_stream(ap_input *in, const ap_decode_options *o, ap_error *err)
{
    if (o->raw)
        return check_track(ap_raw_open(in, o->raw, err), o->track, err);
    ap_tags *tags = ap_tags_new();
    if (!tags || !take_id3(in, tags, err)) {
        if (!tags)
            ap_fail_memory(err);
        ap_tags_free(&tags);
        ap_input_close(in);
        return NULL;
    }
    ap_stream *s = open_input(in, o, err);
    if (s && (!s->tags || !ap_tags_fill(tags, s->tags) || !ap_apstream_drop_notes(&tags))) {
        ap_fail_memory(err);
        ap_close(&s);
    }
    if (s) {
        ap_tags_free(&s->tags);
        s->tags = tags;
        tags = NULL;
    }
    ap_tags_free(&tags);
    return s;
}

/* ---- the stage */

static uint64_t to_frames(double seconds, uint32_t rate)
{
    return (uint64_t)(seconds * rate + 0.5);
}

/* What the user says of the channels overrides the file. */
static ap_stream *set_layout(ap_stream *s, uint32_t mask, ap_error *err)
{
    uint32_t channels = s && mask ? s->format.channels : 0;
    bool fits = mask == AP_DISCRETE || (uint32_t)__builtin_popcount(mask) == channels;
    if (channels && fits)
        s->format.mask = mask == AP_DISCRETE && channels < 3 ? ap_default_mask(channels) : mask;
    else if (channels) {
        ap_fail(err, AP_USAGE, "'%s' has %u channels, the layout has %d", ap_stream_name(s), channels,
                __builtin_popcount(mask));
        ap_close(&s);
    }
    return s;
}

static ap_stream *apply_options(ap_stream *s, const ap_decode_options *o, ap_error *err)
{
    s = set_layout(s, o->mask, err);
    if (s && (o->start_s > 0 || o->duration_s >= 0))
        s = ap_trim(s, to_frames(o->start_s, s->format.rate),
                    o->duration_s < 0 ? AP_UNKNOWN : to_frames(o->duration_s, s->format.rate), err);
    bool fewer = s && o->channels && o->channels < s->format.channels; /* then there is less to resample */
    if (fewer)
        s = ap_remix(s, o->channels, err);
    if (s && o->rate && o->rate != s->format.rate)
        s = ap_resample(s, o->rate, err);
    if (s && o->channels && o->channels != s->format.channels)
        s = ap_remix(s, o->channels, err);
    return s;
}

static ap_stream *decode(ap_input *in, const ap_decode_options *options, ap_error *err)
{
    ap_decode_options defaults;
    ap_decode_defaults(&defaults);
    const ap_decode_options *o = options ? options : &defaults;
    if (!in)
        return NULL;
    if (!check_options(o, err)) {
        ap_input_close(in);
        return NULL;
    }
    return apply_options(open_stream(in, o, err), o, err);
}

ap_stream *ap_decode(const char *path, const ap_decode_options *options, ap_error *err)
{
    return decode(ap_input_open(path, err), options, err);
}

ap_stream *ap_decode_fd(int fd, const char *name, const ap_decode_options *options, ap_error *err)
{
    return decode(ap_input_new(fd, false, name, err), options, err);
}
