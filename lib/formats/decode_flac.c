/* SPDX-License-Identifier: GPL-3.0-or-later
 * decode_flac.c - FLAC (RFC 9639) through libFLAC: libsndfile cannot read it from a pipe, and stops at the
 * first damaged frame. */
#include "formats/decode_flac.h"
#include "base/error.h"
#include "formats/file_type.h"
#include "formats/vorbiscomment.h"
#include "stream/stream.h"

#include <FLAC/stream_decoder.h>
#include <stdlib.h>
#include <string.h>

/* A gap of more seconds than this, in a stream of unknown length, is a broken frame number. */
#define MAX_GAP_S 60
#define RING 65536 /* last bytes read: more than libFLAC reads ahead */
#define LOOK 16    /* bytes behind the last frame that tell what is there */

typedef struct decoder {
    ap_flac_source source;
    ap_error io_error; /* of the callback; code AP_OK if there was none */
    FLAC__StreamDecoder *flac;
    ap_tags *tags;
    ap_format format;
    unsigned bits;      /* of a sample, as the header tells */
    uint64_t bytes;     /* read from the input */
    uint64_t frame_end; /* position of the end of the last good FLAC frame, or of the headers */
    uint64_t origin;    /* number of the first frame of a part */
    uint64_t position;  /* frames decoded, silence included */
    uint64_t silence;   /* frames to give first */
    float *frames;      /* decoded, not given yet */
    size_t at, have, capacity;
    bool damaged, foreign, failed;
    bool suspect;               /* libFLAC found nonsense; this is damage if an FLAC frame follows */
    unsigned char behind[LOOK]; /* the bytes at behind_at */
    uint64_t behind_at;
    size_t behind_size;
    unsigned char ring[RING];
} decoder;

/* ---- what comes after the last FLAC frame */

/* libFLAC asks for more only when it has used up what it got, so what comes after the last frame can be read
 * again. */
static void look_behind(decoder *d)
{
    uint64_t at = d->frame_end, there = d->bytes > at ? d->bytes - at : 0;
    size_t n = there < LOOK ? (size_t)there : LOOK;
    if (there > RING || (at == d->behind_at && n <= d->behind_size))
        return;
    for (size_t i = 0; i < n; i++)
        d->behind[i] = d->ring[(at + i) % RING];
    d->behind_at = at;
    d->behind_size = n;
}

/* Tags of other formats that programs put after FLAC, or zeros. */
static bool ends_in_tag(const decoder *d)
{
    static const unsigned char zeros[LOOK];
    return d->bytes <= d->frame_end ||
           (d->behind_at == d->frame_end &&
            (ap_is_tag(d->behind, d->behind_size) || memcmp(d->behind, zeros, d->behind_size) == 0));
}

/* ---- callbacks of libFLAC */

/* Keeps the last bytes read. */
static void keep(decoder *d, const FLAC__byte *from, size_t size)
{
    const size_t old = size > RING ? size - RING : 0, n = size - old;
    const size_t at = (size_t)((d->bytes + old) % RING), first = n < RING - at ? n : RING - at;
    memcpy(d->ring + at, from + old, first);
    memcpy(d->ring, from + old + first, n - first);
}

static FLAC__StreamDecoderReadStatus on_read(const FLAC__StreamDecoder *flac, FLAC__byte *to, size_t *size,
                                             void *user)
{
    (void)flac;
    decoder *d = user;
    look_behind(d);
    ptrdiff_t n = d->source.read(d->source.user, to, *size, &d->io_error);
    *size = n > 0 ? (size_t)n : 0;
    keep(d, to, *size);
    d->bytes += *size;
    return n < 0    ? FLAC__STREAM_DECODER_READ_STATUS_ABORT
           : n == 0 ? FLAC__STREAM_DECODER_READ_STATUS_END_OF_STREAM
                    : FLAC__STREAM_DECODER_READ_STATUS_CONTINUE;
}

