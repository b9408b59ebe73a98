/* SPDX-License-Identifier: GPL-3.0-or-later
 * encode.c - streams to files: the formats, what they can hold, and the path that all share. */
#include "base/error.h"
#include "base/memory.h"
#include "base/output.h"
#include "base/path.h"
#include "dsp/hot.h"
#include "formats/encoders.h"
#include "formats/ogg_write.h"
#include "formats/raw.h"
#include "stream/gain_tags.h"
#include "stream/replay.h"
#include "stream/stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- the formats */

enum { BITS_16 = 1, BITS_24 = 2, BITS_32 = 4, BITS_FLOAT = 8, ALL_BITS = 15 };

typedef struct encoder {
    const char *name;
    const char *extensions; /* other extensions, each with a space after it; NULL: none */
    ap_encode_fn *encode;
    bool seekable;              /* a header is completed at the end */
    unsigned bits;              /* what the user may choose */
    ap_bits default_bits;       /* AP_BITS_DEFAULT: the format has no such thing */
    bool bitrate, vbr, effort;  /* which options it has */
    uint32_t channels;          /* at most */
    uint32_t (*rate)(uint32_t); /* the sample rate that it has instead of one that it lacks; NULL: all */
    bool by_number;             /* the number of channels says which speakers they are for, as in Vorbis */
    bool discrete;              /* all the same it can have channels without positions */
    ap_gain_tags gain_tags;     /* how it says what players should do to the loudness */
} encoder;

static uint32_t opus_rate(uint32_t rate)
{
    (void)rate;
    return 48000;
}

/* libvorbisenc has no set-up beyond 200 kHz (setup_XX.h). */
static uint32_t ogg_rate(uint32_t rate)
{
    return rate > 200000 ? 192000 : rate;
}

/* libFLAC's MAX_SAMPLE_RATE is 1048575 Hz, AIFF, AU and WAV hold any. */
static const encoder encoders[] = {
    {.name = "mp3",
     .encode = ap_encode_mp3,
     .seekable = true,
     .bitrate = true,
     .vbr = true,
     .effort = true,
     .channels = 2,
     .rate = ap_mp3_rate,
     .by_number = true,
     .gain_tags = AP_GAIN_REPLAYGAIN},
    {.name = "flac",
     .encode = ap_encode_flac,
     .seekable = true,
     .bits = BITS_16 | BITS_24,
     .default_bits = AP_BITS_24,
     .effort = true,
     .channels = 8,
     .gain_tags = AP_GAIN_REPLAYGAIN},
    {.name = "wav",
     .extensions = "wave ",
     .encode = ap_encode_wav,
     .bits = ALL_BITS,
     .default_bits = AP_BITS_16,
     .channels = AP_MAX_CHANNELS,
     .gain_tags = AP_GAIN_REPLAYGAIN},
    {.name = "aiff",
     .extensions = "aif aifc ",
     .encode = ap_encode_aiff,
     .seekable = true,
     .bits = ALL_BITS,
     .default_bits = AP_BITS_16,
     .channels = AP_MAX_CHANNELS,
     .gain_tags = AP_GAIN_REPLAYGAIN},
    {.name = "ogg",
     .extensions = "oga ",
     .encode = ap_encode_ogg,
     .bitrate = true,
     .vbr = true,
     .channels = AP_MAX_CHANNELS,
     .rate = ogg_rate,
     .by_number = true,
     .gain_tags = AP_GAIN_REPLAYGAIN},
    {.name = "opus",
     .encode = ap_encode_opus,
     .bitrate = true,
     .channels = 8,
     .rate = opus_rate,
     .by_number = true,
     .discrete = true,
     .gain_tags = AP_GAIN_R128},
    {.name = "m4a",
     .extensions = "m4b ",
     .encode = ap_encode_m4a,
     .bitrate = true,
     .channels = 8,
     .rate = ap_aac_rate,
     .gain_tags = AP_GAIN_REPLAYGAIN},
    {.name = "alac",
     .encode = ap_encode_alac,
     .bits = BITS_16 | BITS_24,
     .default_bits = AP_BITS_24,
     .channels = 8,
     .gain_tags = AP_GAIN_REPLAYGAIN},
    {.name = "au",
     .extensions = "snd ",
     .encode = ap_encode_au,
     .bits = ALL_BITS,
     .default_bits = AP_BITS_FLOAT,
     .channels = AP_MAX_CHANNELS},
    {.name = "raw",
     .extensions = "pcm ",
     .encode = ap_encode_raw,
     .bits = ALL_BITS,
     .default_bits = AP_BITS_16,
     .channels = AP_MAX_CHANNELS},
};

