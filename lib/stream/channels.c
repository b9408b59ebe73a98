/* SPDX-License-Identifier: GPL-3.0-or-later
 * channels.c - mixing to another number of channels. */
#include "base/error.h"
#include "base/memory.h"
#include "stream/gain_tags.h"
#include "stream/stream.h"

#include <stdlib.h>
#include <string.h>

#define MINUS_3_DB 0.70710678f

/* Where a speaker that the output lacks goes: the first row whose speakers the output has. ITU-R BS.775-3,
 * annex 4, table 2 for centre and surrounds; back and side speakers stand in for each other first. */
static const struct fallback {
    uint32_t from, to[2];
    float gain;
} fallbacks[] = {
    {AP_FRONT_CENTER, {AP_FRONT_LEFT, AP_FRONT_RIGHT}, MINUS_3_DB},
    {AP_FRONT_LEFT_OF_CENTER, {AP_FRONT_LEFT, 0}, 1},
    {AP_FRONT_RIGHT_OF_CENTER, {AP_FRONT_RIGHT, 0}, 1},
    {AP_SIDE_LEFT, {AP_BACK_LEFT, 0}, 1},
    {AP_SIDE_LEFT, {AP_FRONT_LEFT, 0}, MINUS_3_DB},
    {AP_SIDE_RIGHT, {AP_BACK_RIGHT, 0}, 1},
    {AP_SIDE_RIGHT, {AP_FRONT_RIGHT, 0}, MINUS_3_DB},
    {AP_BACK_LEFT, {AP_SIDE_LEFT, 0}, 1},
    {AP_BACK_LEFT, {AP_FRONT_LEFT, 0}, MINUS_3_DB},
    {AP_BACK_RIGHT, {AP_SIDE_RIGHT, 0}, 1},
    {AP_BACK_RIGHT, {AP_FRONT_RIGHT, 0}, MINUS_3_DB},
    {AP_BACK_CENTER, {AP_BACK_LEFT, AP_BACK_RIGHT}, MINUS_3_DB},
    {AP_BACK_CENTER, {AP_SIDE_LEFT, AP_SIDE_RIGHT}, MINUS_3_DB},
    {AP_BACK_CENTER, {AP_FRONT_LEFT, AP_FRONT_RIGHT}, 0.5f},
    {AP_FRONT_LEFT, {AP_FRONT_CENTER, 0}, 0.5f}, /* mono = mean */
    {AP_FRONT_RIGHT, {AP_FRONT_CENTER, 0}, 0.5f},
};

typedef struct mixer {
    uint32_t from, to;                               /* channels */
    float gains[8 * AP_MAX_CHANNELS];                /* [to][from] */
    float block[(size_t)AP_BLOCK * AP_MAX_CHANNELS]; /* input */
} mixer;

static void route(mixer *m, uint32_t channel, uint32_t speaker, uint32_t out_mask, float gain)
{
    if (out_mask & speaker) {
        m->gains[ap_speaker_channel(out_mask, speaker) * m->from + channel] += gain;
        return;
    }
    for (size_t i = 0; i < sizeof fallbacks / sizeof *fallbacks; i++) {
        const struct fallback *f = &fallbacks[i];
        uint32_t needed = f->to[0] | f->to[1];
        if (f->from != speaker || (out_mask & needed) != needed)
            continue;
        route(m, channel, f->to[0], out_mask, gain * f->gain);
        if (f->to[1])
            route(m, channel, f->to[1], out_mask, gain * f->gain);
        return;
    }
}

/* Mono is the mean of the stereo mix; mono to stereo is a copy; all else goes speaker by speaker. */
static void make_gains(mixer *m, uint32_t in_mask, uint32_t out_mask)
{
    uint32_t stereo = AP_FRONT_LEFT | AP_FRONT_RIGHT;
    out_mask = m->to == 1 ? stereo : out_mask;
    if (m->from == 1 && m->to == 2) {
        m->gains[0] = m->gains[1] = 1;
        return;
    }
    uint32_t channel = 0;
    for (uint32_t speaker = 1; speaker && channel < m->from; speaker <<= 1)
        if (in_mask & speaker)
            route(m, channel++, speaker, out_mask, 1);
    for (uint32_t i = 0; m->to == 1 && i < m->from; i++)
        m->gains[i] = 0.5f * (m->gains[i] + m->gains[m->from + i]);
}

static ptrdiff_t remix_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    mixer *m = s->state;
    ptrdiff_t n = ap_read(s->source, m->block, max < AP_BLOCK ? max : AP_BLOCK, err);
    for (ptrdiff_t i = 0; i < n; i++) {
        const float *in = m->block + (size_t)i * m->from;
        for (uint32_t o = 0; o < m->to; o++) {
            float sum = 0;
            for (uint32_t c = 0; c < m->from; c++)
                sum += m->gains[o * m->from + c] * in[c];
            *frames++ = sum;
        }
    }
    return n;
}

static mixer *mixer_new(const ap_stream *s, const ap_format *to, ap_error *err)
{
    const uint32_t channels = to->channels;
    if (!ap_check_range("number of channels", channels, 1, 8, err))
        return NULL;
    if (!ap_has_places(to)) {
        ap_fail(err, AP_FAILED, "cannot mix '%s' to %u channels of unknown position", ap_stream_name(s),
                channels);
        return NULL;
    }
    if (!ap_has_places(&s->format)) {
        ap_fail(err, AP_FAILED,
                "'%s' has %u channels of unknown position, which cannot be mixed to %u (ap-decode --layout "
                "says what they are)",
                ap_stream_name(s), s->format.channels, channels);
        return NULL;
    }
    mixer *m = ap_allocate(1, sizeof *m, err);
    if (m) {
        m->from = s->format.channels;
        m->to = channels;
        make_gains(m, s->format.mask, to->mask);
    }
    return m;
}

static ap_stream *remix(ap_stream *s, uint32_t channels, uint32_t mask, ap_error *err)
{
    static const ap_stream_ops ops = {.read = remix_read, .close = free};
    const ap_format format = {s->format.rate, channels, mask, s->format.frames};
    return ap_without_gain_tags(ap_stream_wrap(s, &ops, mixer_new(s, &format, err), &format, err), err);
}

ap_stream *ap_remix(ap_stream *s, uint32_t channels, ap_error *err)
{
    return !s || s->format.channels == channels ? s : remix(s, channels, ap_default_mask(channels), err);
}

ap_stream *ap_remix_to(ap_stream *s, uint32_t mask, ap_error *err)
{
    return s ? remix(s, mask == AP_DISCRETE ? s->format.channels : (uint32_t)__builtin_popcount(mask), mask,
                     err)
             : NULL;
}
