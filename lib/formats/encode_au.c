/* SPDX-License-Identifier: GPL-3.0-or-later
 * encode_au.c - Sun AU: an apstream as a file, or the same with integers. */
#include "base/output.h"
#include "formats/apstream.h"
#include "formats/pcm_write.h"

bool ap_encode_au(ap_stream *s, ap_output *out, const ap_encode_options *options, ap_error *err)
{
    return ap_apstream_header(s, options->bits, out, err) &&
           ap_pcm_write(s, out, options->bits, true, options, err);
}
