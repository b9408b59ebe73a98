/* SPDX-License-Identifier: GPL-3.0-or-later
 * vorbis.c - a track of Vorbis, through libvorbis. */
#include "base/error.h"
#include "formats/ogg/ogg.h"
#include "formats/vorbiscomment.h"

#include <stdlib.h>
#include <vorbis/codec.h>

typedef struct decoder {
    vorbis_info info;
    vorbis_comment comment;
    vorbis_dsp_state dsp;
    vorbis_block block;
    bool ready;
    long measured; /* size of the block before the next one to be measured; 0: there is none */
} decoder;

static void vorbis_close(void *state)
{
    decoder *d = state;
    if (d->ready) {
        vorbis_block_clear(&d->block);
        vorbis_dsp_clear(&d->dsp);
    }
    vorbis_comment_clear(&d->comment);
    vorbis_info_clear(&d->info);
    free(d);
}

/* Each block ends in the middle of the next one's window (Vorbis I, 4.3.8). */
static long vorbis_duration(void *state, ogg_packet *packet)
{
    decoder *d = state;
    long size = vorbis_packet_blocksize(&d->info, packet);
    if (size < 0)
        return size;
    long n = d->measured ? d->measured / 4 + size / 4 : 0;
    d->measured = size;
    return n;
}

static void vorbis_lose(void *state)
{
    decoder *d = state;
    vorbis_synthesis_restart(&d->dsp);
    d->measured = 0;
}

static void interleave(const decoder *d, float **planes, float *frames, long count)
{
    size_t channels = (size_t)d->info.channels;
    const unsigned char *places = ap_ogg_places((uint32_t)channels);
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < (size_t)count; i++)
            frames[i * channels + (places ? places[c] : c)] = planes[c][i];
}

/* libvorbis gets no granule positions: with them it cuts by rules of its own. */
static long vorbis_decode(void *state, ogg_packet *packet, float *frames, long room)
{
    decoder *d = state;
    float **planes;
    packet->granulepos = -1;
    packet->e_o_s = 0;
    if (vorbis_synthesis(&d->block, packet) != 0 || vorbis_synthesis_blockin(&d->dsp, &d->block) != 0) {
        vorbis_synthesis_restart(&d->dsp); /* the next block has nothing to overlap with */
        return -1;
    }
    int n = vorbis_synthesis_pcmout(&d->dsp, &planes);
    vorbis_synthesis_read(&d->dsp, n);
    long kept = n < room ? n : room;
    interleave(d, planes, frames, kept);
    return kept;
}

static bool read_headers(decoder *d, ap_ogg_pages *p, size_t *next, ap_tags *tags, ap_error *err)
{
    ogg_packet packet;
    for (int i = 0; i < 3; i++) {
        int more = ap_ogg_pages_header(p, next, &packet, err);
        if (more < 0)
            return false;
        if (more == 0 || vorbis_synthesis_headerin(&d->info, &d->comment, &packet) != 0)
            return ap_fail(err, AP_FAILED, "'%s' is damaged or truncated: its Vorbis headers cannot be read",
                           ap_input_name(p->in));
        if (i == 1 && packet.bytes > 7) /* a malformed comment is no reason not to play */
            (void)ap_vorbiscomment_parse(packet.packet + 7, (size_t)packet.bytes - 7, tags);
    }
    d->ready = vorbis_synthesis_init(&d->dsp, &d->info) == 0;
    return (d->ready && vorbis_block_init(&d->dsp, &d->block) == 0) ||
           ap_fail(err, AP_FAILED, "cannot start libvorbis");
}

ap_stream *ap_ogg_vorbis(ap_input *in, uint64_t base, const ap_ogg_track *track, ap_error *err)
{
    static const ap_ogg_decoder ops = {vorbis_duration, vorbis_decode, vorbis_lose, vorbis_close};
    decoder *d = calloc(1, sizeof *d);
    ap_ogg_pages *p = malloc(sizeof *p);
    ap_tags *tags = ap_tags_new();
    size_t next = 0;
    if (d) {
        vorbis_info_init(&d->info);
        vorbis_comment_init(&d->comment);
    }
    bool opened = d && p && tags && ap_ogg_pages_open(p, in, base, track);
    if (!opened)
        ap_fail_memory(err);
    if (opened && read_headers(d, p, &next, tags, err)) {
        uint32_t channels = (uint32_t)d->info.channels;
        ap_format format = {(uint32_t)d->info.rate, channels, channels > 8 ? AP_DISCRETE : 0, AP_UNKNOWN};
        ap_stream *s = ap_ogg_link(p, next, &ops, d, format, 0, tags, err);
        (void)ap_stream_note(s, "ogg", "vorbis", 0);
        return s;
    }
    if (opened)
        ap_ogg_pages_close(p);
    if (d)
        vorbis_close(d);
    free(p);
    ap_tags_free(&tags);
    return NULL;
}
