/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * input.h - bytes from a file, a pipe or a server. */
#ifndef AP_BASE_INPUT_H
#define AP_BASE_INPUT_H

#include "audiopipe.h"

typedef struct ap_input ap_input;

/* name is copied. fd is not closed by ap_input_close, unless owned. NULL on failure (an owned fd is closed).
 */
ap_input *ap_input_new(int fd, bool owned, const char *name, ap_error *err);
/* A file, or the URL of an object on a server (base/net.h). */
ap_input *ap_input_open(const char *path, ap_error *err);
void ap_input_close(ap_input *in);
const char *ap_input_name(const ap_input *in);
/* Bytes read, short only at the end; -1 on error. */
ptrdiff_t ap_input_read(ap_input *in, void *buffer, size_t size, ap_error *err);
/* As read(2): what is there now, at least one byte; 0 at the end; -1 on error. */
ptrdiff_t ap_input_read_some(ap_input *in, void *buffer, size_t size, ap_error *err);
/* Looks at the next bytes, at most 65536 of them, without consuming them; returns how many there are. -1 on
 * error. */
ptrdiff_t ap_input_peek(ap_input *in, const unsigned char **bytes, size_t size, ap_error *err);
/* The same with all that is there, once that is at least so much: for a producer who takes its time. */
ptrdiff_t ap_input_peek_some(ap_input *in, const unsigned char **bytes, size_t least, ap_error *err);
bool ap_input_seekable(const ap_input *in);
/* Total size in bytes, AP_UNKNOWN for a pipe. */
uint64_t ap_input_size(const ap_input *in);
uint64_t ap_input_tell(const ap_input *in);
/* Bytes from here to the end, AP_UNKNOWN for a pipe. */
uint64_t ap_input_left(const ap_input *in);
/* Seekable input only. */
bool ap_input_seek(ap_input *in, uint64_t position, ap_error *err);
/* Skips forward, on a pipe too. false at the end of the input as well. */
bool ap_input_skip(ap_input *in, uint64_t bytes, ap_error *err);
/* Reads exactly size bytes into a malloc'ed block, which grows as they come: a size from a file is safe. */
unsigned char *ap_input_load(ap_input *in, size_t size, ap_error *err);
/* Makes a pipe seekable: copies what is left to an unlinked temporary file. No-op for a file. */
bool ap_input_make_seekable(ap_input *in, ap_error *err);

#endif
