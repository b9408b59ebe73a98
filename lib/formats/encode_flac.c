/* SPDX-License-Identifier: GPL-3.0-or-later
 * encode_flac.c - FLAC by libFLAC: 16 or 24 bits, tags, cover art, seek points, total length and MD5. */
#include "base/error.h"
#include "base/output.h"
#include "formats/quantize.h"
#include "stream/stream.h"

#include <FLAC/metadata.h>
#include <FLAC/stream_encoder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_EFFORT 5           /* of flac(1) */
#define SEEK_INTERVAL_S 10         /* of flac(1) */
#define PADDING 8192               /* of flac(1): tags can be edited later without writing everything again */
#define MAX_BLOCK ((1u << 24) - 1) /* bytes in a metadata block, RFC 9639, 8.1 */

/* What the callbacks need. */
typedef struct sink {
    ap_output *out;
    uint64_t start; /* of the FLAC stream in the output */
    ap_error error;
    bool failed;
} sink;

static FLAC__StreamEncoderWriteStatus write_bytes(const FLAC__StreamEncoder *encoder,
                                                  const FLAC__byte bytes[], size_t size, uint32_t samples,
                                                  uint32_t frame, void *user)
{
    (void)encoder, (void)samples, (void)frame;
    sink *k = user;
    k->failed = k->failed || !ap_output_write(k->out, bytes, size, &k->error);
    return k->failed ? FLAC__STREAM_ENCODER_WRITE_STATUS_FATAL_ERROR : FLAC__STREAM_ENCODER_WRITE_STATUS_OK;
}

static FLAC__StreamEncoderSeekStatus seek(const FLAC__StreamEncoder *encoder, FLAC__uint64 offset, void *user)
{
    (void)encoder;
    sink *k = user;
    k->failed = k->failed || !ap_output_seek(k->out, k->start + offset, &k->error);
    return k->failed ? FLAC__STREAM_ENCODER_SEEK_STATUS_ERROR : FLAC__STREAM_ENCODER_SEEK_STATUS_OK;
}

static FLAC__StreamEncoderTellStatus tell(const FLAC__StreamEncoder *encoder, FLAC__uint64 *offset,
                                          void *user)
{
    (void)encoder;
    const sink *k = user;
    *offset = ap_output_tell(k->out) - k->start;
    return FLAC__STREAM_ENCODER_TELL_STATUS_OK;
}

/* ---- metadata */

enum { MAX_METADATA = 4 };

typedef struct metadata {
    FLAC__StreamMetadata *blocks[MAX_METADATA];
    unsigned count;
} metadata;

static FLAC__StreamMetadata *add_block(metadata *m, FLAC__MetadataType type)
{
    FLAC__StreamMetadata *block = FLAC__metadata_object_new(type);
    if (block)
        m->blocks[m->count++] = block;
    return block;
}

static void free_metadata(metadata *m)
{
    for (unsigned i = 0; i < m->count; i++)
        FLAC__metadata_object_delete(m->blocks[i]);
}

/* false when out of memory. A comment that makes the block too large is left out, and one that libFLAC
 * refuses, for the numbers U+FFFE and U+FFFF, which are no characters. */
static bool add_comment(FLAC__StreamMetadata *block, const char *key, const char *value)
{
    FLAC__StreamMetadata_VorbisComment_Entry entry;
    if (block->length + strlen(key) + strlen(value) + 5 > MAX_BLOCK ||
        !FLAC__format_vorbiscomment_entry_value_is_legal((const FLAC__byte *)value, UINT32_MAX))
        return true;
    return FLAC__metadata_object_vorbiscomment_entry_from_name_value_pair(&entry, key, value) &&
           FLAC__metadata_object_vorbiscomment_append_comment(block, entry, false);
}

static bool add_comments(metadata *m, const ap_stream *s)
{
    FLAC__StreamMetadata *block = add_block(m, FLAC__METADATA_TYPE_VORBIS_COMMENT);
    const char *key, *value;
    for (size_t i = 0; block && ap_tags_at(ap_stream_tags(s), i, &key, &value); i++)
        if (strcmp(key, "WAVEFORMATEXTENSIBLE_CHANNEL_MASK") != 0 && !add_comment(block, key, value))
            return false;
    if (!block || s->format.mask == ap_default_mask(s->format.channels))
        return block;
    char mask[16]; /* RFC 9639, 8.6.2 */
    snprintf(mask, sizeof mask, "0x%04X", ap_has_places(&s->format) ? s->format.mask : 0);
    return add_comment(block, "WAVEFORMATEXTENSIBLE_CHANNEL_MASK", mask);
}