static FLAC__StreamDecoderTellStatus on_tell(const FLAC__StreamDecoder *flac, FLAC__uint64 *position,
                                             void *user)
{
    (void)flac;
    const decoder *d = user;
    *position = d->bytes;
    return FLAC__STREAM_DECODER_TELL_STATUS_OK;
}

static void on_error(const FLAC__StreamDecoder *flac, FLAC__StreamDecoderErrorStatus status, void *user)
{
    (void)flac, (void)status;
    decoder *d = user;
    d->suspect = true;
}

/* Frames are missing before this one. What comes twice, or from a broken frame number, is left out. */
static bool find_gap(decoder *d, uint64_t number)
{
    if (d->source.part && d->position == 0)
        d->origin = number;
    uint64_t limit = d->format.frames, start = number - d->origin;
    if (limit == AP_UNKNOWN)
        limit = d->position + (uint64_t)MAX_GAP_S * d->format.rate;
    if (start < d->position || start > limit)
        return false;
    d->silence += start - d->position;
    d->position = start;
    return true;
}

static bool reserve(decoder *d, size_t count)
{
    if (count <= d->capacity)
        return true;
    float *frames = realloc(d->frames, count * d->format.channels * sizeof *frames);
    if (!frames)
        return false;
    d->frames = frames;
    d->capacity = count;
    return true;
}

static bool is_silent(const FLAC__Frame *frame, const FLAC__int32 *const planes[])
{
    for (uint32_t c = 0; c < frame->header.channels; c++)
        for (uint32_t i = 0; i < frame->header.blocksize; i++)
            if (planes[c][i])
                return false;
    return true;
}

/* Silence is only counted: libFLAC puts any amount of it in the place of damaged frames, in one go. */
static bool take_frame(decoder *d, const FLAC__Frame *frame, const FLAC__int32 *const planes[])
{
    const FLAC__FrameHeader *h = &frame->header;
    d->position += h->blocksize;
    if (is_silent(frame, planes)) {
        d->silence += h->blocksize;
        return true;
    }
    if (!reserve(d, h->blocksize))
        return false;
    float scale = 1.0f / (float)((uint64_t)1 << (h->bits_per_sample - 1));
    for (uint32_t c = 0; c < h->channels; c++)
        for (uint32_t i = 0; i < h->blocksize; i++)
            d->frames[(size_t)i * h->channels + c] = (float)planes[c][i] * scale;
    d->at = 0;
    d->have = h->blocksize;
    return true;
}

static FLAC__StreamDecoderWriteStatus on_write(const FLAC__StreamDecoder *flac, const FLAC__Frame *frame,
                                               const FLAC__int32 *const planes[], void *user)
{
    decoder *d = user;
    FLAC__uint64 end;
    if (frame->header.channels != d->format.channels || frame->header.sample_rate != d->format.rate) {
        d->foreign = true;
        return FLAC__STREAM_DECODER_WRITE_STATUS_CONTINUE;
    }
    if (FLAC__stream_decoder_get_decode_position(flac, &end))
        d->frame_end = end;
    d->damaged = d->damaged || d->suspect;
    d->suspect = false;
    if (d->have || !find_gap(d, frame->header.number.sample_number)) {
        d->damaged = true;
        return FLAC__STREAM_DECODER_WRITE_STATUS_CONTINUE;
    }
    d->failed = !take_frame(d, frame, planes);
    return d->failed ? FLAC__STREAM_DECODER_WRITE_STATUS_ABORT : FLAC__STREAM_DECODER_WRITE_STATUS_CONTINUE;
}

static void take_comments(decoder *d, const FLAC__StreamMetadata_VorbisComment *block)
{
    for (uint32_t i = 0; i < block->num_comments; i++)
        (void)ap_vorbiscomment_add(block->comments[i].entry, block->comments[i].length, d->tags);
}