static const size_t encoder_count = sizeof encoders / sizeof *encoders;

/* Raw sound whose name says what its samples are: nothing is left to choose. */
static const encoder raw_integers = {
    .name = "raw PCM", .encode = ap_encode_raw, .default_bits = AP_BITS_16, .channels = AP_MAX_CHANNELS};
static const encoder raw_floats = {
    .name = "raw PCM", .encode = ap_encode_raw, .default_bits = AP_BITS_FLOAT, .channels = AP_MAX_CHANNELS};

static bool in_list(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; p && *p; p = strchr(p, ' ') + 1)
        if (strncasecmp(p, word, n) == 0 && p[n] == ' ')
            return true;
    return false;
}

static const encoder *find_name(const char *name)
{
    for (size_t i = 0; i < encoder_count; i++)
        if (strcasecmp(encoders[i].name, name) == 0 || in_list(encoders[i].extensions, name))
            return &encoders[i];
    ap_pcm type;
    bool big_endian;
    if (!ap_raw_type(name, &type, &big_endian))
        return NULL;
    return type >= AP_PCM_F32 ? &raw_floats : &raw_integers;
}

static const encoder *find_encoder(const char *format, const char *path, ap_error *err)
{
    const encoder *e = find_name(format ? format : ap_extension(path));
    if (e)
        return e;
    char known[128] = "";
    for (size_t i = 0; i < encoder_count; i++)
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? " " : "", encoders[i].name);
    ap_fail_format(format, path, known, err);
    return NULL;
}

/* ---- options */

void ap_encode_defaults(ap_encode_options *options)
{
    *options = (ap_encode_options){.vbr_quality = -1, .effort = -1};
}

static unsigned bit_of(ap_bits bits)
{
    return bits == AP_BITS_16      ? BITS_16
           : bits == AP_BITS_24    ? BITS_24
           : bits == AP_BITS_32    ? BITS_32
           : bits == AP_BITS_FLOAT ? BITS_FLOAT
                                   : 0;
}

static bool check_bits(const encoder *e, ap_bits bits, ap_error *err)
{
    if (bits == AP_BITS_DEFAULT || (bit_of(bits) & e->bits))
        return true;
    if (bits == AP_BITS_FLOAT)
        return ap_fail(err, AP_USAGE, "%s cannot hold floats", e->name);
    return ap_fail(err, AP_USAGE, "%s cannot hold %d bits", e->name, (int)bits);
}

static bool check_dither(const encoder *e, const ap_encode_options *o, ap_error *err)
{
    if (o->dither != AP_DITHER_ON || o->bits > AP_BITS_FLOAT ||
        (o->bits == AP_BITS_DEFAULT && e->default_bits > AP_BITS_FLOAT))
        return true;
    return ap_fail(err, AP_USAGE, "dither is for integers, this %s has none", e->name);
}

static bool check_options(const encoder *e, const ap_encode_options *o, ap_error *err)
{
    if (!check_bits(e, o->bits, err) || !check_dither(e, o, err))
        return false;
    if (o->bitrate_kbps != 0 && !e->bitrate)
        return ap_fail(err, AP_USAGE, "%s has no bitrate to choose", e->name);
    if (o->bitrate_kbps != 0 && !ap_check_range("bitrate", o->bitrate_kbps, 1, 4096, err))
        return false;
    if (o->vbr_quality >= 0 && !e->vbr)
        return ap_fail(err, AP_USAGE, "%s has no VBR quality to choose", e->name);
    if (!(o->vbr_quality < 0) && !ap_check_range("VBR quality", o->vbr_quality, 0, 9.999, err))
        return false;
    if (o->vbr_quality >= 0 && o->bitrate_kbps != 0)
        return ap_fail(err, AP_USAGE, "bitrate and VBR quality exclude each other");
    if (o->effort >= 0 && !e->effort)
        return ap_fail(err, AP_USAGE, "%s has no effort to choose", e->name);
    return true;
}

static bool check_channels(const encoder *e, uint32_t channels, ap_error *err)
{
    if (channels <= e->channels)
        return true;
    return ap_fail(err, AP_USAGE, "%s cannot hold %u channels: mix it down with ap-decode -c %u", e->name,
                   channels, e->channels < 8 ? e->channels : 8);
}

/* The usual layout that has the most of these speakers, or else the most that there is room for. */
static uint32_t next_layout(const encoder *e, uint32_t mask)
{
    for (uint32_t n = 1; n <= 8 && n <= e->channels; n++)
        if ((mask & ~ap_default_mask(n)) == 0)
            return n;
    return e->channels < 6 ? e->channels : 6;
}

