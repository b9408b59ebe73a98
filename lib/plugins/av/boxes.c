/* SPDX-License-Identifier: GPL-3.0-or-later
 * boxes.c - the boxes of MP4 and QuickTime. */
#include "plugins/av/boxes.h"

#include <libavcodec/avcodec.h>
#include <libavutil/intreadwrite.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BOXES 100000
#define MAX_STSD 65536
#define SOUND_V0                                                                                             \
    36 /* bytes of a sound description before its boxes (QuickTime File Format, "Sound Media")               \
        */
#define SOUND_V1 52

bool ap_box_find(ap_input *in, ap_box outer, const char *type, const ap_box *after, ap_box *found)
{
    uint64_t at = after ? after->end : outer.begin;
    unsigned char h[16];
    for (int i = 0; i < MAX_BOXES && at + 8 <= outer.end; i++) {
        if (!ap_input_seek(in, at, NULL) || ap_input_read(in, h, 8, NULL) != 8)
            return false;
        uint64_t size = AV_RB32(h), header = 8;
        if (size == 1) {
            if (ap_input_read(in, h + 8, 8, NULL) != 8)
                return false;
            size = AV_RB64(h + 8);
            header = 16;
        }
        if (size == 0)
            size = outer.end - at;
        if (size < header || size > outer.end - at)
            return false;
        *found = (ap_box){at + header, at + size};
        if (memcmp(h + 4, type, 4) == 0)
            return true;
        at += size;
    }
    return false;
}

unsigned char *ap_box_load(ap_input *in, ap_box b, uint64_t max, size_t *size)
{
    *size = (size_t)(b.end - b.begin);
    return b.end - b.begin <= max && ap_input_seek(in, b.begin, NULL) ? ap_input_load(in, *size, NULL) : NULL;
}

bool ap_box_track(ap_input *in, ap_box moov, uint32_t id, ap_box *trak)
{
    for (const ap_box *after = NULL; ap_box_find(in, moov, "trak", after, trak); after = trak) {
        ap_box tkhd;
        size_t size;
        unsigned char *p =
            ap_box_find(in, *trak, "tkhd", NULL, &tkhd) ? ap_box_load(in, tkhd, 4096, &size) : NULL;
        uint32_t found = !p                        ? 0
                         : size >= 24 && p[0] == 1 ? AV_RB32(p + 20)
                         : size >= 16              ? AV_RB32(p + 12)
                                                   : 0;
        free(p);
        if (found == id)
            return true;
    }
    return false;
}

/* The body of a box in memory. */
static const unsigned char *box_within(const unsigned char *p, size_t size, const char *type, size_t *found)
{
    while (size >= 8) {
        size_t n = AV_RB32(p);
        if (n < 8 || n > size)
            break;
        *found = n - 8;
        if (memcmp(p + 4, type, 4) == 0)
            return p + 8;
        p += n;
        size -= n;
    }
    return NULL;
}

/* The chan box of the first sound description, of any version, at its own level or in wave. */
static void parse_stsd(const unsigned char *p, size_t size, uint32_t channels, ap_chan *chan)
{
    if (size < 8 + SOUND_V0 || AV_RB32(p + 8) < SOUND_V0 || AV_RB32(p + 8) > size - 8)
        return;
    size_t n = AV_RB32(p + 8), version = AV_RB16(p + 8 + 16), inner;
    const unsigned char *entry = p + 8;
    size_t head = version == 0 ? SOUND_V0 : version == 1 ? SOUND_V1 : n >= 40 ? AV_RB32(entry + 36) : n;
    if (head > n)
        return;
    const unsigned char *found = box_within(entry + head, n - head, "chan", &inner);
    const unsigned char *wave = found ? NULL : box_within(entry + head, n - head, "wave", &inner);
    if (wave)
        found = box_within(wave, inner, "chan", &inner);
    if (found && inner >= 4)
        ap_chan_parse(found + 4, inner - 4, channels, chan); /* behind version and flags */
}

static void read_chan(ap_input *in, ap_box file, uint32_t id, uint32_t channels, ap_chan *chan)
{
    ap_box moov, trak, mdia, minf, stbl, stsd;
    size_t size;
    bool found = ap_box_find(in, file, "moov", NULL, &moov) && ap_box_track(in, moov, id, &trak) &&
                 ap_box_find(in, trak, "mdia", NULL, &mdia) && ap_box_find(in, mdia, "minf", NULL, &minf) &&
                 ap_box_find(in, minf, "stbl", NULL, &stbl) && ap_box_find(in, stbl, "stsd", NULL, &stsd);
    unsigned char *p = found ? ap_box_load(in, stsd, MAX_STSD, &size) : NULL;
    if (p)
        parse_stsd(p, size, channels, chan);
    free(p);
}

/* Compressed sound has an order of its own, which its decoder knows. */
bool ap_box_chan(const ap_av_source *s, const AVStream *st, ap_format *format, ap_chan *chan, ap_error *err)
{
    ap_box file = {s->base, ap_input_size(s->in)};
    uint64_t place = ap_input_tell(s->in);
    if (!ap_av_source_is(s, "mov") || !av_get_exact_bits_per_sample(st->codecpar->codec_id))
        return true;
    read_chan(s->in, file, (uint32_t)st->id, format->channels, chan);
    format->mask = chan->mask ? chan->mask : format->mask;
    return ap_input_seek(s->in, place, err);
}
