/* SPDX-License-Identifier: GPL-3.0-or-later
 * encode_raw.c - PCM without a header. */
#include "base/error.h"
#include "formats/encoders.h"
#include "formats/pcm_write.h"
#include "formats/raw.h"

/* The format is the name of a sample format, or "raw": then it is that of the bits, little-endian. */
bool ap_encode_raw(ap_stream *s, ap_output *out, const ap_encode_options *options, ap_error *err)
{
    ap_pcm type;
    bool big_endian;
    return ap_raw_type(options->format, &type, &big_endian)
               ? ap_pcm_write_as(s, out, type, big_endian, options, err)
               : ap_pcm_write(s, out, options->bits, false, options, err);
}