static bool check_layout(const encoder *e, const ap_format *f, ap_error *err)
{
    unsigned char order[8];
    bool places = ap_has_places(f);
    if (!e->by_number || f->channels > 8 || ap_vorbis_order(f, order) || (!places && e->discrete))
        return true;
    if (!places)
        return ap_fail(
            err, AP_USAGE,
            "%s cannot hold %u channels without positions: say what they are with ap-decode --layout",
            e->name, f->channels);
    char name[64];
    return ap_fail(err, AP_USAGE, "%s has no layout for the speakers %s: mix them with ap-decode -c %u",
                   e->name, ap_layout_name(f->mask, name, sizeof name), next_layout(e, f->mask));
}

/* ---- what passes on its way to the encoder */

/* The stage below the encoder: no NaN, nothing beyond full scale, and the figures of the report. */
typedef struct meter {
    bool clamp;
    ap_encode_report report;
} meter;

/* The largest |x|. Floats that are not negative are ordered as the integers of their bits, whose maximum the
 * compiler can take side by side. */
AP_HOT static float largest(const float *x, size_t count)
{
    int32_t most = 0;
    float result;
    for (size_t i = 0; i < count; i++) {
        int32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bits &= INT32_MAX;
        most = bits > most ? bits : most;
    }
    memcpy(&result, &most, sizeof result);
    return result;
}

static ptrdiff_t meter_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    meter *m = s->state;
    ptrdiff_t n = ap_read(s->source, frames, max, err);
    size_t count = n > 0 ? (size_t)n * s->format.channels : 0, clipped = 0;
    ap_sanitize(frames, count);
    float peak = largest(frames, count);
    for (size_t i = 0; peak > 1 && i < count; i++)
        clipped += fabsf(frames[i]) > 1;
    for (size_t i = 0; m->clamp && clipped && i < count; i++)
        frames[i] = fminf(fmaxf(frames[i], -1), 1);
    if (peak > m->report.peak)
        m->report.peak = peak;
    m->report.clipped += m->clamp ? clipped : 0;
    m->report.frames += n > 0 ? (uint64_t)n : 0;
    return n;
}

/* Leaves out the gains of old, which was louder; others were given for what it is now. */
static bool drop_stale_gain(ap_tags **tags, const ap_tags *old)
{
    ap_tags *fresh = ap_tags_new();
    const char *key, *value, *stale;
    bool ok = fresh && ap_tags_merge(fresh, *tags);
    if (ok)
        ap_tags_drop_gain(fresh);
    for (size_t i = 0; ok && ap_tags_at(*tags, i, &key, &value); i++)
        if (!ap_tags_get(fresh, key) && (!(stale = ap_tags_get(old, key)) || strcmp(stale, value) != 0))
            ok = ap_tags_add(fresh, key, value);
    ap_tags_free(tags);
    *tags = fresh;
    return ok;
}

/* The tags of the file. from: those of the stream; quieter: it was turned down since. */
static ap_tags *merge_tags(const ap_tags *from, const encoder *e, const ap_encode_options *options,
                           bool quieter, ap_error *err)
{
    ap_tags *tags = ap_tags_new();
    bool ok = tags && (!options->tags || ap_tags_merge(tags, options->tags)) &&
              (options->replace_tags || ap_tags_fill(tags, from)) &&
              (!quieter || drop_stale_gain(&tags, from)) && ap_gain_tags_convert(tags, e->gain_tags);
    if (ok) {
        ap_tags_drop_undo(tags);
        return tags;
    }
    ap_tags_free(&tags);
    ap_fail_memory(err);
    return NULL;
}

/* Wraps s in the meter. Its tags are those that the file gets. */
static ap_stream *meter_stream(ap_stream *s, bool clamp, ap_tags *tags, ap_error *err)
{
    static const ap_stream_ops ops = {.read = meter_read, .close = free};
    meter *m = s && tags ? ap_allocate(1, sizeof *m, err) : NULL;
    if (m)
        m->clamp = clamp;
    s = ap_stream_wrap(s, &ops, m, NULL, err);
    return ap_stream_describe(s, NULL, tags, err);
}

/* ---- rescaling */

typedef struct peak_finder {
    uint32_t channels;
    float peak;
} peak_finder;

static void find_peak(void *user, const float *frames, size_t count)
{
    peak_finder *p = user;
    for (size_t i = 0; i < count * p->channels; i++) {
        float x = fabsf(frames[i]);
        if (x > p->peak && x <= AP_SANE_MAX)
            p->peak = x;
    }
}

/* The largest float by which peak can be multiplied to give no more than 1. */
static float gain_for(float peak)
{
    float gain = 1 / peak;
    while (gain * peak > 1)
        gain = nextafterf(gain, 0);
    return gain;
}

