/* SPDX-License-Identifier: GPL-3.0-or-later
 * opus.c - a track of Opus (RFC 7845), through libopus, at 48 kHz: the rate in its header only tells where
 * the sound came from. */
#include "base/bytes.h"
#include "base/error.h"
#include "formats/ogg/ogg.h"
#include "formats/vorbiscomment.h"
#include "stream/details.h"

#include <opus_multistream.h>
#include <opus_projection.h>
#include <stdlib.h>
#include <string.h>

#define RATE 48000

/* The identification header, RFC 7845, 5.1. */
typedef struct head {
    uint32_t channels, skip, family, streams, coupled;
    int gain; /* dB / 256 */
    unsigned char mapping[256];
    const unsigned char *matrix; /* of family 3, RFC 8486, 3.2 */
    size_t matrix_size;
} head;

typedef struct decoder {
    OpusMSDecoder *opus;
    OpusProjectionDecoder *projection;
    uint32_t channels;
    const unsigned char *places;
} decoder;

static void opus_close(void *state)
{
    decoder *d = state;
    if (d->opus)
        opus_multistream_decoder_destroy(d->opus);
    if (d->projection)
        opus_projection_decoder_destroy(d->projection);
    free(d);
}

static long opus_duration(void *state, ogg_packet *packet)
{
    (void)state;
    return opus_packet_get_nb_samples(packet->packet, (opus_int32)packet->bytes, RATE);
}

static void opus_lose(void *state)
{
    const decoder *d = state;
    if (d->opus)
        opus_multistream_decoder_ctl(d->opus, OPUS_RESET_STATE);
    else
        opus_projection_decoder_ctl(d->projection, OPUS_RESET_STATE);
}

static void reorder(const decoder *d, float *frames, long count)
{
    float frame[8];
    for (long i = 0; d->places && i < count; i++, frames += d->channels) {
        memcpy(frame, frames, d->channels * sizeof *frame);
        for (uint32_t c = 0; c < d->channels; c++)
            frames[d->places[c]] = frame[c];
    }
}

static long opus_decode_packet(void *state, ogg_packet *packet, float *frames, long room)
{
    const decoder *d = state;
    opus_int32 size = (opus_int32)packet->bytes;
    if (room == 0)
        return 0;
    int n = d->opus ? opus_multistream_decode_float(d->opus, packet->packet, size, frames, (int)room, 0)
                    : opus_projection_decode_float(d->projection, packet->packet, size, frames, (int)room, 0);
    reorder(d, frames, n);
    return n;
}

/* ---- headers */

static bool parse_mapping(const unsigned char *p, size_t size, head *h)
{
    if (h->family == 0) {
        h->streams = 1;
        h->coupled = h->channels - 1;
        h->mapping[1] = 1;
        return h->channels <= 2;
    }
    if (size < 21)
        return false;
    h->streams = p[19];
    h->coupled = p[20];
    if (h->family == 3) {
        h->matrix = p + 21;
        h->matrix_size = (size_t)2 * h->channels * (h->streams + h->coupled);
        return size >= 21 + h->matrix_size;
    }
    if (size < 21 + h->channels || (h->family == 1 && h->channels > 8))
        return false;
    memcpy(h->mapping, p + 21, h->channels);
    return true;
}

static bool parse_head(const unsigned char *p, size_t size, head *h)
{
    if (size < 19 || memcmp(p, "OpusHead", 8) != 0 || p[8] > 15 || p[9] == 0)
        return false;
    h->channels = p[9];
    h->skip = (uint32_t)ap_get_little(p + 10, 2);
    h->gain = (int16_t)ap_get_little(p + 16, 2);
    h->family = p[18];
    return parse_mapping(p, size, h);
}

static bool start(decoder *d, const head *h)
{
    int code = OPUS_OK, channels = (int)h->channels, streams = (int)h->streams, coupled = (int)h->coupled;
    if (h->family == 3) {
        unsigned char *matrix = malloc(h->matrix_size + 1); /* libopus takes it without const */
        if (matrix) {
            memcpy(matrix, h->matrix, h->matrix_size);
            d->projection = opus_projection_decoder_create(RATE, channels, streams, coupled, matrix,
                                                           (opus_int32)h->matrix_size, &code);
        }
        free(matrix);
        return d->projection && opus_projection_decoder_ctl(d->projection, OPUS_SET_GAIN(h->gain)) == OPUS_OK;
    }
    d->opus = opus_multistream_decoder_create(RATE, channels, streams, coupled, h->mapping, &code);
    return d->opus && opus_multistream_decoder_ctl(d->opus, OPUS_SET_GAIN(h->gain)) == OPUS_OK;
}

static bool read_headers(decoder *d, ap_ogg_pages *p, size_t *next, head *h, ap_tags *tags, ap_error *err)
{
    const char *name = ap_input_name(p->in);
    ogg_packet packet;
    int more = ap_ogg_pages_header(p, next, &packet, err);
    if (more < 0)
        return false;
    if (more == 0 || !parse_head(packet.packet, (size_t)packet.bytes, h))
        return ap_fail(err, AP_FAILED, "'%s' is damaged or truncated: its Opus header makes no sense", name);
    if (h->channels > AP_MAX_CHANNELS)
        return ap_check_format(name, &(ap_format){RATE, h->channels, 0, 0}, err);
    d->channels = h->channels;
    d->places = h->family == 1 ? ap_ogg_places(h->channels) : NULL;
    if (!start(d, h))
        return ap_fail(err, AP_FAILED, "libopus refuses the %u channels of '%s'", h->channels, name);
    h->matrix = NULL; /* it lies in the packet */
    more = ap_ogg_pages_header(p, next, &packet, err);
    if (more > 0 && packet.bytes > 8 && memcmp(packet.packet, "OpusTags", 8) == 0)
        (void)ap_vorbiscomment_parse(packet.packet + 8, (size_t)packet.bytes - 8, tags);
    else if (more == 0)
        return ap_fail(err, AP_FAILED, "'%s' is truncated: it ends inside its headers", name);
    return more > 0;
}

ap_stream *ap_ogg_opus(ap_input *in, uint64_t base, const ap_ogg_track *track, ap_error *err)
{
    static const ap_ogg_decoder ops = {opus_duration, opus_decode_packet, opus_lose, opus_close};
    decoder *d = calloc(1, sizeof *d);
    ap_ogg_pages *p = malloc(sizeof *p);
    ap_tags *tags = ap_tags_new();
    head h = {0};
    size_t next = 0;
    bool opened = d && p && tags && ap_ogg_pages_open(p, in, base, track);
    if (!opened)
        ap_fail_memory(err);
    if (opened && read_headers(d, p, &next, &h, tags, err)) {
        /* Families 0 and 1 are speakers; 2 and 3 are Ambisonics, 255 is anything (RFC 7845, 5.1.1; RFC 8486).
         */
        ap_format format = {RATE, h.channels, h.family > 1 ? AP_DISCRETE : 0, AP_UNKNOWN};
        ap_stream *s = ap_ogg_link(p, next, &ops, d, format, h.skip, tags, err);
        ap_details *details = ap_stream_note(s, "ogg", "opus", 0);
        if (details)
            details->delay = h.skip;
        return s;
    }
    if (opened)
        ap_ogg_pages_close(p);
    if (d)
        opus_close(d);
    free(p);
    ap_tags_free(&tags);
    return NULL;
}
