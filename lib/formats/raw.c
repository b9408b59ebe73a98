/* SPDX-License-Identifier: GPL-3.0-or-later
 * raw.c - PCM without a header. */
#include "formats/raw.h"
#include "base/error.h"
#include "base/path.h"
#include "stream/stream.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool ap_raw_type(const char *name, ap_pcm *type, bool *big_endian)
{
    for (int i = 0; i < 2 * (AP_PCM_F64 + 1); i++) {
        const char *known = ap_pcm_name((ap_pcm)(i / 2), i & 1) + strlen("pcm_");
        const size_t plain = strlen(known) - (ap_pcm_size((ap_pcm)(i / 2)) > 1 ? 2 : 0);
        if (strcasecmp(name, known) != 0 && (i & 1 || strncasecmp(name, known, plain) != 0 || name[plain]))
            continue;
        *type = (ap_pcm)(i / 2);
        *big_endian = i & 1;
        return true;
    }
    return false;
}

/* ---- FORMAT,RATE,CHANNELS[,LAYOUT] */

typedef struct description {
    ap_pcm type;
    bool big_endian;
    ap_format format;
} description;

/* A whole number in lo..hi; "44.1k" is one. */
static bool parse_count(const char *text, uint32_t lo, uint32_t hi, uint32_t *count)
{
    char *end;
    double number = strtod(text, &end);
    if (strcasecmp(end, "k") == 0) {
        number = (double)(int64_t)(number * 1e3 + 0.5);
        end++;
    }
    if (end == text || *end || !(number >= lo && number <= hi) || number != (uint32_t)number)
        return false;
    *count = (uint32_t)number;
    return true;
}

/* A number of channels, or a layout. */
static bool parse_channels(const char *text, ap_format *f)
{
    if (parse_count(text, 1, AP_MAX_CHANNELS, &f->channels))
        return true;
    f->mask = ap_layout_mask(text);
    f->channels = (uint32_t)__builtin_popcount(f->mask);
    return f->mask && f->mask != AP_DISCRETE;
}

static bool parse_layout(const char *text, ap_format *f, ap_error *err)
{
    uint32_t mask = ap_layout_mask(text);
    if (!mask)
        return ap_fail(err, AP_USAGE, "'%s' is no layout such as 5.1, FL+FR+LFE or discrete", text);
    if (mask != AP_DISCRETE && (uint32_t)__builtin_popcount(mask) != f->channels)
        return ap_fail(err, AP_USAGE, "%s is no layout of %u channels", text, f->channels);
    f->mask = mask == AP_DISCRETE && f->channels < 3 ? 0 : mask;
    return true;
}

static bool parse(const char *raw, description *d, ap_error *err)
{
    char copy[128], *fields[4] = {NULL}, *rest = copy;
    *d = (description){.format = {.frames = AP_UNKNOWN}};
    if (strlen(raw) < sizeof copy)
        strcpy(copy, raw);
    else
        rest = NULL;
    for (int i = 0; i < 4 && rest; i++)
        fields[i] = strsep(&rest, ",");
    if (!fields[2] || rest)
        return ap_fail(err, AP_USAGE, "'%s' is not FORMAT,RATE,CHANNELS, such as s16le,48000,2", raw);
    if (!ap_raw_type(fields[0], &d->type, &d->big_endian))
        return ap_fail(
            err, AP_USAGE,
            "'%s' is no sample format: u8 s8 u16 s16 u24 s24 u32 s32 f32 f64, with le or be, mulaw alaw",
            fields[0]);
    if (!parse_count(fields[1], AP_MIN_RATE, AP_MAX_RATE, &d->format.rate))
        return ap_fail(err, AP_USAGE, "'%s' is no sample rate from %d to %d Hz", fields[1], AP_MIN_RATE,
                       AP_MAX_RATE);
    if (!parse_channels(fields[2], &d->format))
        return ap_fail(err, AP_USAGE, "'%s' is neither a number of channels from 1 to %d nor a layout",
                       fields[2], AP_MAX_CHANNELS);
    return !fields[3] || parse_layout(fields[3], &d->format, err);
}

bool ap_raw_check(const char *raw, ap_error *err)
{
    description d;
    return parse(raw, &d, err);
}

/* ---- the decoder */

/* The end of a file: there may be bytes after the last whole frame. */
static bool warn_of_rest(ap_stream *s, ap_input *in, ap_error *err)
{
    const unsigned char *p;
    ptrdiff_t n = ap_input_peek(in, &p, 1, err);
    if (n > 0)
        ap_warn(s, AP_HALF_FRAME, ap_stream_name(s));
    return n >= 0;
}

ap_stream *ap_raw_open(ap_input *in, const char *raw, ap_error *err)
{
    description d;
    ap_tags *tags = NULL;
    if (!parse(raw, &d, err) || !((tags = ap_tags_new()) || ap_fail_memory(err))) {
        ap_input_close(in);
        return NULL;
    }
    uint64_t left = ap_input_left(in);
    if (left != AP_UNKNOWN)
        d.format.frames = left / (ap_pcm_size(d.type) * d.format.channels);
    ap_stream *s = ap_pcm_stream(in, d.type, d.big_endian, &d.format, tags, warn_of_rest, err);
    (void)ap_stream_note(s, "raw", ap_pcm_name(d.type, d.big_endian), 8 * (unsigned)ap_pcm_size(d.type));
    return s;
}