/* A tag that cannot be kept is no reason not to play the file. */
static void on_metadata(const FLAC__StreamDecoder *flac, const FLAC__StreamMetadata *block, void *user)
{
    (void)flac;
    decoder *d = user;
    const FLAC__StreamMetadata_StreamInfo *info = &block->data.stream_info;
    const FLAC__StreamMetadata_Picture *picture = &block->data.picture;
    if (block->type == FLAC__METADATA_TYPE_STREAMINFO && d->format.rate == 0) {
        bool told = info->total_samples && !d->source.part;
        d->bits = info->bits_per_sample;
        d->format =
            (ap_format){info->sample_rate, info->channels, 0, told ? info->total_samples : d->source.frames};
    } else if (block->type == FLAC__METADATA_TYPE_VORBIS_COMMENT)
        take_comments(d, &block->data.vorbis_comment);
    else if (block->type == FLAC__METADATA_TYPE_PICTURE)
        (void)ap_picture_add(d->tags, picture->type, picture->mime_type ? picture->mime_type : "",
                             picture->data, picture->data_length);
}

/* ---- the stream */

static void flac_close(void *state)
{
    decoder *d = state;
    if (d->flac)
        FLAC__stream_decoder_delete(d->flac);
    d->source.close(d->source.user);
    ap_tags_free(&d->tags);
    free(d->frames);
    free(d);
}

/* Decodes until there is something to give. 1, 0 at the end, -1 on error. */
static int refill(decoder *d, ap_error *err)
{
    while (!d->have && !d->silence) {
        FLAC__StreamDecoderState state = FLAC__stream_decoder_get_state(d->flac);
        if (state == FLAC__STREAM_DECODER_END_OF_STREAM)
            return 0;
        bool going =
            state < FLAC__STREAM_DECODER_END_OF_STREAM && FLAC__stream_decoder_process_single(d->flac);
        if (d->io_error.code != AP_OK) {
            *err = d->io_error;
            return -1;
        }
        if (d->failed || (!going && FLAC__stream_decoder_get_state(d->flac) ==
                                        FLAC__STREAM_DECODER_MEMORY_ALLOCATION_ERROR)) {
            ap_fail_memory(err);
            return -1;
        }
        if (!going)
            return 0;
    }
    return 1;
}

static void warn_damaged(ap_stream *s)
{
    ap_warn(s, "'%s' is damaged: some of it could not be decoded", ap_stream_name(s));
}

/* Reads on to a place that was not passed long ago. Returns how many bytes are there. */
static size_t read_at(decoder *d, uint64_t at, unsigned char *to, size_t size)
{
    FLAC__byte bytes[512];
    size_t n = 1;
    while (d->bytes < at + size && n) {
        n = sizeof bytes;
        (void)on_read(d->flac, bytes, &n, d);
    }
    size_t there = d->bytes > at && d->bytes - at <= RING ? (size_t)(d->bytes - at) : 0;
    n = there < size ? there : size;
    for (size_t i = 0; i < n; i++)
        to[i] = d->ring[(at + i) % RING];
    return n;
}

/* Whether another file comes behind the tags that follow the last FLAC frame. */
static bool is_file_behind_tags(decoder *d)
{
    unsigned char p[32];
    uint64_t at = d->frame_end, tag = 0;
    size_t n = 0;
    for (int i = 0; i <= AP_TAGS_MAX && (i == 0 || tag); i++) {
        n = read_at(d, at += tag, p, sizeof p);
        tag = ap_tag_size(p, n);
    }
    return ap_is_next_file(p, n);
}

/* At the declared end: is there more? libFLAC stops there. */
static void check_rest(ap_stream *s, decoder *d)
{
    unsigned char bytes[LOOK];
    size_t size = sizeof bytes;
    if (d->bytes <= d->frame_end)
        (void)on_read(d->flac, bytes, &size, d);
    look_behind(d);
    if (!ends_in_tag(d) || is_file_behind_tags(d))
        ap_warn_left_out(s);
}

/* At the end of a stream of unknown length: is it whole? */
static ptrdiff_t check_end(ap_stream *s, decoder *d, ap_error *err)
{
    look_behind(d);
    if (ends_in_tag(d))
        return 0;
    if (d->suspect)
        warn_damaged(s);
    if (s->format.frames != AP_UNKNOWN)
        return 0;
    ap_fail(err, AP_FAILED, "'%s' is truncated: it ends inside a FLAC frame", ap_stream_name(s));
    return -1;
}