static bool add_picture(metadata *m, const ap_tags *tags)
{
    ap_picture picture = ap_tags_picture(tags);
    if (picture.size == 0 || picture.size > MAX_BLOCK - 1024)
        return true;
    FLAC__StreamMetadata *block = add_block(m, FLAC__METADATA_TYPE_PICTURE);
    if (!block)
        return false;
    block->data.picture.type = FLAC__STREAM_METADATA_PICTURE_TYPE_FRONT_COVER;
    return FLAC__metadata_object_picture_set_mime_type(block, (char *)(uintptr_t)picture.mime, true) &&
           FLAC__metadata_object_picture_set_data(block, (FLAC__byte *)(uintptr_t)picture.data,
                                                  (uint32_t)picture.size, true);
}

/* libFLAC fills in the points that it has a template for. */
static bool add_seek_table(metadata *m, const ap_format *f)
{
    if (f->frames == AP_UNKNOWN || f->frames == 0)
        return true;
    FLAC__StreamMetadata *block = add_block(m, FLAC__METADATA_TYPE_SEEKTABLE);
    return block &&
           FLAC__metadata_object_seektable_template_append_spaced_points_by_samples(
               block, SEEK_INTERVAL_S * f->rate, f->frames) &&
           FLAC__metadata_object_seektable_template_sort(block, true);
}

static bool add_padding(metadata *m)
{
    FLAC__StreamMetadata *block = add_block(m, FLAC__METADATA_TYPE_PADDING);
    if (block)
        block->length = PADDING;
    return block;
}

static bool make_metadata(metadata *m, const ap_stream *s)
{
    return add_seek_table(m, &s->format) && add_comments(m, s) && add_picture(m, ap_stream_tags(s)) &&
           add_padding(m);
}

/* ---- audio */

static void configure(FLAC__StreamEncoder *encoder, const ap_stream *s, const ap_encode_options *o,
                      metadata *m)
{
    const ap_format *f = &s->format;
    FLAC__stream_encoder_set_channels(encoder, f->channels);
    FLAC__stream_encoder_set_bits_per_sample(encoder, (uint32_t)o->bits);
    FLAC__stream_encoder_set_sample_rate(encoder, f->rate);
    FLAC__stream_encoder_set_compression_level(encoder, o->effort < 0 ? DEFAULT_EFFORT : (uint32_t)o->effort);
    FLAC__stream_encoder_set_streamable_subset(encoder, FLAC__format_sample_rate_is_subset(f->rate));
    FLAC__stream_encoder_set_total_samples_estimate(encoder, f->frames == AP_UNKNOWN ? 0 : f->frames);
    FLAC__stream_encoder_set_metadata(encoder, m->blocks, m->count);
}

static bool encode_all(ap_stream *s, FLAC__StreamEncoder *encoder, ap_quantizer *q, ap_error *err)
{
    size_t count = AP_BLOCK * (size_t)s->format.channels;
    float *floats = malloc(count * sizeof *floats);
    int32_t *integers = malloc(count * sizeof *integers);
    ptrdiff_t n = -1;
    if (!floats || !integers)
        ap_fail_memory(err);
    else
        while ((n = ap_read(s, floats, AP_BLOCK, err)) > 0) {
            ap_quantize(q, floats, integers, (size_t)n);
            if (!FLAC__stream_encoder_process_interleaved(encoder, integers, (uint32_t)n)) {
                ap_fail(err, AP_FAILED, "libFLAC failed: %s",
                        FLAC__stream_encoder_get_resolved_state_string(encoder));
                n = -1;
                break;
            }
        }
    free(floats);
    free(integers);
    return n == 0;
}

static bool start(FLAC__StreamEncoder *encoder, sink *k, ap_error *err)
{
    FLAC__StreamEncoderInitStatus status =
        FLAC__stream_encoder_init_stream(encoder, write_bytes, seek, tell, NULL, k);
    return status == FLAC__STREAM_ENCODER_INIT_STATUS_OK ||
           ap_fail(err, AP_FAILED, "libFLAC cannot start: %s", FLAC__StreamEncoderInitStatusString[status]);
}

static bool finish(FLAC__StreamEncoder *encoder, ap_error *err)
{
    return FLAC__stream_encoder_finish(encoder) || ap_fail(err, AP_FAILED, "libFLAC failed at the end");
}

bool ap_encode_flac(ap_stream *s, ap_output *out, const ap_encode_options *options, ap_error *err)
{
    sink k = {.out = out, .start = ap_output_tell(out)};
    metadata m = {0};
    if (options->effort > 8)
        return ap_check_range("FLAC effort", options->effort, 0, 8, err);
    ap_quantizer *q =
        ap_quantizer_new(s->format.channels, options->bits, options->dither, options->seed, err);
    FLAC__StreamEncoder *encoder = FLAC__stream_encoder_new();
    bool ok = q && ((encoder && make_metadata(&m, s)) || ap_fail_memory(err));
    if (ok)
        configure(encoder, s, options, &m);
    ok = ok && start(encoder, &k, err) && encode_all(s, encoder, q, err) && finish(encoder, err);
    if (k.failed && err)
        *err = k.error; /* more than libFLAC knows */
    if (encoder)
        FLAC__stream_encoder_delete(encoder);
    free_metadata(&m);
    ap_quantizer_free(q);
    return ok;
}
