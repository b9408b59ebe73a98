/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * stem_file.h - what the libav plugin is told of a file of Stems. */
#ifndef AP_FORMATS_STEM_FILE_H
#define AP_FORMATS_STEM_FILE_H

#include "audiopipe.h"

#define AP_STEM_FILE_TRACKS 5 /* the mix, then the stems */

/* The JSON text of the atom that tells players of the stems; the caller frees it. NULL when out of memory. */
char *ap_stem_file_text(const ap_stem_file_options *options);

#endif
