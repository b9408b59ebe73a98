/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pcm.h - PCM in files to floats: linear, and the two logarithmic laws of telephones. */
#ifndef AP_FORMATS_PCM_H
#define AP_FORMATS_PCM_H

#include "formats/chunks.h"

typedef enum ap_pcm {
    AP_PCM_U8,
    AP_PCM_S8,
    AP_PCM_U16,
    AP_PCM_S16,
    AP_PCM_U24,
    AP_PCM_S24,
    AP_PCM_U32,
    AP_PCM_S32,
    AP_PCM_MULAW,
    AP_PCM_ALAW,
    AP_PCM_F32,
    AP_PCM_F64
} ap_pcm;

/* The warning about a file, its name, that was cut within a frame. */
#define AP_HALF_FRAME "'%s' ends within a frame, which is left out"

size_t ap_pcm_size(ap_pcm type);
/* ffprobe's name: "pcm_s16le". Without its beginning it is the name of a raw format. */
const char *ap_pcm_name(ap_pcm type, bool big_endian);

/* Told once when the declared frames have been read and the input stands after them: the place for a
 * warning, or for a failure (false), when something is there that should not be. */
typedef bool ap_pcm_end(ap_stream *s, ap_input *in, ap_error *err);

/* A decoder for interleaved PCM that follows in the input: format->frames of it, AP_UNKNOWN = until the end.
 * Takes in and tags over, also on failure. A NaN or Inf in the data becomes 0, with a warning. end may be
 * NULL.
 */
ap_stream *ap_pcm_stream(ap_input *in, ap_pcm type, bool big_endian, const ap_format *format, ap_tags *tags,
                         ap_pcm_end *end, ap_error *err);
/* Ends a stream of that kind, whose length is not known, at chunks that go on to the end of the input. NULL
 * for s gives NULL. */
ap_stream *ap_pcm_until_chunks(ap_stream *s, const ap_chunk_layout *layout);

#endif
