/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * chunks.h - the chunks of files, checked before a library reads them. */
#ifndef AP_FORMATS_CHUNKS_H
#define AP_FORMATS_CHUNKS_H

#include "base/input.h"

/* Fails when the samples that the headers of an AIFF, CAF, W64, WAV or AU file declare are not all
 * there. Collects ID3 tags in chunks. The position does not change. */
bool ap_chunks_check(ap_input *in, ap_tags *tags, ap_error *err);

#endif
