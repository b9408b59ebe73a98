/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * apstream.h - apstream(5), and Sun AU. */
#ifndef AP_FORMATS_APSTREAM_H
#define AP_FORMATS_APSTREAM_H

#include "base/bytes.h"
#include "base/input.h"
#include "base/output.h"

/* Takes in over, also on failure. */
ap_stream *ap_apstream_open(ap_input *in, ap_error *err);
/* Removes from the tags of another format what a program made of an annotation of ours. false without
 * memory. */
bool ap_apstream_drop_notes(ap_tags **tags);
/* The annotation of an AU file, with its zero bytes. */
void ap_apstream_annotation(ap_bytes *b, const ap_format *format, const ap_tags *tags);
/* Writes the header of an apstream (AP_BITS_FLOAT), or of an AU file of integers with the same annotation. */
bool ap_apstream_header(const ap_stream *s, ap_bits bits, ap_output *out, ap_error *err);

#endif
