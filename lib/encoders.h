/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * encoders.h - what encode.c and the encoders of the file formats share, grouped by the file that implements
 * it.
 */
#ifndef AP_ENCODERS_H
#define AP_ENCODERS_H

#include "internal.h"

/* ---- encode_*.c: pull the stream until its end and write it. The caller has checked that the format holds
 * rate, channels and options, closes the stream and commits the output. The tags are those of the stream. No
 * sample is beyond full scale, except for formats of floats. */

typedef bool ap_encode_fn(ap_stream *s, ap_output *out, const ap_encode_options *options, ap_error *err);
ap_encode_fn ap_encode_mp3, ap_encode_flac, ap_encode_wav, ap_encode_aiff, ap_encode_ogg, ap_encode_opus,
    ap_encode_au;

/* The sample rate that MP3 has instead of this one: the next higher one, else the highest. */
uint32_t ap_mp3_rate(uint32_t rate);

/* ---- id3_make.c */

/* An ID3v2.4 tag; size 0 when there is nothing to say. *bytes is the caller's to free. */
bool ap_id3_make(const ap_tags *tags, unsigned char **bytes, size_t *size, ap_error *err);

/* ---- ogg_write.c */

/* For each channel of Vorbis, which one of the stream it is; NULL: the same. */
const unsigned char *ap_vorbis_order(uint32_t channels);
/* Puts so many frames into that order. */
void ap_to_vorbis_order(float *frames, size_t count, uint32_t channels);
/* The comment that holds a picture. */
#define AP_PICTURE_KEY "METADATA_BLOCK_PICTURE"
/* Its value, malloc'ed; NULL when there is none, or when out of memory. */
char *ap_picture_comment(const ap_tags *tags);
/* A number for the stream that is the same each time, and another one for other music, so that files can be
 * concatenated. */
int ap_ogg_serial(const ap_stream *s);

/* ---- quantize.c: floats to integers */

typedef struct ap_quantizer ap_quantizer;

/* bits: 16, 24 or 32. NULL on failure. */
ap_quantizer *ap_quantizer_new(uint32_t channels, ap_bits bits, ap_dither dither, uint64_t seed,
                               ap_error *err);
void ap_quantizer_free(ap_quantizer *q);
/* The integers of so many frames, -2^(bits-1) .. 2^(bits-1)-1; what is beyond is clamped. */
void ap_quantize(ap_quantizer *q, const float *in, int32_t *out, size_t frames);

/* ---- pcm_write.c: linear PCM to files */

/* Writes the rest of the stream, in bits (float is AP_BITS_FLOAT). */
bool ap_pcm_write(ap_stream *s, ap_output *out, ap_bits bits, bool big_endian,
                  const ap_encode_options *options, ap_error *err);
/* Bytes of a sample. */
size_t ap_bits_size(ap_bits bits);

#endif