/* Reads everything; if it goes beyond full scale, the stream that comes back has a peak of 1. */
static ap_stream *rescale(ap_stream *s, float *peak, float *gain, ap_error *err)
{
    peak_finder finder = {.channels = s ? s->format.channels : 0};
    s = ap_replay(s, find_peak, &finder, err);
    *peak = finder.peak;
    *gain = finder.peak > 1 ? gain_for(finder.peak) : 1;
    return *gain < 1 ? ap_gain(s, *gain, err) : s;
}

/* ---- the whole */

static bool is_float(const encoder *e, ap_bits bits)
{
    return bits == AP_BITS_FLOAT || (bits == AP_BITS_DEFAULT && e->default_bits == AP_BITS_FLOAT);
}

static ap_stream *convert_rate(ap_stream *s, const encoder *e, ap_error *err)
{
    uint32_t rate = e->rate ? e->rate(s->format.rate) : s->format.rate;
    return rate == s->format.rate ? s : ap_resample(s, rate, err);
}

/* Encodes s, which it closes, into out, which it neither commits nor aborts. */
static bool encode(ap_stream *s, const encoder *e, ap_output *out, const ap_encode_options *options,
                   ap_error *err)
{
    ap_encode_options o = *options;
    float peak = 0, gain = 1;
    if (o.bits == AP_BITS_DEFAULT)
        o.bits = e->default_bits;
    ap_tags *from = ap_tags_new();
    if (!from || !ap_tags_fill(from, ap_stream_tags(s))) {
        ap_tags_free(&from);
        ap_close(&s);
        return ap_fail_memory(err);
    }
    s = convert_rate(s, e, err);
    if (o.clip_mode == AP_CLIP_RESCALE)
        s = rescale(s, &peak, &gain, err);
    ap_tags *tags = s ? merge_tags(from, e, &o, gain < 1, err) : NULL;
    ap_tags_free(&from);
    s = meter_stream(s, !is_float(e, o.bits), tags, err);
    if (!s)
        return false;
    bool ok = e->encode(s, out, &o, err);
    if (ok && o.report) {
        *o.report = ((const meter *)s->state)->report;
        o.report->rate = s->format.rate;
        o.report->gain_db = 20 * log10(gain);
        if (gain < 1)
            o.report->peak = peak;
    }
    ap_close(&s);
    return ok;
}

/* Checks everything that can be checked before the output is touched. */
static const encoder *choose(const ap_stream *s, const char *name, const ap_encode_options *options,
                             ap_error *err)
{
    const encoder *e = find_encoder(options->format, name, err);
    bool ok = e && check_options(e, options, err) && check_channels(e, s->format.channels, err) &&
              check_layout(e, &s->format, err);
    return ok ? e : NULL;
}

static bool finish(ap_stream *s, const encoder *e, ap_output *out, const ap_encode_options *options,
                   ap_error *err)
{
    if (!out) {
        ap_close(&s);
        return false;
    }
    if (options->keep_existing)
        ap_output_keep_existing(out);
    if (encode(s, e, out, options, err))
        return ap_output_commit(out, err);
    ap_output_abort(out);
    return false;
}

bool ap_encode(ap_stream *s, const char *path, const ap_encode_options *options, ap_error *err)
{
    ap_encode_options o;
    ap_encode_defaults(&o);
    if (options)
        o = *options;
    const encoder *e = s ? choose(s, path, &o, err) : NULL;
    if (!e) {
        ap_close(&s);
        return false;
    }
    if (!o.format)
        o.format = ap_extension(path);
    return finish(s, e, ap_output_create(path, e->seekable, err), &o, err);
}

bool ap_encode_fd(ap_stream *s, int fd, const char *name, const ap_encode_options *options, ap_error *err)
{
    ap_encode_options defaults;
    ap_encode_defaults(&defaults);
    options = options ? options : &defaults;
    const encoder *e = NULL;
    if (s && options->format)
        e = choose(s, name, options, err);
    else if (s)
        ap_fail(err, AP_USAGE, "'%s' needs a format: it has no name to tell it", name);
    if (!e) {
        ap_close(&s);
        return false;
    }
    return finish(s, e, ap_output_fd(fd, name, e->seekable, err), options, err);
}

bool ap_encode_check(const char *path, const ap_encode_options *options, ap_error *err)
{
    ap_encode_options defaults;
    ap_encode_defaults(&defaults);
    options = options ? options : &defaults;
    const encoder *e = find_encoder(options->format, path, err);
    return e && check_options(e, options, err);
}