static ptrdiff_t flac_read(ap_stream *s, float *frames, size_t max, ap_error *err)
{
    decoder *d = s->state;
    int result = refill(d, err);
    if (d->foreign)
        ap_warn(s, "'%s' changes its sample rate or channels: that part was left out", ap_stream_name(s));
    if (d->damaged)
        warn_damaged(s);
    if (result <= 0)
        return result < 0 ? result : check_end(s, d, err);
    uint64_t there = d->silence ? d->silence : d->have;
    size_t n = there < max ? (size_t)there : max, count = n * s->format.channels;
    if (d->silence) {
        memset(frames, 0, count * sizeof *frames);
        d->silence -= n;
    } else {
        memcpy(frames, d->frames + d->at * s->format.channels, count * sizeof *frames);
        d->at += n;
        d->have -= n;
    }
    if (s->position + n == s->format.frames && !d->damaged)
        check_rest(s, d);
    return (ptrdiff_t)n;
}

/* ---- opening */

static bool start(decoder *d)
{
    FLAC__StreamDecoder *f = d->flac = FLAC__stream_decoder_new();
    if (!f)
        return false;
    FLAC__stream_decoder_set_metadata_respond(f, FLAC__METADATA_TYPE_VORBIS_COMMENT);
    FLAC__stream_decoder_set_metadata_respond(f, FLAC__METADATA_TYPE_PICTURE);
    return FLAC__stream_decoder_init_stream(f, on_read, NULL, on_tell, NULL, NULL, on_write, on_metadata,
                                            on_error, d) == FLAC__STREAM_DECODER_INIT_STATUS_OK;
}

static bool read_headers(decoder *d, ap_error *err)
{
    const char *name = d->source.name;
    bool read = FLAC__stream_decoder_process_until_end_of_metadata(d->flac);
    if (d->io_error.code != AP_OK) {
        if (err)
            *err = d->io_error;
        return false;
    }
    if (!read || d->format.rate == 0 ||
        FLAC__stream_decoder_get_state(d->flac) >= FLAC__STREAM_DECODER_END_OF_STREAM)
        return ap_fail(err, AP_FAILED, "'%s' is truncated or damaged: its FLAC header cannot be read", name);
    FLAC__uint64 end;
    if (FLAC__stream_decoder_get_decode_position(d->flac, &end))
        d->frame_end = end; /* of the headers: there may be no frame */
    d->suspect = false;
    return ap_check_format(name, &d->format, err);
}

static ap_stream *make_stream(decoder *d, ap_error *err)
{
    static const ap_stream_ops ops = {flac_read, flac_close};
    ap_tags *tags = d->tags;
    d->tags = NULL;
    d->format.mask = ap_vorbiscomment_take_mask(tags);
    ap_stream *s = ap_stream_new(&ops, d, &d->format, d->source.name, tags, err);
    (void)ap_stream_note(s, "flac", "flac", d->bits);
    return s;
}

ap_stream *ap_flac_open_source(const ap_flac_source *source, ap_error *err)
{
    decoder *d = calloc(1, sizeof *d);
    if (!d) {
        source->close(source->user);
        ap_fail_memory(err);
        return NULL;
    }
    d->source = *source;
    d->tags = ap_tags_new();
    if (!d->tags)
        ap_fail_memory(err);
    else if (!start(d))
        ap_fail(err, AP_FAILED, "cannot start libFLAC");
    else if (read_headers(d, err))
        return make_stream(d, err);
    flac_close(d);
    return NULL;
}

static ptrdiff_t read_input(void *user, void *to, size_t size, ap_error *err)
{
    return ap_input_read_some(user, to, size, err);
}

static void close_input(void *user)
{
    ap_input_close(user);
}

ap_stream *ap_flac_open(ap_input *in, ap_error *err)
{
    return ap_flac_open_source(
        &(ap_flac_source){read_input, close_input, in, ap_input_name(in), AP_UNKNOWN, false}, err);
}
