/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pcm_write.h - PCM to files. */
#ifndef AP_FORMATS_PCM_WRITE_H
#define AP_FORMATS_PCM_WRITE_H

#include "base/bytes.h"
#include "base/output.h"
#include "formats/pcm.h"

/* Writes the rest of the stream in samples of this type. */
bool ap_pcm_write_as(ap_stream *s, ap_output *out, ap_pcm type, bool big_endian,
                     const ap_encode_options *options, ap_error *err);
/* Writes the rest of the stream, in bits (float is AP_BITS_FLOAT). */
bool ap_pcm_write(ap_stream *s, ap_output *out, ap_bits bits, bool big_endian,
                  const ap_encode_options *options, ap_error *err);
/* Pads what was written, size bytes in all, to an even number, and writes what comes after it. */
bool ap_pcm_finish(ap_output *out, uint64_t size, const ap_bytes *tail, ap_error *err);
/* Writes the header again, when the length is known. */
bool ap_pcm_mend(ap_output *out, const ap_bytes *header, ap_error *err);
/* Bytes of a sample. */
size_t ap_bits_size(ap_bits bits);

#endif
